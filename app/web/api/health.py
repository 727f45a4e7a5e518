"""The server's health."""

from typing import Literal

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from app.errors import Message
from app.web.api.routing import ResponseBody
from app.web.dependencies import LogDep, SupervisorDep, TrackingDep
from app.web.preferences import in_callers_language

router = APIRouter(tags=["health"])


class Health(ResponseBody):
    """`log` names the log of runs; `tracking` says whether TensorBoard and MLflow, where they are used, take runs.

    `error` says why trainings cannot be run.
    """

    ok: bool
    log: str
    tracking: dict[str, Literal["ok", "failing"]] | None = None
    error: str | None = None


@router.get("/health", responses={200: {"model": Health}, 503: {"model": Health}})
def health(log: LogDep, supervisor: SupervisorDep, tracking: TrackingDep) -> Response:
    """200 while all is well; 503 with the reason while trainings cannot be run."""
    fault = supervisor.fault
    body = {"ok": fault is None, "log": log.id}
    if tracking.followers:
        body["tracking"] = tracking.states
    if fault is not None:
        body["error"] = Message("trainings are waiting: {fault}", fault=fault)
    return JSONResponse(in_callers_language(body), 200 if fault is None else 503)
