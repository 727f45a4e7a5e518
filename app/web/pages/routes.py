"""The pages that people see."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.data.drawings.drawing import check_set_name
from app.data.personalization import LEAST_DRAWINGS
from app.models import ModelStore
from app.runs.log.database import UNREACHABLE
from app.runs.log.state import ENDED
from app.web import templates
from app.web.api.models import summaries
from app.web.api.runs import RunId
from app.web.dependencies import LogDep, StoreDep
from app.web.preferences import catalog_of

router = APIRouter(include_in_schema=False)

RECENT_RUNS = 20
"""The runs among which the dashboard looks for one that has not ended."""
_ELSEWHERE = ("sources", "robustness", "seeds", "software")
"""The fields of a model's summary that the pad does not show."""


@router.get("/")
def pad(request: Request, store: StoreDep, model: str | None = None) -> Response:
    """The drawing pad, reading with `model` or the default."""
    return _page(request, "pages/pad.html", "draw", {**_readers(request, store, model), "enough": LEAST_DRAWINGS})


@router.get("/challenge")
def challenge(request: Request, store: StoreDep, model: str | None = None) -> Response:
    """Games against a model, `model` or the default, which reads in the browser."""
    return _page(request, "pages/challenge.html", "draw", _readers(request, store, model))


ASKING = frozenset({"dataset", "recipe", "start"})
"""The parameters of an address of the dashboard that say what to train."""


@router.get("/train")
def train(request: Request, log: LogDep) -> Response:
    """The dashboard, with the newest run that has not ended, or else the newest one; an address that says what to train
    is not answered with the result of something else.
    """
    try:
        newest = log.list_runs(limit=RECENT_RUNS)
    except UNREACHABLE:
        newest = []  # the page's list of runs asks again, and says what is wrong
    ended = None if set(request.query_params) & ASKING else next(iter(newest), None)
    shown = next((run for run in newest if run["state"] not in ENDED), ended)
    return _page(request, "pages/train.html", "train", {"run": None if shown is None else shown["id"]})


@router.get("/runs/{run}")
def run(request: Request, log: LogDep, run: RunId) -> Response:
    """One run."""
    log.run(run)
    return _page(request, "pages/run.html", "train", {"run_id": run})


@router.get("/compare")
def compare(request: Request) -> Response:
    """Runs side by side, those that `runs` or `tag` of the address name."""
    return _page(request, "pages/compare.html", "train", {})


@router.get("/data")
def data(request: Request) -> Response:
    """The data sets, and the user's own drawings."""
    return _page(request, "pages/data.html", "data", {})


@router.get("/data/projector")
def projector(request: Request, set_name: Annotated[str, Query(alias="set")]) -> Response:
    """A set for a whole class to see: how to draw into it, and what comes in."""
    return _page(request, "pages/projector.html", "data", {"set_name": check_set_name(set_name)})


@router.get("/augmentation")
def augmentation(request: Request) -> Response:
    """A preview of an augmentation."""
    return _page(request, "pages/augmentation.html", "train", {})


@router.get("/mine")
def personalize(request: Request) -> Response:
    """Make it mine: a model is taught the user's own hand."""
    return _page(request, "pages/personalize.html", "models", {})


@router.get("/models")
def models(request: Request) -> Response:
    """The model store."""
    return _page(request, "pages/models.html", "models", {})


@router.get("/models/{name}/judge")
def model_evaluation(request: Request, store: StoreDep, name: str) -> Response:
    """The evaluation of a model."""
    card = store.get(name)
    evidence = card.model_dump(mode="json", include={"mine", "robustness", "seeds", "styles"})
    evidence["sources"] = [result.model_dump(mode="json") for result in card.sources]
    return _page(request, "pages/evaluate.html", "models", {"card": card, "evidence": evidence})


@router.get("/models/{name}/map")
def model_map(request: Request, store: StoreDep, name: str) -> Response:
    """The map of a model: test images and one's own drawing in a plane."""
    return _page(request, "pages/map.html", "models", {"card": store.get(name)})


def _readers(request: Request, store: ModelStore, model: str | None) -> dict[str, Any]:
    """The usable models, the one that reads, and a notice if it is not the one that was asked for."""
    listed = summaries(store)
    needed = [{key: value for key, value in entry.items() if key not in _ELSEWHERE} for entry in listed["models"]]
    default = listed["default"]
    usable = {
        entry["name"]: entry
        for entry in needed
        if entry["available"] and (not entry["for_teaching"] or entry["name"] in (model, default))
    }
    notice = None
    if model is not None and model not in usable:
        _ = catalog_of(request).gettext
        notice = _("There is no usable model named “{name}”; {default} reads instead.")
        if not default:
            notice = _("There is no usable model named “{name}”.")
        notice = notice.format(name=model[:64], default=default)
    chosen = usable.get(model or "", usable.get(default or ""))
    return {"models": list(usable.values()), "model": chosen, "notice": notice}


def _page(request: Request, template: str, active: str, context: dict[str, Any]) -> Response:
    headers = {"cache-control": "no-cache"}
    return templates.render_page(request, template, {"active": active, **context}, headers=headers)
