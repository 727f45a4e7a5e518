"""`POST /api/doctor`: a drawing before and after preprocessing, and what each step changes in the answer."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.data import PipelineSteps
from app.data.preprocessing.diagnose import STEP_TEXTS, USUAL_STROKE_WIDTH, Diagnosis, examine_image, examine_strokes
from app.errors import InputError, RequestError, message_of
from app.i18n.catalog import catalog
from app.models.responses import pixels_json, prediction_json
from app.nn import abbreviate
from app.web.api.predict import from_base64
from app.web.api.request_body import json_body, read_json
from app.web.dependencies import services
from app.web.errors import Error
from app.web.preferences import language_headers, language_of

router = APIRouter(prefix="/api/doctor", tags=["predict"])

LONGEST = 1e12
"""The longest canvas that is taken, in the strokes' unit."""

FIELDS = ("strokes", "image", "steps", "canvas", "brush")
STEPS = tuple(field.name for field in fields(PipelineSteps))


class StepsBody(BaseModel):
    """Which steps are taken; all of them unless said otherwise."""

    crop: bool = True
    scale: bool = True
    center: bool = True
    stroke_width: bool = True
    smooth: bool = True
    even_out: bool = True


class Change(BaseModel):
    """The answer with one step turned: left out if it was asked for, taken if it was not.

    `smooth` is there for noisy pictures alone, and `even_out` for those on which the light is uneven.
    """

    step: str
    title: str
    explanation: str
    input: list[list[float]]
    label: str | None
    probabilities: dict[str, float]
    is_digit: bool
    score: float | None


class FindingBody(BaseModel):
    """One of `sentences` in English and in parts: `text` names each of `values` in braces."""

    text: str
    values: dict[str, str]


class Findings(BaseModel):
    """`raw` is the drawing as it came, square; `stroke_width` is in pixels of `input`, null where that is blank."""

    model: str
    raw: list[list[float]]
    steps: StepsBody
    input: list[list[float]]
    label: str | None
    probabilities: dict[str, float]
    is_digit: bool
    score: float | None
    without: list[Change]
    stroke_width: float | None
    usual_stroke_width: float
    sentences: list[str]
    remarks: list[FindingBody]


_SIDES: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
_OPENAPI: dict[str, Any] = {
    "parameters": [
        {"name": "model", "in": "query", "schema": {"type": "string"}, "description": "the default if left out"}
    ],
    **json_body(
        {
            "type": "object",
            "properties": {
                "strokes": {"type": "array", "description": "[[[x, y], ...], ...] in any unit, y down"},
                "image": {"type": "string", "description": "a PNG or JPEG in base64, or a data URL"},
                "steps": {"type": "object", "properties": {name: {"type": "boolean"} for name in STEPS}},
                "canvas": {**_SIDES, "description": "the side of the canvas of the strokes, in their unit"},
                "brush": {**_SIDES, "description": "the width of the pen, in the strokes' unit"},
            },
        }
    ),
}


@router.post(
    "",
    openapi_extra=_OPENAPI,
    responses={200: {"model": Findings}, 422: {"model": Error}, 404: {"model": Error}},
)
async def doctor(request: Request) -> Response:
    """Show a drawing, strokes or an image, before and after preprocessing, with each step left out in turn."""
    predictor = services(request).predictors.get(request.query_params.get("model"))
    body = await read_json(request)
    try:
        found, steps = await run_in_threadpool(_examine, body)
    except ValueError as error:
        raise RequestError(422, message_of(error)) from None
    language = language_of(request)
    words = catalog(language)

    def texts(step: str) -> dict[str, str]:
        return {key: words.translate(text) for key, text in STEP_TEXTS[step].items()}

    said = predictor.predict([found.prepared, *found.without.values()])
    without = [
        {"step": name, **texts(name), **prediction_json(one, image, with_input=True)}
        for (name, image), one in zip(found.without.items(), said[1:], strict=True)
    ]
    return JSONResponse(
        {
            "model": predictor.card.name,
            "raw": pixels_json(found.raw),
            "steps": asdict(steps),
            **prediction_json(said[0], found.prepared, with_input=True),
            "without": without,
            "stroke_width": None if found.stroke_width is None else round(found.stroke_width, 2),
            "usual_stroke_width": USUAL_STROKE_WIDTH,
            "sentences": [words.translate(remark) for remark in found.remarks],
            "remarks": [{"text": remark.template, "values": dict(remark.values)} for remark in found.remarks],
        },
        headers=language_headers(language),
    )


def _examine(body: object) -> tuple[Diagnosis, PipelineSteps]:
    """Raises ValueError that says what was expected and what came."""
    if not isinstance(body, Mapping):
        raise InputError("expected an object with strokes or image; got {type}", type=type(body).__name__)
    unknown = [name for name in body if name not in FIELDS]
    if unknown:
        raise InputError("unknown field; expected {names}", field=repr(str(unknown[0])[:80]), names=", ".join(FIELDS))
    forms = [name for name in ("strokes", "image") if name in body]
    if len(forms) != 1:
        raise InputError("expected either strokes or image; got {value}", value=" and ".join(forms) or "neither")
    steps = _steps(body.get("steps", {}))
    side, brush = (_length(body, name) for name in ("canvas", "brush"))
    if forms == ["strokes"]:
        return examine_strokes(body["strokes"], steps, side=side, brush=brush), steps
    if side is not None or brush is not None:
        raise InputError("canvas, brush: expected only with strokes; got an image")
    return examine_image(from_base64(body["image"]), steps), steps


def _steps(value: object) -> PipelineSteps:
    if not isinstance(value, Mapping):
        raise InputError("expected an object; got {type}", field="steps", type=type(value).__name__)
    for name, chosen in value.items():
        if name not in STEPS:
            raise InputError(
                "expected {names}; got {value}", field="steps", names=", ".join(STEPS), value=repr(str(name)[:80])
            )
        if not isinstance(chosen, bool):
            raise InputError("expected true or false; got {type}", field=f"steps.{name}", type=type(chosen).__name__)
    return PipelineSteps(**value)


def _length(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LONGEST:
        raise InputError(
            "expected a number above 0, at most {longest}; got {value}",
            field=name,
            longest=f"{LONGEST:g}",
            value=abbreviate(value),
        )
    return float(value)
