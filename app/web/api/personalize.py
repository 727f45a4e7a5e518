"""Make it mine: a model of the store, taught the user's own hand."""

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.data.drawings.drawing import DEFAULT_SET
from app.data.personalization import LEAST_DRAWINGS, Readiness
from app.errors import RequestError, message_of
from app.nn import abbreviate
from app.runs.config.run_config import MOST_SEED
from app.runs.training.personalization import all_ready, personal_config, rehearsed
from app.web.api.request_body import parse_json, read_body
from app.web.dependencies import AppState, State
from app.web.errors import Error
from app.web.middleware.limits import check_queue
from app.web.preferences import LocalizedRoute

router = APIRouter(prefix="/api/models", tags=["models"], route_class=LocalizedRoute)

_KEYS = {"set", "seed"}
_ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": Error},
    409: {"model": Error},
    422: {"model": Error},
    429: {"model": Error},
}
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "set": {"type": "string", "default": DEFAULT_SET, "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"},
        "seed": {"type": "integer", "minimum": 0, "maximum": MOST_SEED, "default": 1},
    },
}
_OPENAPI: dict[str, Any] = {"requestBody": {"content": {"application/json": {"schema": _SCHEMA}}}}


@router.get("/{name}/personalize", responses=_ERRORS)
def readiness(state: State, name: str) -> dict[str, Any]:
    """Which sets of the user's drawings the model can be made their own with, and how many drawings are missing.

    `dataset` is where the images come from that keep it from forgetting; 409 where no such set is on this machine.
    """
    card = state.store.get(name)
    dataset = rehearsed(card, state.settings, state.drawings)
    return {
        "model": card.name,
        "dataset": dataset.name,
        "least": LEAST_DRAWINGS,
        "sets": [_told(one) for one in all_ready(card, state.drawings)],
    }


@router.post("/{name}/personalize", status_code=201, openapi_extra=_OPENAPI, responses=_ERRORS)
async def personalize(request: Request, state: State, name: str) -> dict[str, Any]:
    """Queue the run that teaches a model the drawings of `{"set": NAME}`; the answer is the run.

    It saves a new model whose card compares the two, `mine`; the model itself stays as it is.
    """
    body = await read_body(request)
    data = parse_json(body) if body.strip() else {}
    if not isinstance(data, dict) or not set(data) <= _KEYS:
        raise RequestError(
            422, "expected an object with set and optionally seed, or nothing; got {value}", value=abbreviate(data)
        )
    set_name, seed = data.get("set", DEFAULT_SET), data.get("seed", 1)
    if not isinstance(set_name, str):
        raise RequestError(
            422, "expected the name of a set of drawings; got {value}", field="set", value=abbreviate(set_name)
        )
    if type(seed) is not int:
        raise RequestError(
            422,
            "expected a whole number from 0 to {most_seed}; got {value}",
            field="seed",
            most_seed=MOST_SEED,
            value=abbreviate(seed),
        )
    return await run_in_threadpool(_queue, state, name, set_name, seed)


def _queue(state: AppState, name: str, set_name: str, seed: int) -> dict[str, Any]:
    card = state.store.get(name)
    check_queue(state.log)
    try:
        return state.run_service.start(personal_config(card, state.settings, state.drawings, set_name, seed=seed))
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None


def _told(ready: Readiness) -> dict[str, Any]:
    return {
        "set": ready.set,
        "drawings": ready.drawings,
        "needed": ready.needed,
        "unknown": list(ready.unknown),
        "problem": ready.problem,
    }
