"""The user's own labelled drawings over HTTP."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import IO, Annotated, Any, Literal, TypeVar

import numpy as np
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.data import from_strokes
from app.data.drawings.drawing import DEFAULT_SET, Drawing, check_set_name
from app.data.drawings.export import as_json, read_json_export, write_zip
from app.data.drawings.store import DrawingSet, FullError, SetExistsError, UnknownDrawingError
from app.errors import RequestError, message_of
from app.nn import abbreviate
from app.web.api.images import encoded
from app.web.api.request_body import json_body, read_json
from app.web.dependencies import State, services
from app.web.errors import Error
from app.web.preferences import LocalizedRoute

router = APIRouter(prefix="/api/drawings", tags=["drawings"], route_class=LocalizedRoute)

MOST_DAMAGED = 100
"""Damaged files that are named one by one."""

CHUNK = 64 * 1024
IN_MEMORY = 8 * 2**20
"""Bytes of a zip beyond which it is written to the disk."""

_KEYS = {"label", "strokes", "set"}
T = TypeVar("T")
_OPENAPI: dict[str, Any] = json_body(
    {
        "type": "object",
        "required": ["label", "strokes"],
        "additionalProperties": False,
        "properties": {
            "label": {"type": "string", "minLength": 1, "maxLength": 64},
            "strokes": {"description": "[[[x, y], ...], ...] in any unit, y down", "type": "array"},
            "set": {"type": "string", "default": DEFAULT_SET, "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"},
        },
    }
)


_RELABEL: dict[str, Any] = json_body(
    {
        "type": "object",
        "required": ["label"],
        "additionalProperties": False,
        "properties": {"label": {"type": "string", "minLength": 1, "maxLength": 64}},
    }
)


_DECLARE: dict[str, Any] = json_body(
    {
        "type": "object",
        "required": ["labels"],
        "additionalProperties": False,
        "properties": {
            "labels": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 1000},
            "add": {"type": "boolean", "default": False},
        },
    }
)


@router.get("")
def drawings(
    state: State,
    set_name: Annotated[str | None, Query(alias="set")] = None,
    label: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: str | None = None,
    pixels: bool = False,
) -> dict[str, Any]:
    """The drawings, newest first; the sets with their counts; and files that are damaged, with the reason.

    With `pixels` each drawing also has what a network sees of it: base64 of 784 bytes, 255 is ink, row by row.
    """
    store = state.drawings
    try:
        page = store.page(set_name, label, limit, before)
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None
    sets = store.sets()
    damaged = [asdict(file) for one in sets for file in one.damaged]
    return {
        "drawings": [asdict(drawing) | ({"pixels": _seen(drawing)} if pixels else {}) for drawing in page.drawings],
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
        raise RequestError(422, "expected an object with label, strokes and optionally set; got {got}", got=came)
    store = services(request).drawings
    kept = await run_in_threadpool(
        _checked, lambda: store.add(body["label"], body["strokes"], body.get("set", DEFAULT_SET))
    )
    return JSONResponse(asdict(kept), 201)


@router.get("/export", responses={404: {"model": Error}, 422: {"model": Error}})
def export(
    state: State,
    kind: Annotated[Literal["json", "png"], Query(alias="format")] = "json",
    set_name: Annotated[str | None, Query(alias="set")] = None,
) -> Response:
    """One set or all: their strokes as JSON, which an import takes, or a zip of PNGs of what a network sees of each."""
    store = state.drawings
    names = [one.name for one in store.sets() if one.count]
    if set_name is not None:
        _checked(lambda: check_set_name(set_name))
        names = [name for name in names if name == set_name]
    if not names:
        raise RequestError(404, "there are no drawings to export")
    suffix, media_type = {"json": ("json", "application/json"), "png": ("zip", "application/zip")}[kind]
    headers = {"content-disposition": f'attachment; filename="drawings{f"-{set_name}" if set_name else ""}.{suffix}"'}
    if kind == "json":
        return StreamingResponse(as_json(store, names), media_type=media_type, headers=headers)
    packed = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  # closed when it has been sent
    try:
        write_zip(store, names, packed)
    except BaseException:
        packed.close()
        raise
    headers["content-length"] = str(packed.tell())
    return StreamingResponse(_pieces(packed), media_type=media_type, headers=headers)


@router.post(
    "/import",
    status_code=201,
    openapi_extra=json_body({"type": "object"}),
    responses={409: {"model": Error}, 413: {"model": Error}, 422: {"model": Error}, 507: {"model": Error}},
)
async def take_in(
    request: Request, state: State, set_name: Annotated[str | None, Query(alias="set")] = None
) -> dict[str, Any]:
    """Keep the drawings of an export, all of them or none; in the sets that they name, or in `set`."""
    body = await read_json(request)

    def keep() -> dict[str, Any]:
        drawings = read_json_export(body, None if set_name is None else check_set_name(set_name))
        state.drawings.add_all(drawings)
        return {"imported": len(drawings), "sets": sorted({drawing.set for drawing in drawings})}

    return await run_in_threadpool(_checked, keep)


@router.get("/sets/{name}", responses={422: {"model": Error}})
def find_set(state: State, name: str) -> dict[str, Any]:
    """A set: how many drawings it has of each label, and the labels that were declared for it."""
    return _told(_checked(lambda: state.drawings.find_set(name)))


@router.put(
    "/sets/{name}",
    openapi_extra=_DECLARE,
    responses={409: {"model": Error}, 422: {"model": Error}, 507: {"model": Error}},
)
async def declare(request: Request, state: State, name: str) -> dict[str, Any]:
    """Say which `labels` a set is to have, before it is drawn; 409 where it has drawings, unless `add` is true."""
    body = await read_json(request)
    if not isinstance(body, dict) or not {"labels"} <= set(body) <= {"labels", "add"}:
        raise RequestError(
            422, "expected an object with labels and optionally add; got {value}", value=abbreviate(body)
        )
    add = body.get("add", False)
    if not isinstance(add, bool):
        raise RequestError(422, "expected true or false; got {value}", field="add", value=abbreviate(add))
    found = await run_in_threadpool(_checked, lambda: state.drawings.create_set(name, body["labels"], add=add))
    return _told(found)


@router.delete(
    "/sets/{name}", status_code=204, responses={404: {"model": Error}, 409: {"model": Error}, 422: {"model": Error}}
)
def undeclare(state: State, name: str) -> Response:
    """Remove a set that was declared, and has no drawings; 409 where it has some."""
    _checked(lambda: state.drawings.undeclare(name))
    return Response(status_code=204)


@router.patch(
    "/{drawing_id}",
    response_model=Drawing,
    openapi_extra=_RELABEL,
    responses={404: {"model": Error}, 422: {"model": Error}, 507: {"model": Error}},
)
async def relabel(request: Request, state: State, drawing_id: str) -> Response:
    """Give a drawing another label."""
    body = await read_json(request)
    if not isinstance(body, dict) or set(body) != {"label"}:
        raise RequestError(422, "expected an object with only label; got {value}", value=abbreviate(body))
    drawing = await run_in_threadpool(_checked, lambda: state.drawings.relabel(drawing_id, body["label"]))
    return JSONResponse(asdict(drawing))


@router.delete("/{drawing_id}", status_code=204, responses={404: {"model": Error}})
def delete(state: State, drawing_id: str) -> Response:
    """Remove a drawing."""
    _checked(lambda: state.drawings.delete(drawing_id))
    return Response(status_code=204)


def _told(found: DrawingSet) -> dict[str, Any]:
    return {"name": found.name, "count": found.count, "labels": found.labels, "declared": list(found.declared)}


def _checked(action: Callable[[], T]) -> T:
    try:
        return action()
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None
    except UnknownDrawingError as error:
        raise RequestError(404, message_of(error)) from None
    except (FullError, SetExistsError) as error:
        raise RequestError(409, message_of(error)) from None


def _seen(drawing: Drawing) -> str:
    return encoded(np.rint(from_strokes(drawing.strokes).pixels * 255).astype(np.uint8))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """A file from its beginning on, closed at the end."""
    with file:
        file.seek(0)
        while piece := file.read(CHUNK):
            yield piece
