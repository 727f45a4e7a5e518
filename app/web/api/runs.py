"""Runs: start, watch, pause, cancel, go on, remove."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.errors import RequestError, message_of
from app.nn import abbreviate
from app.runs.config.annotations import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, REMARKS, check_remarks
from app.runs.config.run_config import MOST_EPOCHS
from app.runs.config.sweep import LEAST, MOST
from app.runs.log.views import brief
from app.web.api.request_body import json_body, parse_json, read_body, read_json
from app.web.dependencies import State
from app.web.middleware.limits import check_queue

router = APIRouter(prefix="/api/runs", tags=["runs"])
sweeps = APIRouter(prefix="/api/races", tags=["runs"])

LARGEST = 2**31 - 1
RunId = Annotated[int, Path(ge=1, le=LARGEST)]
_TAG = {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG}
_TAGS = {"type": "array", "maxItems": MOST_TAGS, "items": _TAG}
_SCHEMA = {"type": "object", "properties": {"tags": _TAGS, "note": {"type": "string", "maxLength": LONGEST_NOTE}}}
_REMARKS: dict[str, Any] = json_body(_SCHEMA)


@router.post("", status_code=201)
async def start(request: Request, state: State) -> dict[str, Any]:
    """Queue a run of `{"recipe": NAME, "overrides": {...}}`, or of a whole config, with `tags` and a `note`."""
    data = await read_json(request)

    def queue() -> dict[str, Any]:
        config, remarks = _request(data)
        return state.run_service.start(state.run_service.config_of(config), remarks)

    return await run_in_threadpool(_queued, state, queue)


@router.get("")
def runs(
    state: State,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> dict[str, Any]:
    """Runs, newest first; `next` is the `before` of the next page."""
    found = state.log.list_runs(limit=limit + 1, before=before)
    return {"runs": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}


@router.get("/{run}")
def run(state: State, run: RunId) -> dict[str, Any]:
    """One run."""
    return state.log.run(run)


@router.patch("/{run}", openapi_extra=_REMARKS)
async def describe(request: Request, state: State, run: RunId) -> dict[str, Any]:
    """Put other `tags`, or another `note`, on a run; what is left out stays. The answer is the run."""
    data = await read_json(request)
    if not isinstance(data, dict) or not data or not set(data) <= set(REMARKS):
        raise RequestError(422, "expected an object with tags, note or both; got {value}", value=abbreviate(data))

    def put() -> dict[str, Any]:
        state.log.annotate(run, check_remarks(data))
        return state.log.run(run)

    return await run_in_threadpool(_checked, put)


@router.get("/{run}/events")
def events(
    state: State,
    run: RunId,
    after: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    log: Annotated[str | None, Query(max_length=64)] = None,
    short: bool = False,
) -> dict[str, Any]:
    """What the run said after `seq` `after`, in order; `short` leaves out the epochs' layers and sheets.

    `log` is the log that `after` is of, as an earlier answer named it. Where that is another one, or `after` is a `seq`
    that was never given, `reset` is true and the events come from the first on.
    """
    row = state.log.run(run)
    reset = after > row["last_seq"] or log not in (None, state.log.id)
    found = state.log.events(run, after=0 if reset else after, limit=limit)
    if short:
        found = [{**event, "data": brief(event["data"])} for event in found]
    return {"events": found, "log": state.log.id, "last_seq": row["last_seq"], "reset": reset}


@router.post("/{run}/pause")
def pause(state: State, run: RunId) -> dict[str, Any]:
    """Ask a run to pause after the batch it is at; one that waits is held, an ended one stays as it is."""
    return state.run_service.pause(run)


@router.post("/{run}/resume")
def resume(state: State, run: RunId) -> dict[str, Any]:
    """Put a paused run back into the queue; any other stays as it is."""
    return state.run_service.resume(run)


@router.post("/{run}/cancel")
async def cancel(request: Request, state: State, run: RunId) -> dict[str, Any]:
    """Ask a run to end; an ended one stays as it is. `{"keep_model": true}` saves the best model so far first."""
    wishes = await _wishes(request, {"keep_model": bool})
    keep = wishes.get("keep_model", False)
    return await run_in_threadpool(_checked, lambda: state.run_service.cancel(run, keep_model=keep))


@router.post("/{run}/again", status_code=201)
def again(state: State, run: RunId) -> dict[str, Any]:
    """Queue a run with the same config."""
    return _queued(state, lambda: state.run_service.rerun(run))


@router.post("/{run}/continue", status_code=201)
async def go_on(request: Request, state: State, run: RunId) -> dict[str, Any]:
    """Queue a run that goes on where this one ended, for `{"epochs": N}` more.

    Without a number it does the epochs that were left, or as many again.
    """
    epochs = (await _wishes(request, {"epochs": int})).get("epochs")
    if epochs is not None and not 0 < epochs <= MOST_EPOCHS:
        raise RequestError(
            422,
            "expected a whole number from 1 to {most_epochs}; got {epochs}",
            field="epochs",
            most_epochs=f"{MOST_EPOCHS:,}",
            epochs=epochs,
        )
    return await run_in_threadpool(_queued, state, lambda: state.run_service.continue_run(run, epochs))


@router.delete("/{run}", status_code=204)
def delete(state: State, run: RunId) -> Response:
    """Remove an ended run, its events and its checkpoint; its model stays in the store."""
    state.run_service.delete(run)
    return Response(status_code=204)


def _request(data: Any) -> tuple[Any, dict[str, Any]]:
    """What came for a config, and the tags and the note beside it. Raises ValueError."""
    if not isinstance(data, dict):
        return data, {}
    return {key: value for key, value in data.items() if key not in REMARKS}, check_remarks(data)


async def _wishes(request: Request, known: dict[str, type]) -> dict[str, Any]:
    """The fields of an object that may be left out as a whole; 422 where it is something else."""
    body = await read_body(request)
    data = parse_json(body) if body.strip() else {}
    if not isinstance(data, dict) or not set(data) <= set(known):
        raise RequestError(
            422,
            "expected an object with {names}, or nothing; got {value}",
            names=" and ".join(known),
            value=abbreviate(data),
        )
    for key, value in data.items():
        if type(value) is not known[key]:
            what = {bool: "true or false", int: "a whole number"}[known[key]]
            raise RequestError(422, "expected {what}; got {value}", field=key, what=what, value=abbreviate(value))
    return data


def _queued(state: State, action: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    check_queue(state.log)
    return _checked(action)


def _checked(action: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return action()
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None


_SWEEP_KEYS = {"recipe", "overrides", "config", "vary", "values"}
_SWEEP: dict[str, Any] = json_body(
    {
        "type": "object",
        "required": ["vary", "values"],
        "additionalProperties": False,
        "properties": {
            "recipe": {"type": "string"},
            "overrides": {"type": "object"},
            "config": {"description": "a whole config, in place of recipe and overrides", "type": "object"},
            "vary": {
                "description": "optimizer, schedule, loss, initializer, learning_rate, batch_size, or a "
                "path in the config such as optimizer.beta1 or network.layers.0.units",
                "type": "string",
            },
            "values": {"type": "array", "minItems": LEAST, "maxItems": MOST, "items": {}},
        },
    }
)


@sweeps.post("", status_code=201, openapi_extra=_SWEEP)
async def start_sweep(request: Request, state: State) -> dict[str, Any]:
    """Queue a run for each of `values`, all or none, under one tag."""
    data = await read_json(request)
    if not isinstance(data, dict) or not {"vary", "values"} <= set(data) <= _SWEEP_KEYS:
        raise RequestError(
            422, "expected an object with recipe, overrides, vary and values; got {value}", value=abbreviate(data)
        )
    if "config" in data and set(data) & {"recipe", "overrides"}:
        raise RequestError(422, "expected a config, or a recipe and its overrides; got both")
    asked = data["config"] if "config" in data else {k: data[k] for k in ("recipe", "overrides") if k in data}

    def queue() -> dict[str, Any]:
        check_queue(state.log, len(data["values"]) if isinstance(data["values"], list) else 1)
        try:
            runs = state.run_service.sweep(state.run_service.config_of(asked), data["vary"], data["values"])
        except ValueError as error:
            raise RequestError(422, message_of(error)) from None
        return {"tag": runs[0]["tags"][-1], "runs": runs}

    return await run_in_threadpool(queue)
