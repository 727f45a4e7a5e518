"""Runs: start, watch, pause, cancel, continue, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict, Field, WithJsonSchema
from starlette.responses import Response

from app.errors import RequestError
from app.nn import abbreviate
from app.runs.config.annotations import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS, check_remarks
from app.runs.config.run_config import MOST_EPOCHS
from app.runs.config.sweep import LEAST, MOST
from app.runs.limits import LARGEST_INT
from app.runs.log.state import RunState
from app.web.api.routing import ApiRoute, RequestBody, ResponseBody, errors
from app.web.dependencies import LogDep, RunServiceDep
from app.web.middleware.limits import check_queue

router = APIRouter(prefix="/api/runs", tags=["runs"], route_class=ApiRoute)
sweeps = APIRouter(prefix="/api/races", tags=["runs"], route_class=ApiRoute)

RunId = Annotated[int, Path(ge=1, le=LARGEST_INT)]

_TAG = {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG}
# what is in these is checked where it is used, by the same rules as on the command line
Tags = Annotated[Any, WithJsonSchema({"type": "array", "maxItems": MOST_TAGS, "items": _TAG})]
Note = Annotated[Any, WithJsonSchema({"type": "string", "maxLength": LONGEST_NOTE})]
Recipe = Annotated[Any, WithJsonSchema({"type": "string"})]
Overrides = Annotated[Any, WithJsonSchema({"type": "object"})]


class RunAnnotations(RequestBody):
    """Tags and a note; what is left out stays."""

    tags: Tags = None
    note: Note = None


class RunRequest(RunAnnotations):
    """A recipe with what differs from it in `overrides`, or a whole config in their place; with tags and a note."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [{"recipe": "quick", "overrides": {"dataset": "strokes", "epochs": 1}, "tags": ["first"]}]
        },
    )

    recipe: Recipe = None
    overrides: Overrides = None


class SweepRequest(RequestBody):
    """A recipe and overrides, or a whole `config`, and the values of a part of it: a run for each.

    `vary` is optimizer, schedule, loss, initializer, learning_rate, batch_size, or a path in the config such as
    optimizer.beta1 or network.layers.0.units.
    """

    recipe: Recipe = None
    overrides: Overrides = None
    config: Overrides = None
    vary: Annotated[Any, WithJsonSchema({"type": "string"})]
    values: Annotated[Any, WithJsonSchema({"type": "array", "minItems": LEAST, "maxItems": MOST, "items": {}})]


class CancelRequest(RequestBody):
    """With `keep_model` the best model so far is saved first."""

    keep_model: bool = False


class ContinueRequest(RequestBody):
    """The number of epochs more; by default those that were left, or as many again."""

    epochs: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] | None = None


class Run(ResponseBody):
    """A run: its state, its progress in the epoch at hand, and the numbers of its last epoch in `metrics`.

    `race` is the number of the first run of its race; each turn of a run in a race is an attempt.
    """

    id: int
    config: dict[str, Any]
    created: str
    state: RunState
    progress: dict[str, Any] | None
    attempt: int
    started: str | None
    ended: str | None
    error: str | None
    model: str | None
    last_seq: int
    cancel_requested: bool
    pause_requested: bool
    checkpoint: str | None
    tags: list[str]
    note: str
    race: int | None
    metrics: dict[str, Any] | None
    test_accuracy: float | None
    best_epoch: int | None


class RunList(ResponseBody):
    """Runs, newest first; `next` is the `before` of the next page."""

    runs: list[Run]
    next: int | None


class LoggedEvent(ResponseBody):
    """An event of a run's log; `data` depends on its `type`."""

    run: int
    seq: int
    type: str
    time: str
    data: dict[str, Any]


class RunEvents(ResponseBody):
    """Events in order; `reset` is true where they come from the first on, as `after` was of another log."""

    events: list[LoggedEvent]
    log: str
    last_seq: int
    reset: bool


class Sweep(ResponseBody):
    """The runs that were queued, and the tag that they share."""

    tag: str
    runs: list[Run]


@router.post("", status_code=201, response_model=Run, responses=errors(404, 409, 422, 429))
def start(log: LogDep, service: RunServiceDep, body: RunRequest) -> dict[str, Any]:
    """Queue a run of `{"recipe": NAME, "overrides": {...}}`, or of a whole config, with `tags` and a `note`."""
    data = body.model_dump(exclude_unset=True)
    remarks = {key: data.pop(key) for key in RunAnnotations.model_fields if key in data}
    check_queue(log)
    return service.start(service.config_of(data), check_remarks(remarks))


@router.get("", response_model=RunList)
def runs(
    log: LogDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1, le=LARGEST_INT)] = None,
) -> dict[str, Any]:
    """Runs, newest first."""
    found = log.list_runs(limit=limit + 1, before=before)
    return {"runs": found[:limit], "next": found[limit - 1]["id"] if len(found) > limit else None}


@router.get("/{run}", response_model=Run)
def run(log: LogDep, run: RunId) -> dict[str, Any]:
    """One run."""
    return log.run(run)


@router.patch("/{run}", response_model=Run)
def annotate(log: LogDep, run: RunId, body: RunAnnotations) -> dict[str, Any]:
    """Put other `tags`, or another `note`, on a run; what is left out stays. The answer is the run."""
    data = body.model_dump(exclude_unset=True)
    if not data:
        raise RequestError(422, "expected an object with tags, note or both; got {value}", value=abbreviate(data))
    log.annotate(run, check_remarks(data))
    return log.run(run)


@router.get("/{run}/events", response_model=RunEvents)
def events(
    log: LogDep,
    run: RunId,
    after: Annotated[int, Query(ge=0, le=LARGEST_INT)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    name: Annotated[str | None, Query(alias="log", max_length=64)] = None,
    short: bool = False,
) -> dict[str, Any]:
    """The run's events after `seq` `after`, in order; `short` leaves out the epochs' layers, sheets and batch losses.

    `log` is the log that `after` is of, as an earlier answer named it. Where that is another one, or `after` is a `seq`
    that was never given, `reset` is true and the events come from the first on.
    """
    row = log.run(run)
    reset = after > row["last_seq"] or name not in (None, log.id)
    found = log.events(run, after=0 if reset else after, limit=limit, short=short)
    return {"events": found, "log": log.id, "last_seq": row["last_seq"], "reset": reset}


@router.get(
    "/{run}/live",
    response_class=Response,
    responses={
        **errors(404, 503),
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        204: {},
    },
)
def live(service: RunServiceDep, run: RunId) -> Response:
    """The weights of a run at this moment, as a safetensors file whose metadata has the `epoch` and the `batch`; 204
    before the first, after the last, and of a network of more than two million parameters.

    Asking makes the training write them, about ten times a second, for three seconds.
    """
    found = service.live_weights(run)
    if found is None:
        return Response(status_code=204)
    return Response(found, media_type="application/octet-stream", headers={"cache-control": "no-store"})


@router.post("/{run}/pause", response_model=Run)
def pause(service: RunServiceDep, run: RunId) -> dict[str, Any]:
    """Ask a run to pause after the batch it is at; one that waits is held, an ended one stays as it is."""
    return service.pause(run)


@router.post("/{run}/resume", response_model=Run)
def resume(service: RunServiceDep, run: RunId) -> dict[str, Any]:
    """Put a paused run back into the queue; any other stays as it is."""
    return service.resume(run)


@router.post("/{run}/cancel", response_model=Run)
def cancel(service: RunServiceDep, run: RunId, body: CancelRequest | None = None) -> dict[str, Any]:
    """Ask a run to end; an ended one stays as it is. `{"keep_model": true}` saves the best model so far first."""
    return service.cancel(run, keep_model=body is not None and body.keep_model)


@router.post("/{run}/again", status_code=201, response_model=Run)
def rerun(log: LogDep, service: RunServiceDep, run: RunId) -> dict[str, Any]:
    """Queue a run with the same config."""
    check_queue(log)
    return service.rerun(run)


@router.post("/{run}/continue", status_code=201, response_model=Run)
def continue_run(
    log: LogDep, service: RunServiceDep, run: RunId, body: ContinueRequest | None = None
) -> dict[str, Any]:
    """Queue a run that continues this one from its last checkpoint, for `{"epochs": N}` more."""
    check_queue(log)
    return service.continue_run(run, None if body is None else body.epochs)


@router.delete("/{run}", status_code=204, response_class=Response)
def delete(service: RunServiceDep, run: RunId) -> None:
    """Delete an ended run, its events and its checkpoint; its model stays in the store."""
    service.delete(run)


@sweeps.post("", status_code=201, response_model=Sweep, responses=errors(404, 409, 422, 429))
def start_sweep(log: LogDep, service: RunServiceDep, body: SweepRequest) -> dict[str, Any]:
    """Queue a run for each of `values`, all or none, under one tag."""
    data = body.model_dump(exclude_unset=True, include={"recipe", "overrides", "config"})
    if len(data) > 1 and "config" in data:
        raise RequestError(422, "expected a config, or a recipe and its overrides; got both")
    check_queue(log, len(body.values) if isinstance(body.values, list) else 1)
    runs = service.sweep(service.config_of(data.get("config", data)), body.vary, body.values)
    return {"tag": runs[0]["tags"][-1], "runs": runs}
