"""`POST /predict`: what a model says of a drawing, however it comes."""

import base64
import binascii
import re
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app.data import PreparedDrawing, drawing_from_image, drawing_from_strokes, from_pixels
from app.data.preprocessing.decode import is_picture
from app.errors import InputError, RequestError, message_of
from app.models import Predictor
from app.models.cost import QUICK_WORK, check_affordable
from app.models.responses import predict_drawings, to_response
from app.nn import abbreviate
from app.web.api.request_body import parse_json, read_body, read_form
from app.web.api.routing import ResponseBody, errors
from app.web.dependencies import app_state
from app.web.prometheus.counters import PredictionTimer, outcome_of

router = APIRouter(tags=["predict"])

LARGEST_BATCH = 256
AREA_AT_ONCE = 50_000_000
"""Pixels of all pictures of a request: each is decoded in turn, and a few kilobytes can hold twenty million."""
POINTS_AT_ONCE = 300_000
"""Points of all strokes of a request, a second and a half of one processor."""
TURN_SECONDS = 0.1
"""The time after which the drawings of one request make room for those of others."""
JSON_TYPES = ("application/json", "application/x-www-form-urlencoded")
"""The second is what `curl -d` says unless it is told otherwise; a picture of that type, or of none, is read as one."""

IMAGE_TYPES = ("image/png", "image/jpeg")
OTHER_IMAGE_TYPES = ("image/jpg", "application/octet-stream")

_TO_STANDARD = str.maketrans("-_", "+/", "\r\n\t")
"""From base64 for addresses, without line breaks."""

_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")


class Digit(ResponseBody):
    """One of several digits; `box` is left, top, width and height in the drawing's own unit."""

    box: list[float]
    label: str | None
    probabilities: dict[str, float]
    is_digit: bool
    score: float | None
    input: list[list[float]] | None = None


class Answer(ResponseBody):
    """`label` is null where the drawing is blank; `input`, 28 rows of 28, comes only when it is asked for.

    `is_digit` is false where it does not look like what the model was trained on: `score`, 0 to 1, which is larger the
    more it does, is below the model's threshold, or the drawing falls into several. Then `digits` has each of them,
    from left to right, and `reading` what they say, "?" for one that does not look like a digit. `score` is null in
    models without one.
    """

    label: str | None
    probabilities: dict[str, float]
    blank: bool
    is_digit: bool
    score: float | None
    model: str
    input: list[list[float]] | None = None
    digits: list[Digit] | None = None
    reading: str | None = None


_DRAWING: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "required": ["pixels"],
            "properties": {
                "pixels": {
                    "description": "28 rows of 28, or 784 numbers: 0 is paper, 1 is ink; as they are, but for noise",
                    "type": "array",
                }
            },
        },
        {
            "type": "object",
            "required": ["strokes"],
            "properties": {
                "strokes": {"description": "[[[x, y], ...], ...] in any unit, y down", "type": "array"},
            },
        },
        {
            "type": "object",
            "required": ["image"],
            "properties": {"image": {"description": "a PNG or JPEG in base64, or a data URL", "type": "string"}},
        },
    ]
}
_OPENAPI: dict[str, Any] = {
    "parameters": [
        {"name": "model", "in": "query", "schema": {"type": "string"}, "description": "the default if left out"},
        {"name": "input", "in": "query", "schema": {"type": "boolean"}, "description": "send the 28×28 as well"},
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [*_DRAWING["oneOf"], {"type": "array", "items": _DRAWING, "maxItems": 256}]}
            },
            **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in IMAGE_TYPES},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    },
}


@router.post(
    "/predict",
    openapi_extra=_OPENAPI,
    responses=errors(404, 409, 413, 415, 422) | {200: {"model": Answer | list[Answer]}},
)
async def predict(request: Request) -> Response:
    """Read a drawing: pixels, strokes, an image, a list of up to 256 of them, or an image file itself."""
    with PredictionTimer(app_state(request).counters) as reading:
        return await _predict(request, reading)


async def _predict(request: Request, reading: PredictionTimer) -> Response:
    with_input = _flag(request, "input")
    services = app_state(request)
    predictor, threads = services.predictors.get(request.query_params.get("model")), services.preparation
    reading.model = predictor.card.name
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower() or JSON_TYPES[0]
    body = await _body(request, kind)
    as_json = kind in JSON_TYPES and not is_picture(body)
    if as_json:
        data = parse_json(body)
        drawings = data if isinstance(data, list) else [data]
        if not 0 < len(drawings) <= LARGEST_BATCH:
            raise RequestError(
                422,
                "expected a list of 1 to {most} drawings; got {count}",
                most=LARGEST_BATCH,
                count=len(drawings),
            )
        images: list[PreparedDrawing] = []
        if _is_light(drawings):
            _prepare(drawings, images, isinstance(data, list))
        while len(images) < len(drawings):
            await threads.run(request, partial(_prepare, drawings, images, isinstance(data, list)))
    else:
        images = [await threads.run(request, partial(drawing_from_image, body))]
    answering = partial(_answers, predictor, images, with_input, reading)
    count = sum(1 + len(image.parts) for image in images)
    check_affordable(predictor.card.name, predictor.cost, count)
    answers = answering() if predictor.cost * count < QUICK_WORK else await run_in_threadpool(answering)
    single = not as_json or not isinstance(data, list)
    return Response(to_json(answers[0] if single else answers), media_type="application/json")


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false").lower()
    if value not in ("true", "false", "1", "0"):
        raise RequestError(422, "expected true or false; got {value}", field=name, value=repr(value[:20]))
    return value in ("true", "1")


def _is_light(drawings: list[Any]) -> bool:
    """Return True if preparing takes less time than handing it to a thread."""
    return len(drawings) == 1 and isinstance(drawings[0], dict) and "pixels" in drawings[0]


def _prepare(drawings: list[Any], images: list[PreparedDrawing], listed: bool) -> None:
    """Add to `images` what comes next of `drawings`, for the time of a turn."""
    area, end = sum(image.area for image in images), time.monotonic() + TURN_SECONDS
    points = sum(map(_points, drawings[: len(images)]))
    while len(images) < len(drawings) and time.monotonic() < end:
        index = len(images)
        if area > AREA_AT_ONCE:
            raise RequestError(
                413, "expected images of at most {most} megapixels in total; got more", most=AREA_AT_ONCE // 10**6
            )
        if points > POINTS_AT_ONCE:
            raise RequestError(
                413, "expected strokes of at most {most} points in total; got more", most=f"{POINTS_AT_ONCE:,}"
            )
        try:
            images.append(prepare_one(drawings[index]))
            area += images[-1].area
            points += _points(drawings[index])
        except ValueError as error:
            message = message_of(error)
            raise RequestError(422, message.within(f"[{index}]") if listed else message) from None


def _points(drawing: Mapping[str, Any]) -> int:
    """The points of a drawing that has been prepared."""
    return sum(map(len, drawing.get("strokes", ())))


def prepare_one(drawing: object) -> PreparedDrawing:
    """A drawing in one of the forms that /predict takes. Raises ValueError for anything else."""
    forms = {"pixels": _from_pixels, "strokes": drawing_from_strokes, "image": _from_image}
    if not isinstance(drawing, Mapping) or len(drawing) != 1 or next(iter(drawing)) not in forms:
        raise InputError(
            "expected an object with one of pixels, strokes and image; got {value}", value=abbreviate(drawing)
        )
    ((form, value),) = drawing.items()
    return forms[form](value)


def _from_pixels(value: object) -> PreparedDrawing:
    return PreparedDrawing(from_pixels(value))


def _from_image(value: object) -> PreparedDrawing:
    data = from_base64(value)
    try:
        return drawing_from_image(data)
    except InputError as error:
        raise error.within("image") from None


def from_base64(value: object) -> bytes:
    """The bytes of an image that came as base64 or as a data URL. Raises ValueError for anything else.

    Base64 may have line breaks, lack its padding, or have the alphabet for addresses (RFC 4648, section 5).
    """
    if not isinstance(value, str):
        raise InputError("expected base64 or a data URL; got {value}", field="image", value=abbreviate(value))
    encoded = value.strip()
    if encoded[:5].lower() == "data:":
        encoded = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), encoded.partition(",")[2]).strip()
    encoded = encoded.translate(_TO_STANDARD).rstrip("=")
    if " " in encoded:
        raise InputError(
            "expected base64; got blanks in it, as where a form was decoded, which makes + a blank: send + as %2B",
            field="image",
        )
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(
            "expected base64 or a data URL; got other characters, or an end that is cut off", field="image"
        ) from None


async def _body(request: Request, kind: str) -> bytes:
    """The body, or the image in a form."""
    if kind in (*JSON_TYPES, *IMAGE_TYPES, *OTHER_IMAGE_TYPES):
        return await read_body(request)
    if kind != "multipart/form-data":
        expected = ", ".join(("application/json", *IMAGE_TYPES, "multipart/form-data"))
        raise RequestError(415, "expected a body of {types}; got {type}", types=expected, type=repr(kind[:80]))
    async with read_form(request) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise RequestError(422, "expected the image in a field named file; got none")
        return await file.read()


def _answers(
    predictor: Predictor, sheets: list[PreparedDrawing], with_input: bool, reading: PredictionTimer
) -> list[dict[str, Any]]:
    """The answer to each sheet; all drawings on all of them are read at once."""
    said, of_parts = predict_drawings(predictor, sheets)
    reading.came_to(outcome_of(whole, parts=bool(sheet.parts)) for sheet, whole in zip(sheets, said, strict=True))
    return [
        to_response(sheet, whole, parts, model=predictor.card.name, with_input=with_input)
        for sheet, whole, parts in zip(sheets, said, of_parts, strict=True)
    ]
