"""The user's own labelled drawings over HTTP."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.data.drawing import DEFAULT_SET, Drawing
from app.data.drawings import FullError, UnknownDrawingError
from app.web.bodies import read_json
from app.web.errors import Error
from app.web.state import State, services

router = APIRouter(prefix="/api/drawings", tags=["drawings"])

MOST_DAMAGED = 100
"""Damaged files that are named one by one."""

_KEYS = {"label", "strokes", "set"}
_OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["label", "strokes"],
                    "additionalProperties": False,
                    "properties": {
                        "label": {"type": "string", "minLength": 1, "maxLength": 64},
                        "strokes": {"description": "[[[x, y], ...], ...] in any unit, y down", "type": "array"},
                        "set": {"type": "string", "default": DEFAULT_SET, "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"},
                    },
                }
            }
        },
    }
}


@router.get("")
def drawings(
    state: State,
    set_name: Annotated[str | None, Query(alias="set")] = None,
    label: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: str | None = None,
) -> dict[str, Any]:
    """The drawings, newest first; the sets with their counts; and files that are damaged, with the reason."""
    store = state.drawings
    try:
        page = store.page(set_name, label, limit, before)
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    sets = store.sets()
    damaged = [asdict(file) for one in sets for file in one.damaged]
    return {
        "drawings": [asdict(drawing) for drawing in page.drawings],
        "sets": [{"name": one.name, "count": one.count, "labels": one.labels} for one in sets],
        "damaged": damaged[:MOST_DAMAGED],
        "next": page.next,
    }


@router.post(
    "",
    status_code=201,
    response_model=Drawing,
    openapi_extra=_OPENAPI,
    responses={409: {"model": Error}, 422: {"model": Error}, 507: {"model": Error}},
)
async def add(request: Request) -> Response:
    """Keep a drawing with its label in a set of the user's own."""
    body = await read_json(request)
    if not isinstance(body, dict) or not {"label", "strokes"} <= set(body) <= _KEYS:
        came = f"{', '.join(map(repr, body)) or 'nothing'}"[:80] if isinstance(body, dict) else type(body).__name__
        raise HTTPException(422, f"expected an object with label, strokes and, if wanted, set; got {came}")
    store = services(request).drawings
    try:
        kept = await run_in_threadpool(store.add, body["label"], body["strokes"], body.get("set", DEFAULT_SET))
    except ValueError as error:
        raise HTTPException(422, str(error)) from None
    except FullError as error:
        raise HTTPException(409, str(error)) from None
    return JSONResponse(asdict(kept), 201)


@router.delete("/{drawing_id}", status_code=204, responses={404: {"model": Error}})
def delete(state: State, drawing_id: str) -> Response:
    """Remove a drawing."""
    try:
        state.drawings.delete(drawing_id)
    except UnknownDrawingError as error:
        raise HTTPException(404, str(error)) from None
    return Response(status_code=204)
