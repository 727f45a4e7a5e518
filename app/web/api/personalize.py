"""Personalization: a model of the store, taught the user's own hand."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from app.data.drawings.drawing import DEFAULT_SET
from app.data.personalization import LEAST_DRAWINGS, Readiness
from app.runs.config.run_config import MOST_SEED
from app.runs.training.personalization import all_ready, personal_config, rehearsed
from app.web.api.drawings.drawings import SetName
from app.web.api.routing import ApiRoute, RequestBody, ResponseBody, errors
from app.web.api.runs import Run
from app.web.dependencies import CatalogDep, DrawingsDep, LogDep, RunServiceDep, StoreDep
from app.web.middleware.limits import check_queue

router = APIRouter(prefix="/api/models", tags=["models"], route_class=ApiRoute)


class PersonalizeRequest(RequestBody):
    """A set of drawings to learn."""

    set: SetName = DEFAULT_SET
    seed: Annotated[int, Field(ge=0, le=MOST_SEED)] = 1


class SetReadiness(ResponseBody):
    """The drawings that a set has and needs, the labels that the model lacks, and the problem, if any."""

    set: str
    drawings: int
    needed: int
    unknown: list[str]
    problem: str | None


class PersonalizationReadiness(ResponseBody):
    """`dataset` is where the images come from that keep the model from forgetting."""

    model: str
    dataset: str
    least: int
    sets: list[SetReadiness]


@router.get("/{name}/personalize", response_model=PersonalizationReadiness, responses=errors(404, 409))
def readiness(catalog: CatalogDep, store: StoreDep, drawings: DrawingsDep, name: str) -> dict[str, Any]:
    """Say which sets of drawings the model can learn, and how many are missing; 409 without images to rehearse."""
    card = store.get(name)
    return {
        "model": card.name,
        "dataset": rehearsed(card, catalog).name,
        "least": LEAST_DRAWINGS,
        "sets": [_readiness(one) for one in all_ready(card, drawings)],
    }


@router.post("/{name}/personalize", status_code=201, response_model=Run, responses=errors(404, 409, 422, 429))
def personalize(
    catalog: CatalogDep,
    store: StoreDep,
    drawings: DrawingsDep,
    log: LogDep,
    service: RunServiceDep,
    name: str,
    body: PersonalizeRequest | None = None,
) -> dict[str, Any]:
    """Queue the run that teaches a model the drawings of a set; the answer is the run.

    It saves a new model whose card compares the two, `mine`; the model itself stays as it is.
    """
    body = body or PersonalizeRequest()
    card = store.get(name)
    check_queue(log)
    return service.start(personal_config(card, catalog, drawings, body.set, seed=body.seed))


def _readiness(found: Readiness) -> dict[str, Any]:
    return {
        "set": found.set,
        "drawings": found.drawings,
        "needed": found.needed,
        "unknown": list(found.unknown),
        "problem": found.problem,
    }
