"""Image sets of the user: uploaded, looked through, and saved under a name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.data import DatasetInfo, DatasetUnavailable
from app.data.drawings.drawing import SET_NAME
from app.data.images.preview import ImageSetPreview
from app.data.images.store import Draft, ImageSetStore
from app.errors import RequestError, message_of
from app.web.api.datasets import Name
from app.web.api.images import encoded
from app.web.api.request_body import save_body
from app.web.api.routing import ApiRoute, RequestBody, ResponseBody, errors
from app.web.dependencies import CapacityDep, CatalogDep, ImagesDep
from app.web.middleware.limits import Capacity
from app.web.preferences import AnswerLanguage

router = APIRouter(tags=["datasets"], route_class=ApiRoute)

MOST_UNREAD = 100
"""Files that are named one by one."""

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/zip": _BINARY, "text/csv": _BINARY, "application/octet-stream": _BINARY},
    }
}
UploadId = Annotated[str, Path(max_length=64)]


class UnreadEntry(ResponseBody):
    """A file that is not part of the set, and the reason."""

    name: str
    reason: str


class SampleEntry(ResponseBody):
    """An image and how it is prepared: `pixels` is base64 of 784 bytes, 255 is ink, row by row.

    Of a file also its `name`, and `original`, base64 of the grey tones of a square, 0 is black, with `remarks` on what
    was done.
    """

    label: str
    pixels: str
    name: str | None
    original: str | None
    remarks: list[str]


class UploadSummary(ResponseBody):
    """The images that were read, by label, to train on and to test with; and how many files were not, the first ones
    with the reason."""

    labels: list[str]
    counts: dict[str, int]
    train: int
    test: int
    unread: int
    unread_files: list[UnreadEntry]
    notes: list[str]


class UploadPreview(UploadSummary):
    """An upload that is not saved yet, with some images of each label."""

    id: str
    samples: list[SampleEntry]


class SavedUpload(UploadSummary):
    """An upload that is the data set `name` now."""

    name: str


class SaveRequest(RequestBody):
    """The name of a new set."""

    name: Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{SET_NAME.pattern}$"})]


@router.post("/api/uploads", status_code=201, openapi_extra=_FILE, responses=errors(408, 413, 415, 422, 503, 507))
async def upload(request: Request, images: ImagesDep, capacity: CapacityDep, language: AnswerLanguage) -> UploadPreview:
    """Upload images to look through before they are saved: a zip of a folder of images for each label, of a CSV table
    or of IDX files; a CSV table with a label and 784 pixels in each line; or an .npz file.

    It is removed if it is not saved within a day.
    """
    async with _received(request, images, capacity) as (draft, found):
        samples = [
            SampleEntry(
                label=sample.label,
                pixels=encoded(sample.pixels),
                name=sample.name,
                original=None if sample.original is None else encoded(sample.original),
                remarks=[language.translate(remark) for remark in sample.remarks],
            )
            for sample in found.samples
        ]
        if await request.is_disconnected():
            raise RequestError(400, "expected the whole body; the connection ended before it arrived")
        return UploadPreview(id=draft.id, samples=samples, **_summary(found, language))


@router.post("/api/uploads/{upload_id}/save", status_code=201, responses=errors(404, 409, 422, 503, 507))
def save(images: ImagesDep, catalog: CatalogDep, upload_id: UploadId, body: SaveRequest) -> DatasetInfo:
    """Save an upload as the data set `images:NAME`; 409 where there is one of that name."""
    return catalog.line(images.save(upload_id, body.name))


@router.delete("/api/uploads/{upload_id}", status_code=204, response_class=Response, responses=errors(404))
def discard(images: ImagesDep, upload_id: UploadId) -> None:
    """Discard an upload."""
    images.discard(upload_id)


@router.put(
    "/api/datasets/images:{name}",
    status_code=201,
    openapi_extra=_FILE,
    responses=errors(408, 409, 413, 415, 422, 503, 507),
)
async def import_set(
    request: Request, images: ImagesDep, capacity: CapacityDep, language: AnswerLanguage, name: Name
) -> SavedUpload:
    """Save a file, as `POST /api/uploads` takes it, as the data set `images:NAME`; 409 where that name is taken."""
    await run_in_threadpool(images.check_free, name)
    async with _received(request, images, capacity) as (draft, found):
        saved = await run_in_threadpool(images.save, draft.id, name)
    return SavedUpload(name=saved, **_summary(found, language))


@router.delete("/api/datasets/images:{name}", status_code=204, response_class=Response, responses=errors(404, 422, 503))
def delete(images: ImagesDep, name: Name) -> None:
    """Delete a data set `images:NAME`."""
    try:
        images.delete(name)
    except DatasetUnavailable as error:
        raise RequestError(404, message_of(error)) from None


@asynccontextmanager
async def _received(
    request: Request, images: ImageSetStore, capacity: Capacity
) -> AsyncIterator[tuple[Draft, ImageSetPreview]]:
    """Receive an upload and look through it; on errors nothing of it is left."""
    with capacity.receive_upload():
        draft = await run_in_threadpool(images.create_draft)
        try:
            await save_body(request, draft.body)
            yield draft, await run_in_threadpool(images.prepare, draft)
        except BaseException:
            await asyncio.to_thread(images.drop, draft)
            raise


def _summary(found: ImageSetPreview, language: Any) -> dict[str, Any]:
    files = [UnreadEntry(name=file.name, reason=language.translate(file.reason)) for file in found.unread[:MOST_UNREAD]]
    return {
        "labels": list(found.counts),
        "counts": dict(found.counts),
        "train": found.train,
        "test": found.test,
        "unread": len(found.unread),
        "unread_files": files,
        "notes": [language.translate(note) for note in found.notes],
    }
