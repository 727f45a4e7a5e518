"""The user's own labelled drawings."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO, Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query
from pydantic import ConfigDict, WithJsonSchema
from starlette.responses import Response, StreamingResponse

from app.data import from_strokes
from app.data.drawings.drawing import DEFAULT_SET, SET_NAME, Drawing, check_set_name
from app.data.drawings.export import as_json, read_json_export, write_zip
from app.data.drawings.store import DamagedDrawing, DrawingSet
from app.errors import RequestError
from app.web.api.images import encoded
from app.web.api.routing import ApiRoute, RequestBody, ResponseBody, errors
from app.web.dependencies import DrawingsDep, InvitationsDep

router = APIRouter(prefix="/api/drawings", tags=["drawings"], route_class=ApiRoute)

MOST_DAMAGED = 100
"""Damaged files that are named one by one."""

CHUNK = 64 * 1024
IN_MEMORY = 8 * 2**20
"""Bytes of a zip beyond which it is written to the disk."""

SetName = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{SET_NAME.pattern}$"})]
StrokesBody = Annotated[
    Any, WithJsonSchema({"type": "array", "description": "[[[x, y], ...], ...] in any unit, y down"})
]


class SetDrawing(RequestBody):
    """A drawing with its label; one that is sent again with the same `key`, a random text, is saved once."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"label": "7", "strokes": [[[0, 0], [9, 0], [4, 12]]]}]})

    label: str
    strokes: StrokesBody
    key: str | None = None


class LabelledDrawing(SetDrawing):
    """A drawing with its label, and the set that it is for."""

    set: SetName = DEFAULT_SET


class LabelChange(RequestBody):
    """Another label for a drawing."""

    label: str


class SetRequest(RequestBody):
    """The labels that a set is to have; with `add` they may join those of a set that has drawings."""

    labels: list[str]
    add: bool = False


class SetSummary(ResponseBody):
    """A set, and how many drawings it has of each label."""

    name: str
    count: int
    labels: dict[str, int]


class SetDetails(SetSummary):
    """`declared` are the labels that it was made with."""

    declared: list[str]


class SetList(ResponseBody):
    """The sets, by name."""

    sets: list[SetDetails]


class ListedDrawing(ResponseBody):
    """A drawing; `pixels`, if asked for, is the network's input as base64 of 784 bytes, 255 is ink, row by row."""

    id: str
    label: str
    strokes: list[list[list[float]]]
    set: str
    created: str
    pixels: str | None = None


class DrawingList(ResponseBody):
    """Drawings, the sets that there are, and damaged files; `next` is the `before` of the next page."""

    drawings: list[ListedDrawing]
    sets: list[SetSummary]
    damaged: list[DamagedDrawing]
    next: str | None


class ImportResult(ResponseBody):
    """The number of imported drawings, and their sets."""

    imported: int
    sets: list[str]


@router.get("", response_model=DrawingList, response_model_exclude_unset=True, responses=errors(422))
def drawings(
    store: DrawingsDep,
    set_name: Annotated[str | None, Query(alias="set")] = None,
    label: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: str | None = None,
    pixels: bool = False,
) -> dict[str, Any]:
    """The drawings, newest first; the sets with their counts; and files that are damaged, with the reason."""
    page, sets = store.page(set_name, label, limit, before), store.sets()
    damaged = [asdict(file) for one in sets for file in one.damaged]
    return {
        "drawings": [asdict(drawing) | ({"pixels": _pixels(drawing)} if pixels else {}) for drawing in page.drawings],
        "sets": [{"name": one.name, "count": one.count, "labels": one.labels} for one in sets],
        "damaged": damaged[:MOST_DAMAGED],
        "next": page.next,
    }


@router.post("", status_code=201, responses=errors(409, 422, 507))
def add(store: DrawingsDep, body: LabelledDrawing) -> Drawing:
    """Save a drawing with its label in one of the user's sets."""
    return store.add(body.label, body.strokes, body.set, key=body.key)


_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_FILES = errors(404, 422) | {
    200: {"content": {"application/json": {"schema": {"type": "object"}}, "application/zip": {"schema": _FILE}}}
}


@router.get("/export", response_class=StreamingResponse, responses=_FILES)
def export(
    store: DrawingsDep,
    kind: Annotated[Literal["json", "png"], Query(alias="format")] = "json",
    set_name: Annotated[str | None, Query(alias="set")] = None,
) -> Response:
    """One set or all: their strokes as JSON, which an import takes, or a zip of the networks' inputs as PNGs."""
    names = [one.name for one in store.sets() if one.count]
    if set_name is not None:
        check_set_name(set_name)
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


@router.post("/import", status_code=201, responses=errors(409, 413, 422, 507))
def import_drawings(
    store: DrawingsDep, body: dict[str, Any], set_name: Annotated[str | None, Query(alias="set")] = None
) -> ImportResult:
    """Save the drawings of an export, all of them or none; in the sets that they name, or in `set`."""
    drawings = read_json_export(body, None if set_name is None else check_set_name(set_name))
    store.add_all(drawings)
    return ImportResult(imported=len(drawings), sets=sorted({drawing.set for drawing in drawings}))


@router.get("/sets")
def list_sets(store: DrawingsDep) -> SetList:
    """The sets that have drawings, or labels that were chosen for them."""
    return SetList(sets=[details(one) for one in store.sets()])


@router.get("/sets/{name}", responses=errors(422))
def find_set(store: DrawingsDep, name: str) -> SetDetails:
    """A set: how many drawings it has of each label, and the labels that it was made with."""
    return details(store.find_set(name))


@router.put("/sets/{name}", responses=errors(409, 422, 507))
def create_set(store: DrawingsDep, name: str, body: SetRequest) -> SetDetails:
    """Choose the `labels` of a set before it is drawn; 409 where it has drawings, unless `add` is true."""
    return details(store.create_set(name, body.labels, add=body.add))


@router.post("/sets/{name}/drawings", status_code=201, responses=errors(404, 409, 422, 507))
def add_to_set(store: DrawingsDep, name: str, body: SetDrawing) -> Drawing:
    """Save a drawing in a set that there is, with one of its labels: all that an invitation allows."""
    return store.add(body.label, body.strokes, name, key=body.key, among=True)


@router.delete("/sets/{name}", status_code=204, response_class=Response, responses=errors(404, 409, 422))
def delete_set(store: DrawingsDep, invitations: InvitationsDep, name: str, drawings: bool = False) -> None:
    """Delete a set, and end its invitation; 409 where it has drawings, unless `drawings` is true."""
    store.undeclare(name, with_drawings=drawings)
    invitations.end(name)


@router.patch("/{drawing_id}", responses=errors(404, 422, 507))
def relabel(store: DrawingsDep, drawing_id: str, body: LabelChange) -> Drawing:
    """Give a drawing another label."""
    return store.relabel(drawing_id, body.label)


@router.delete("/{drawing_id}", status_code=204, response_class=Response, responses=errors(404))
def delete(store: DrawingsDep, drawing_id: str) -> None:
    """Delete a drawing."""
    store.delete(drawing_id)


def details(found: DrawingSet) -> SetDetails:
    """A set as the calls of the API give it."""
    return SetDetails(name=found.name, count=found.count, labels=found.labels, declared=list(found.declared))


def _pixels(drawing: Drawing) -> str:
    return encoded(np.rint(from_strokes(drawing.strokes).pixels * 255).astype(np.uint8))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    """Read a file from its beginning, and close it at the end."""
    with file:
        file.seek(0)
        while piece := file.read(CHUNK):
            yield piece
