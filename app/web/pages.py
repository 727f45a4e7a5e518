"""The pages that people see."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.web import assets
from app.web.models import summaries
from app.web.runs import RunId
from app.web.state import State

router = APIRouter(include_in_schema=False)

PAGE_METHODS = ["GET", "HEAD"]


@router.api_route("/", methods=PAGE_METHODS)
def pad(request: Request, state: State, model: str | None = None) -> Response:
    """The drawing pad, reading with `model` or the default."""
    listed = summaries(state.store)
    usable = {entry["name"]: entry for entry in listed["models"] if entry["available"]}
    default = listed["default"]
    notice = None
    if model is not None and model not in usable:
        instead = f"; {default} reads instead" if default else ""
        notice = f"There is no usable model named “{model[:64]}”{instead}."
    chosen = usable.get(model or "", usable.get(default or ""))
    context = {"models": list(usable.values()), "model": chosen, "notice": notice}
    return _page(request, "pad.html", "draw", context)


@router.api_route("/train", methods=PAGE_METHODS)
def train(request: Request) -> Response:
    """The dashboard."""
    return _page(request, "train.html", "train", {})


@router.api_route("/runs/{run}", methods=PAGE_METHODS)
def run(request: Request, state: State, run: RunId) -> Response:
    """One run."""
    state.log.run(run)
    return _page(request, "run.html", "train", {"run_id": run})


@router.api_route("/models", methods=PAGE_METHODS)
def models(request: Request) -> Response:
    """The model store."""
    return _page(request, "models.html", "models", {})


def _page(request: Request, template: str, active: str, context: dict[str, Any]) -> Response:
    headers = {"cache-control": "no-cache"}
    return assets.templates(request).TemplateResponse(request, template, {"active": active, **context}, headers=headers)
