"""Runs: start, watch, cancel, remove."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.data import list_datasets
from app.runs.config import RunConfig, request_config
from app.settings import Settings
from app.web.bodies import read_json
from app.web.state import State

router = APIRouter(prefix="/api/runs", tags=["runs"])

LARGEST = 2**31 - 1
RunId = Annotated[int, Path(ge=1, le=LARGEST)]


@router.post("", status_code=201)
async def start(request: Request, state: State) -> dict[str, Any]:
    """Queue a run of `{"recipe": NAME, "overrides": {...}}`, or of a whole config."""
    data = await read_json(request)

    def queue() -> dict[str, Any]:
        config = _checked(data, state.settings)
        run = state.log.add(config)
        state.runner.wake()
        return state.log.run(run)

    return await run_in_threadpool(queue)


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


@router.get("/{run}/events")
def events(
    state: State,
    run: RunId,
    after: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> dict[str, Any]:
    """What the run said after `seq` `after`, in order."""
    state.log.run(run)
    return {"events": state.log.events(run, after=after, limit=limit)}


@router.post("/{run}/cancel")
def cancel(state: State, run: RunId) -> dict[str, Any]:
    """Ask a run to end; an ended one stays as it is."""
    state.log.request_cancel(run)
    state.runner.wake()
    return state.log.run(run)


@router.delete("/{run}", status_code=204)
def delete(state: State, run: RunId) -> Response:
    """Remove an ended run and its events; its model stays in the store."""
    state.log.delete(run)
    return Response(status_code=204)


def _checked(data: object, settings: Settings) -> RunConfig:
    try:
        config = request_config(data)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    known = {info.name: info for info in list_datasets(data_dir=settings.data_dir, cache_dir=settings.cache_dir)}
    info = known.get(config.dataset)
    if info is None:
        message = f"dataset: expected one of {', '.join(known)}; got {config.dataset[:80]!r}"
        raise HTTPException(422, message)
    outputs = config.build_network().output_shape
    if outputs != (len(info.labels),):
        raise HTTPException(
            422,
            f"network.layers: expected {len(info.labels)} outputs, one for each label of {info.name}; "
            f"got {' × '.join(map(str, outputs))}",
        )
    return config
