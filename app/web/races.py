"""Races: the same recipe with several optimizers, learning rates, batch sizes or first weights, in one call."""

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.nn import shown
from app.runs.config.sweep import LEAST, MOST
from app.web.bodies import json_body, read_json
from app.web.limits import check_queue
from app.web.state import State

router = APIRouter(prefix="/api/races", tags=["runs"])

_KEYS = {"recipe", "overrides", "config", "vary", "values"}
_BODY: dict[str, Any] = json_body(
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


@router.post("", status_code=201, openapi_extra=_BODY)
async def start(request: Request, state: State) -> dict[str, Any]:
    """Queue a run for each of `values`, all or none, under one tag."""
    data = await read_json(request)
    if not isinstance(data, dict) or not {"vary", "values"} <= set(data) <= _KEYS:
        raise HTTPException(422, f"expected an object with recipe, overrides, vary and values; got {shown(data)}")
    if "config" in data and set(data) & {"recipe", "overrides"}:
        raise HTTPException(422, "expected a config, or a recipe and its overrides; got both")
    asked = data["config"] if "config" in data else {k: data[k] for k in ("recipe", "overrides") if k in data}

    def queue() -> dict[str, Any]:
        check_queue(state.log, len(data["values"]) if isinstance(data["values"], list) else 1)
        try:
            runs = state.commands.race(state.commands.config_of(asked), data["vary"], data["values"])
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        return {"tag": runs[0]["tags"][-1], "runs": runs}

    return await run_in_threadpool(queue)
