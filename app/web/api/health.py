"""Whether the server works."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from app.errors import Message
from app.web.dependencies import State
from app.web.preferences import in_callers_language

router = APIRouter(tags=["health"])


@router.get("/health")
def health(state: State) -> Response:
    """200 while all is well; 503 with the fault while trainings cannot be run.

    `tracking` says of TensorBoard and MLflow, where runs are told to them, whether that is "ok" or "failing".
    """
    fault = state.supervisor.fault
    body: dict[str, Any] = {"ok": fault is None, "log": state.log.id}
    if state.tracking.followers:
        body["tracking"] = state.tracking.states
    if fault is not None:
        body["error"] = Message("trainings are waiting: {fault}", fault=fault)
    return JSONResponse(in_callers_language(body), 200 if fault is None else 503)
