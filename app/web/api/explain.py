"""`/api/explain/...`: a model's numbers for one drawing, on the way there, on the way back, and where it looks.

Nothing here changes a model: every answer is computed on a network of its own, which is dropped with it.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.errors import InputError, RequestError, message_of
from app.learn.inspection import backward as back
from app.learn.inspection import forward as there
from app.learn.inspection import numerical_gradient as difference
from app.learn.inspection import optimizer_step as stepping
from app.learn.inspection import saliency
from app.learn.inspection.neuron import neuron as one_neuron
from app.learn.inspection.subject import InspectedNetwork, TooLargeError, open_subject
from app.models.responses import pixels_json
from app.nn import abbreviate
from app.web.api.predict import prepare_one
from app.web.api.request_body import json_body, parse_json, read_body
from app.web.dependencies import AppState, State
from app.web.errors import Error

router = APIRouter(prefix="/api/explain", tags=["explain"])

LARGEST = 2**31 - 1
DOUBLE = "float64"
Number = Annotated[int, Field(ge=0, le=LARGEST)]
LabelText = Annotated[str, Field(min_length=1, max_length=64)]


class Drawn(BaseModel):
    """A drawing as /predict takes it (`pixels`, `strokes` or `image`), and a model; the default where none is named."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    drawing: dict[str, Any]
    model: Annotated[str, Field(max_length=64)] | None = None


class LayerRequest(Drawn):
    """`first` is the unit or the map that the picture begins with."""

    layer: Number
    first: Number = 0


class UnitRequest(Drawn):
    """A number of a layer's output: `unit` is its place in C order."""

    layer: Number
    unit: Number


class LabelRequest(Drawn):
    """`label` is what the drawing is meant to be."""

    label: LabelText


class DeltaRequest(LabelRequest):
    layer: Number
    unit: Number


class NumericalRequest(LabelRequest):
    """The numbers of the array `parameter` of a layer at `places` (C order), or `random` of them, drawn by `seed`."""

    layer: Number
    parameter: Annotated[str, Field(max_length=64)] = "weight"
    places: Annotated[list[Number], Field(max_length=difference.MOST_PLACES)] | None = None
    random: Annotated[int, Field(ge=1, le=difference.MOST_PLACES)] = 5
    seed: Number = 0


class StepRequest(LabelRequest):
    """`optimizer` as in a run's config; `layer` and `unit`, both or none, name weights to show before and after."""

    optimizer: dict[str, Any]
    steps: Annotated[int, Field(ge=0, le=stepping.MOST_STEPS)] = 1
    layer: Number | None = None
    unit: Number | None = None


class LookRequest(Drawn):
    """`label` is the one whose reasons are asked for; what the network says where it is left out."""

    label: LabelText | None = None


class OcclusionRequest(LookRequest):
    """A square of `size` × `size` pixels painted with `fill`, 0 is paper and 1 is ink."""

    size: Annotated[int, Field(ge=1, le=14)] = 5
    fill: Annotated[float, Field(ge=0, le=1)] = 0.0


class TowardRequest(LabelRequest):
    """`rate` is the length of a step, of the difference of all pixels."""

    steps: Annotated[int, Field(ge=1, le=saliency.MOST_FRAMES)] = 1
    rate: Annotated[float, Field(gt=0, le=10)] = 0.25


Asked = TypeVar("Asked", bound=Drawn)
_ERRORS: dict[int | str, dict[str, Any]] = {404: {"model": Error}, 409: {"model": Error}, 422: {"model": Error}}


def _body(kind: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of the body, which is read here, as its size and its errors are the app's own."""
    return json_body(kind.model_json_schema())


@router.post("/forward", openapi_extra=_body(Drawn), responses=_ERRORS)
async def forward(request: Request, state: State) -> Response:
    """What every layer makes of the drawing, and the way from the logits to the probabilities.

    Pictures are float32 in base64, little-endian, in C order of `shape`.
    """
    return await _explain(request, state, Drawn, lambda asked, subject: there.forward(subject))


@router.post("/layer", openapi_extra=_body(LayerRequest), responses=_ERRORS)
async def layer(request: Request, state: State) -> Response:
    """More of a layer's activations than `forward` shows."""

    def work(asked: LayerRequest, subject: InspectedNetwork) -> dict[str, Any]:
        return {"picture": there.layer_picture(subject, asked.layer, asked.first)}

    return await _explain(request, state, LayerRequest, work)


@router.post("/neuron", openapi_extra=_body(UnitRequest), responses=_ERRORS)
async def neuron(request: Request, state: State) -> Response:
    """One neuron: its weights, the products that push it up and down, the sum, and its activation's curve."""
    return await _explain(
        request, state, UnitRequest, lambda asked, subject: one_neuron(subject, asked.layer, asked.unit)
    )


@router.post("/backward", openapi_extra=_body(LabelRequest), responses=_ERRORS)
async def backward(request: Request, state: State) -> Response:
    """The loss for the true label, y − t, and the gradient of every layer."""
    return await _explain(
        request, state, LabelRequest, lambda asked, subject: back.backward(subject, asked.label), dtype=DOUBLE
    )


@router.post("/delta", openapi_extra=_body(DeltaRequest), responses=_ERRORS)
async def delta(request: Request, state: State) -> Response:
    """The chain rule for one neuron, with the very numbers."""

    def work(asked: DeltaRequest, subject: InspectedNetwork) -> dict[str, Any]:
        return back.delta(subject, asked.label, asked.layer, asked.unit)

    return await _explain(request, state, DeltaRequest, work, dtype=DOUBLE)


@router.post("/numerical", openapi_extra=_body(NumericalRequest), responses=_ERRORS)
async def numerical(request: Request, state: State) -> Response:
    """The numerical gradient of some weights beside backpropagation's, in float64, and both times."""

    def work(asked: NumericalRequest, subject: InspectedNetwork) -> dict[str, Any]:
        places = asked.places
        if places is None:
            places = difference.random_places(subject, asked.layer, asked.parameter, asked.random, asked.seed)
        return difference.numerical(subject, asked.label, asked.layer, asked.parameter, places)

    return await _explain(request, state, NumericalRequest, work, dtype=DOUBLE)


@router.post("/step", openapi_extra=_body(StepRequest), responses=_ERRORS)
async def step(request: Request, state: State) -> Response:
    """What so many steps of an optimizer, from the stored weights, change for this drawing; the model stays."""

    def work(asked: StepRequest, subject: InspectedNetwork) -> dict[str, Any]:
        if (asked.layer is None) != (asked.unit is None):
            raise InputError("layer, unit: expected both or neither; got one")
        unit = None if asked.layer is None or asked.unit is None else (asked.layer, asked.unit)
        return stepping.steps(subject, asked.label, asked.optimizer, asked.steps, unit)

    return await _explain(request, state, StepRequest, work)


@router.post("/gradient", openapi_extra=_body(LookRequest), responses=_ERRORS)
async def gradient(request: Request, state: State) -> Response:
    """How a label's logit changes with every pixel: the input gradient."""
    return await _explain(
        request, state, LookRequest, lambda asked, subject: saliency.input_gradient(subject, asked.label), dtype=DOUBLE
    )


@router.post("/occlusion", openapi_extra=_body(OcclusionRequest), responses=_ERRORS)
async def occlusion(request: Request, state: State) -> Response:
    """How much of a label's probability goes where a square of the drawing is covered."""

    def work(asked: OcclusionRequest, subject: InspectedNetwork) -> dict[str, Any]:
        return saliency.occlusion(subject, asked.label, asked.size, asked.fill)

    return await _explain(request, state, OcclusionRequest, work)


@router.post("/toward", openapi_extra=_body(TowardRequest), responses=_ERRORS)
async def toward(request: Request, state: State) -> Response:
    """Steps that change the drawing until the network reads it as the label: each frame, and its probability."""

    def work(asked: TowardRequest, subject: InspectedNetwork) -> dict[str, Any]:
        return saliency.toward(subject, asked.label, asked.steps, asked.rate)

    return await _explain(request, state, TowardRequest, work, dtype=DOUBLE)


async def _explain(
    request: Request,
    state: AppState,
    kind: type[Asked],
    work: Callable[[Asked, InspectedNetwork], dict[str, Any]],
    *,
    dtype: str | None = None,
) -> Response:
    """Read what is asked, and answer it in the thread that such work shares."""
    body = await read_body(request)
    asked = _checked(kind, parse_json(body))

    def answer() -> bytes:
        try:
            image = prepare_one(asked.drawing).whole
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused by name
                subject = open_subject(state.store, asked.model, image.pixels, dtype=dtype)
                said = work(asked, subject)
        except TooLargeError as error:
            raise RequestError(409, message_of(error)) from None
        except ValueError as error:
            raise RequestError(422, message_of(error)) from None
        whole = {"model": subject.card.name, "blank": image.blank, "pixels": pixels_json(image.pixels), **said}
        try:
            return json.dumps(
                whole, allow_nan=False
            ).encode()  # here, as it takes as long as many an answer of /predict
        except ValueError:
            raise RequestError(
                409, "the model {name} gives numbers that are not finite", name=subject.card.name
            ) from None

    key = (request.url.path, hashlib.sha256(body).digest())
    return Response(await state.lessons_queue.run(key, answer), media_type="application/json")


def _checked(kind: type[Asked], data: object) -> Asked:
    if not isinstance(data, Mapping):
        raise RequestError(422, "expected an object with a drawing; got {value}", value=abbreviate(data))
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        parts = [f"{'.'.join(map(str, each['loc']))[:80]}: {each['msg']}" for each in error.errors()[:5]]
        raise RequestError(422, "; ".join(parts)) from None
