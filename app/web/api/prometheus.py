"""`GET /metrics`: how the server does, for Prometheus."""

from contextlib import suppress
from http import HTTPStatus

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.errors import RequestError
from app.runs.log.database import UNREACHABLE
from app.runs.stats import queue_stats
from app.web.api.routing import errors
from app.web.dependencies import BroadcasterDep, CapacityDep, CheckpointsDep, CountersDep, LogDep, SupervisorDep
from app.web.middleware.limits import SOCKETS

router = APIRouter(tags=["health"])

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_RESPONSES = errors(501) | {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus's text format"},
}


@router.get("/metrics", response_class=Response, responses=_RESPONSES)
async def metrics(
    log: LogDep,
    checkpoints: CheckpointsDep,
    broadcaster: BroadcasterDep,
    supervisor: SupervisorDep,
    capacity: CapacityDep,
    counters: CountersDep,
) -> Response:
    """The state of the server, in Prometheus's text format. 501 where the extra `metrics` is not installed."""
    if counters is None:
        message = "expected the extra `metrics`: pip install 'digitpad[metrics]'; it is not installed"
        raise RequestError(HTTPStatus.NOT_IMPLEMENTED, message)
    from app.web.prometheus.exposition import Figures

    census = None
    with suppress(*UNREACHABLE):  # which `digitpad_log_up` tells
        census = await run_in_threadpool(queue_stats, log, checkpoints, broadcaster.delivered())
    figures = Figures(
        census=census,
        sockets=SOCKETS - capacity.sockets,
        backlog=broadcaster.backlog(),
        queue_is_up=supervisor.fault is None,
    )
    return Response(counters.text() + figures.text(), media_type=CONTENT_TYPE)
