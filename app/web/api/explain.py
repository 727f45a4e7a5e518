"""`/api/explain/...`: a model's numbers for one drawing: the forward pass, the backward pass, and saliency.

No model is changed: every answer is computed on a network of its own, which is dropped with it.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.errors import InputError, RequestError
from app.learn.inspection import backward as back
from app.learn.inspection import forward as there
from app.learn.inspection import numerical_gradient as difference
from app.learn.inspection import optimizer_step as stepping
from app.learn.inspection import saliency
from app.learn.inspection.activation_maximization import maximize_activation
from app.learn.inspection.morph import morph as morphed
from app.learn.inspection.neuron import neuron as one_neuron
from app.learn.inspection.pixel_gradient import SIDE
from app.learn.inspection.subject import InspectedNetwork, open_subject
from app.models import UnknownModelError
from app.models.mean_image import BYTE_MAX, mean_image
from app.models.responses import pixels_json
from app.runs.limits import LARGEST_INT
from app.web.api.explain_responses import (
    ActivationMaximization,
    BackwardPass,
    ContrastOfLabels,
    Counterfactual,
    Delta,
    FewestPixels,
    ForwardPass,
    InputGradient,
    LayerPicture,
    MeanOfLabel,
    Morph,
    NearestTrainingImages,
    Neuron,
    NumericalGradient,
    Occlusion,
    OptimizerSteps,
    SimilarImage,
)
from app.web.api.images import encoded
from app.web.api.predict import prepare_one
from app.web.api.routing import ApiRoute, RequestBody, ResponseBody, errors
from app.web.dependencies import CatalogDep, DatasetsDep, JobQueueDep, LessonsQueueDep, NearestImagesDep, StoreDep

router = APIRouter(prefix="/api/explain", tags=["explain"], route_class=ApiRoute)

DOUBLE = "float64"
Number = Annotated[int, Field(ge=0, le=LARGEST_INT)]
LabelText = Annotated[str, Field(min_length=1, max_length=64)]


class InspectionRequest(RequestBody):
    """A drawing as /predict takes it (`pixels`, `strokes` or `image`), and a model; the default where none is named."""

    drawing: dict[str, Any]
    model: Annotated[str, Field(max_length=64)] | None = None


class LayerRequest(InspectionRequest):
    """`first` is the unit or the map that the picture begins with."""

    layer: Number
    first: Number = 0


class UnitRequest(InspectionRequest):
    """A number of a layer's output: `unit` is its place in C order."""

    layer: Number
    unit: Number


class LabelRequest(InspectionRequest):
    """`label` is what the drawing is meant to be."""

    label: LabelText


class DeltaRequest(LabelRequest):
    """A neuron: `unit` is its place in C order of the layer's output."""

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


class AttributionRequest(InspectionRequest):
    """`label` is the one to explain; the network's answer where it is left out."""

    label: LabelText | None = None


class ContrastRequest(AttributionRequest):
    """`other` is the label to contrast with; the runner-up where it is left out."""

    other: LabelText | None = None


class LabelOfModelRequest(RequestBody):
    """A label of a model; of the default model where none is named."""

    label: LabelText
    model: Annotated[str, Field(max_length=64)] | None = None


class NearestRequest(InspectionRequest):
    """Training images of each of `labels`, `count` of each."""

    model: Annotated[str, Field(max_length=64)]
    labels: Annotated[list[LabelText], Field(min_length=1, max_length=4)]
    count: Annotated[int, Field(ge=1, le=10)] = 3


class OcclusionRequest(AttributionRequest):
    """A square of `size` × `size` pixels painted with `fill`, 0 is paper and 1 is ink."""

    size: Annotated[int, Field(ge=1, le=14)] = 5
    fill: Annotated[float, Field(ge=0, le=1)] = 0.0


class CounterfactualRequest(LabelRequest):
    """`rate` is the length of a step, of the difference of all pixels."""

    steps: Annotated[int, Field(ge=1, le=saliency.MOST_FRAMES)] = 1
    rate: Annotated[float, Field(gt=0, le=10)] = 0.25


Inspection = Callable[[InspectedNetwork], dict[str, Any]]


async def answer_in_queue(
    request: Request, store: StoreDep, queue: LessonsQueueDep
) -> Callable[..., Awaitable[Response]]:
    """Dependency: a function that answers a request in the thread that such work shares."""

    async def answer(body: InspectionRequest, work: Inspection, *, dtype: str | None = None) -> Response:
        def compute() -> bytes:
            image = prepare_one(body.drawing).whole
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused by name
                network = open_subject(store, body.model, image.pixels, dtype=dtype)
                found = work(network)
            return _encoded(network, {"blank": image.blank, "pixels": pixels_json(image.pixels), **found})

        key = (request.url.path, hashlib.sha256(body.model_dump_json().encode()).digest())
        return Response(await queue.run(key, compute), media_type="application/json")

    return answer


def _encoded(network: InspectedNetwork, found: dict[str, Any]) -> bytes:
    """The JSON of an answer. Not for the event loop, as it takes longer than an answer of /predict."""
    try:
        return json.dumps({"model": network.card.name, **found}, allow_nan=False).encode()
    except ValueError:
        raise RequestError(409, "the model {name} gives numbers that are not finite", name=network.card.name) from None


Explain = Annotated[Callable[..., Awaitable[Response]], Depends(answer_in_queue)]


def _responses(model: type[ResponseBody]) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": model}} | errors(404, 409, 422, 503)


@router.post("/forward", responses=_responses(ForwardPass))
async def forward(explain: Explain, body: InspectionRequest) -> Response:
    """The output of every layer for the drawing, and the way from the logits to the probabilities."""
    return await explain(body, there.forward)


@router.post("/layer", responses=_responses(LayerPicture))
async def layer(explain: Explain, body: LayerRequest) -> Response:
    """More of a layer's activations than `forward` shows."""
    return await explain(body, lambda network: {"picture": there.layer_picture(network, body.layer, body.first)})


@router.post("/neuron", responses=_responses(Neuron))
async def neuron(explain: Explain, body: UnitRequest) -> Response:
    """One neuron: its weights, the products that push it up and down, the sum, and its activation."""
    return await explain(body, lambda network: one_neuron(network, body.layer, body.unit))


@router.post("/backward", responses=_responses(BackwardPass))
async def backward(explain: Explain, body: LabelRequest) -> Response:
    """The loss for the true label, y − t, and the gradient of every layer."""
    return await explain(body, lambda network: back.backward(network, body.label), dtype=DOUBLE)


@router.post("/delta", responses=_responses(Delta))
async def delta(explain: Explain, body: DeltaRequest) -> Response:
    """The chain rule for one neuron, with its numbers."""
    return await explain(body, lambda network: back.delta(network, body.label, body.layer, body.unit), dtype=DOUBLE)


@router.post("/numerical", responses=_responses(NumericalGradient))
async def numerical(explain: Explain, body: NumericalRequest) -> Response:
    """The numerical gradient of some weights beside backpropagation's, in float64, and both times."""

    def work(network: InspectedNetwork) -> dict[str, Any]:
        places = body.places
        if places is None:
            places = difference.random_places(network, body.layer, body.parameter, body.random, body.seed)
        return difference.numerical(network, body.label, body.layer, body.parameter, places)

    return await explain(body, work, dtype=DOUBLE)


@router.post("/step", responses=_responses(OptimizerSteps))
async def step(explain: Explain, body: StepRequest) -> Response:
    """The effect on this drawing of some steps of an optimizer from the stored weights; the model stays."""

    def work(network: InspectedNetwork) -> dict[str, Any]:
        if (body.layer is None) != (body.unit is None):
            field = "layer" if body.layer is None else "unit"
            raise InputError("expected layer and unit, both or neither; got one", field=field)
        unit = None if body.layer is None or body.unit is None else (body.layer, body.unit)
        return stepping.steps(network, body.label, body.optimizer, body.steps, unit)

    return await explain(body, work)


@router.post("/gradient", responses=_responses(InputGradient))
async def gradient(explain: Explain, body: AttributionRequest) -> Response:
    """The input gradient: how a label's logit changes with every pixel."""
    return await explain(body, lambda network: saliency.input_gradient(network, body.label), dtype=DOUBLE)


@router.post("/contrast", responses=_responses(ContrastOfLabels))
async def contrast(explain: Explain, body: ContrastRequest) -> Response:
    """The part of every pixel in the difference of two labels' logits: ink that speaks for one, or for the other."""
    return await explain(body, lambda network: saliency.contrast(network, body.label, body.other), dtype=DOUBLE)


@router.post("/pixels", responses=_responses(FewestPixels))
async def pixels(explain: Explain, body: InspectionRequest) -> Response:
    """A few pixels that change the network's mind, one after another."""
    return await explain(body, saliency.fewest_pixels, dtype=DOUBLE)


@router.post("/morph", responses=_responses(Morph))
async def morph(explain: Explain, body: LabelRequest) -> Response:
    """The end of a way from the drawing to one that the network reads as another label."""
    return await explain(body, lambda network: morphed(network, body.label), dtype=DOUBLE)


@router.post("/maximize", responses=_responses(ActivationMaximization))
async def maximize(request: Request, store: StoreDep, queue: LessonsQueueDep, body: LabelOfModelRequest) -> Response:
    """The image that the network itself takes most for a label, from a blank sheet, without and with smoothing."""

    def compute() -> bytes:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused by name
            network = open_subject(store, body.model, np.zeros((SIDE, SIDE), np.float32), dtype=DOUBLE)
            found = maximize_activation(network, body.label)
        return _encoded(network, found)

    key = (request.url.path, hashlib.sha256(body.model_dump_json().encode()).digest())
    return Response(await queue.run(key, compute), media_type="application/json")


@router.post("/mean", responses=errors(404, 409, 422, 503))
async def mean(
    store: StoreDep, catalog: CatalogDep, datasets: DatasetsDep, queue: JobQueueDep, body: LabelOfModelRequest
) -> MeanOfLabel:
    """The mean of a sample of the model's training images of a label."""

    def work() -> MeanOfLabel:
        name = body.model or store.default()
        if name is None:
            raise UnknownModelError("there is no model yet: train one, or restore the one that ships with digitpad")
        found = mean_image(store.get(name), catalog, datasets, body.label)
        raw = np.round(found.pixels * BYTE_MAX).astype(np.uint8)
        return MeanOfLabel(
            model=name, label=body.label, pixels=encoded(raw), count=found.count, datasets=found.datasets
        )

    return await queue.run(("mean", hashlib.sha256(body.model_dump_json().encode()).digest()), work)


@router.post("/nearest", responses=errors(404, 409, 422, 503))
async def nearest(images: NearestImagesDep, queue: JobQueueDep, body: NearestRequest) -> NearestTrainingImages:
    """The training images that the network takes for most similar to the drawing, of some labels."""

    def work() -> NearestTrainingImages:
        drawing = prepare_one(body.drawing).whole
        found = images.find(body.model, drawing.pixels, body.labels, body.count)
        return NearestTrainingImages(
            model=body.model,
            labels={
                label: [
                    SimilarImage(pixels=encoded(one.pixels), dataset=one.dataset, similarity=one.similarity)
                    for one in near
                ]
                for label, near in found.items()
            },
        )

    return await queue.run(("nearest", hashlib.sha256(body.model_dump_json().encode()).digest()), work)


@router.post("/occlusion", responses=_responses(Occlusion))
async def occlusion(explain: Explain, body: OcclusionRequest) -> Response:
    """The part of a label's probability that is lost where a square of the drawing is covered."""
    return await explain(body, lambda network: saliency.occlusion(network, body.label, body.size, body.fill))


@router.post("/toward", responses=_responses(Counterfactual))
async def toward(explain: Explain, body: CounterfactualRequest) -> Response:
    """Steps that change the drawing until the network reads it as the label: each frame, and its probability."""
    return await explain(
        body, lambda network: saliency.toward(network, body.label, body.steps, body.rate), dtype=DOUBLE
    )
