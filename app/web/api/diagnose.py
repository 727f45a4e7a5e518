"""`POST /api/doctor`: a drawing before and after preprocessing, and what each step changes in the answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, WithJsonSchema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.data import PipelineSteps
from app.data.preprocessing.diagnose import STEP_TEXTS, USUAL_STROKE_WIDTH, Diagnosis, examine_image, examine_strokes
from app.errors import InputError
from app.models.responses import pixels_json, prediction_json
from app.web.api.drawings.drawings import StrokesBody
from app.web.api.predict import from_base64
from app.web.api.routing import ApiRoute, RequestBody, ResponseBody, errors
from app.web.dependencies import PredictorsDep, PreparationDep
from app.web.preferences import AnswerLanguage, language_headers

router = APIRouter(prefix="/api/doctor", tags=["predict"], route_class=ApiRoute)

LONGEST = 1e12
"""The longest canvas that is taken, in the strokes' unit."""


class StepChoice(RequestBody):
    """The steps to take; all of them by default."""

    crop: bool = True
    scale: bool = True
    center: bool = True
    stroke_width: bool = True
    smooth: bool = True
    even_out: bool = True
    clear: bool = True


class Change(ResponseBody):
    """The answer with one step turned: left out if it was asked for, taken if it was not.

    `smooth` is there for noisy pictures alone, `even_out` for those on which the light is uneven, and
    `clear` for those with lines or other things beside the digit.
    """

    step: str
    title: str
    explanation: str
    input: list[list[float]]
    label: str | None
    probabilities: dict[str, float]
    is_digit: bool
    score: float | None


class FindingBody(ResponseBody):
    """One of `sentences` in English and in parts: `text` names each of `values` in braces."""

    text: str
    values: dict[str, Any]


class Findings(ResponseBody):
    """`raw` is the drawing as it came, square; `stroke_width` is in pixels of `input`, null where that is blank."""

    model: str
    raw: list[list[float]]
    steps: StepChoice
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


Length = Annotated[float, Field(gt=0, le=LONGEST)]


ImageBody = Annotated[Any, WithJsonSchema({"type": "string", "description": "a PNG or JPEG in base64, or a data URL"})]


class DiagnosisRequest(RequestBody):
    """Strokes with, in their unit, the side of their canvas and the width of their pen; or an image."""

    strokes: StrokesBody = None
    image: ImageBody = None
    steps: StepChoice = StepChoice()
    canvas: Length | None = None
    brush: Length | None = None


@router.post("", responses=errors(404, 422) | {200: {"model": Findings}})
async def diagnose(
    request: Request,
    predictors: PredictorsDep,
    threads: PreparationDep,
    language: AnswerLanguage,
    body: DiagnosisRequest,
    model: Annotated[str | None, Query(description="the default if left out")] = None,
) -> Response:
    """Show a drawing, strokes or an image, before and after preprocessing, with each step left out in turn."""
    predictor = predictors.get(model)
    found = await threads.run(request, lambda: _examine(body))
    said = predictor.predict([found.prepared, *found.without.values()])
    without = [
        {
            "step": name,
            **{key: language.translate(text) for key, text in STEP_TEXTS[name].items()},
            **prediction_json(one, image, with_input=True),
        }
        for (name, image), one in zip(found.without.items(), said[1:], strict=True)
    ]
    return JSONResponse(
        {
            "model": predictor.card.name,
            "raw": pixels_json(found.raw),
            "steps": body.steps.model_dump(),
            **prediction_json(said[0], found.prepared, with_input=True),
            "without": without,
            "stroke_width": None if found.stroke_width is None else round(found.stroke_width, 2),
            "usual_stroke_width": USUAL_STROKE_WIDTH,
            "sentences": [language.translate(remark) for remark in found.remarks],
            "remarks": [{"text": remark.template, "values": dict(remark.values)} for remark in found.remarks],
        },
        headers=language_headers(language.language),
    )


def _examine(body: DiagnosisRequest) -> Diagnosis:
    forms = [name for name in ("strokes", "image") if name in body.model_fields_set]
    if len(forms) != 1:
        raise InputError("expected exactly one of strokes and image; got {count}", count=len(forms))
    steps = PipelineSteps(**body.steps.model_dump())
    if forms == ["strokes"]:
        return examine_strokes(body.strokes, steps, side=body.canvas, brush=body.brush)
    for name in ("canvas", "brush"):
        if getattr(body, name) is not None:
            raise InputError("expected only with strokes; got an image", field=name)
    data = from_base64(body.image)
    try:
        return examine_image(data, steps)
    except InputError as error:
        raise error.within("image") from None
