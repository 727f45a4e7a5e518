"""The answers of `/api/explain/...` about a model and a drawing."""

from typing import Any

from pydantic import ConfigDict

from app.web.api.routing import ResponseBody


class NumberPicture(ResponseBody):
    """Numbers as a picture: base64 of float32, little-endian, in C order of `shape`, `total` in all."""

    shape: list[int]
    first: int
    total: int
    low: float
    high: float
    values: str


class DrawingResponse(ResponseBody):
    """The model that answers, and its input, 28 rows of 28, 0 is paper and 1 is ink."""

    model: str
    blank: bool
    pixels: list[list[float]]


class InputPicture(ResponseBody):
    """The numbers that reach the first layer."""

    shape: list[int]
    scale: float
    picture: NumberPicture


class LayerOutput(ResponseBody):
    """A layer and its output for the drawing; `zeros` is how many of its numbers are zero."""

    index: int
    type: str
    spec: dict[str, Any]
    input_shape: list[int]
    output_shape: list[int]
    parameters: int
    picture: NumberPicture
    zeros: int
    norm: float


class Outputs(ResponseBody):
    """From the logits to the probabilities, and these after the calibration's temperature."""

    labels: list[str]
    logits: list[float]
    largest: float
    exponentials: list[float]
    sum: float
    probabilities: list[float]
    temperature: float
    calibrated: list[float]
    says: str


class ForwardPass(DrawingResponse):
    """Every layer's output."""

    input: InputPicture
    layers: list[LayerOutput]
    parameters: int
    outputs: Outputs


class LayerPicture(DrawingResponse):
    """A layer's activations."""

    picture: NumberPicture


class Product(ResponseBody):
    """A weight times its input."""

    input: int
    place: list[int]
    value: float
    weight: float
    product: float


class Others(ResponseBody):
    """The products that are not listed."""

    count: int
    sum: float


class NeuronStep(ResponseBody):
    """One layer's part of a neuron; only a layer with weights has products."""

    model_config = ConfigDict(extra="allow")

    layer: int
    type: str
    output: float
    sum: float | None = None
    up: list[Product] | None = None
    down: list[Product] | None = None
    others: Others | None = None
    zero: int | None = None
    bias: float | None = None
    weights: NumberPicture | None = None
    inputs: NumberPicture | None = None


class Neuron(DrawingResponse):
    """A neuron, from its weights on through the layers that follow them."""

    layer: int
    unit: int
    place: list[int]
    shape: list[int]
    steps: list[NeuronStep]


class LossValue(ResponseBody):
    """The loss; `named` says whether the model's card names it, `label_smoothing` is the training's, left out here."""

    type: str
    label_smoothing: float
    value: float
    named: bool


class OutputGradient(ResponseBody):
    """A label's output, probability, target and gradient."""

    label: str
    output: float
    said: float
    target: float
    gradient: float


class ParameterGradient(ResponseBody):
    """The gradient of an array of weights."""

    name: str
    size: int
    norm: float


class LayerGradient(ResponseBody):
    """The gradient of the loss by a layer's output, and by its weights."""

    index: int
    type: str
    shape: list[int]
    picture: NumberPicture
    norm: float
    parameters: list[ParameterGradient]


class GradientPicture(ResponseBody):
    """A gradient and its norm."""

    picture: NumberPicture
    norm: float


class BackwardPass(DrawingResponse):
    """Every layer's gradient; `straight_through` says whether an activation's derivative is a substitute."""

    label: str
    loss: LossValue
    rows: list[OutputGradient]
    layers: list[LayerGradient]
    input: GradientPicture
    norm: float
    straight_through: bool


class LayerName(ResponseBody):
    """A layer by number and type."""

    layer: int
    type: str


class DeltaTerm(ResponseBody):
    """A weight to the next layer times that neuron's delta."""

    unit: int
    place: list[int]
    weight: float
    delta: float
    product: float


class Slope(LayerName):
    """The derivative of a layer at its input."""

    slope: float


class WeightGradient(ResponseBody):
    """The gradient of a neuron's weights, its largest numbers one by one."""

    picture: NumberPicture
    norm: float
    bias: float | None
    shared: bool
    largest: list[dict[str, Any]]


class Delta(DrawingResponse):
    """The chain rule for a neuron; `next` is null in the last layer."""

    layer: int
    last: int
    unit: int
    place: list[int]
    next: LayerName | None
    terms: list[DeltaTerm]
    others: Others
    sum: float
    slopes: list[Slope]
    delta: float
    weights: WeightGradient | None


class NumericalRow(ResponseBody):
    """A weight, the loss a step above and below, and both gradients."""

    index: int
    place: list[int]
    value: float
    above: float
    below: float
    numerical: float
    backpropagation: float
    relative_error: float


class NumericalGradient(DrawingResponse):
    """Gradients by central differences beside backpropagation's."""

    layer: int
    parameter: str
    step: float
    rows: list[NumericalRow]
    numerical_seconds: float
    numerical_seconds_for_all: float
    backpropagation_seconds: float
    parameters: int


class WeightChange(LayerName):
    """The change of an array of weights; `share` is of its norm."""

    parameter: str
    norm: float
    change: float
    share: float | None


class UnitChange(ResponseBody):
    """The weights of a unit before and after."""

    layer: int
    unit: int
    before: NumberPicture | None
    after: NumberPicture | None


class OptimizerSteps(DrawingResponse):
    """The losses and the label's probabilities after each step, and the probabilities before and after."""

    label: str
    optimizer: dict[str, Any]
    steps: int
    diverged: bool
    losses: list[float]
    certainties: list[float]
    before: list[float]
    after: list[float]
    weights: list[WeightChange]
    unit: UnitChange | None


class InputGradient(DrawingResponse):
    """A label's logit and its gradient by the pixels."""

    label: str
    logit: float
    picture: NumberPicture


class ContrastOfLabels(DrawingResponse):
    """The probabilities of two labels, calibrated as in /predict, and each pixel's part in the difference of logits."""

    label: str
    other: str
    probability: float
    other_probability: float
    picture: NumberPicture


class ChangedPixel(ResponseBody):
    """A pixel by its number, row by row from 0, its new value, 0 or 1, and the probabilities after it, by label."""

    pixel: int
    value: float
    probabilities: list[float]


class FewestPixels(DrawingResponse):
    """The pixels, in order, that turn the answer from `label` to what it `says` then, if that is `changed`."""

    label: str
    says: str
    changed: bool
    changes: list[ChangedPixel]


class Morph(DrawingResponse):
    """The `end` of a way, base64 of 784 float32, 0 to 1, from `label` to what it `says` there, `other` if `changed`.

    `probability` is that of the other label.
    """

    label: str
    other: str
    says: str
    probability: float
    changed: bool
    steps: int
    end: str


class MaximizedImage(ResponseBody):
    """An image, base64 of 784 float32, 0 to 1, and its reading; `stuck` where the gradient was zero at once."""

    pixels: str
    logit: float
    probability: float
    says: str
    stuck: bool


class ActivationMaximization(ResponseBody):
    """The images after a number of steps, without and with smoothing."""

    model: str
    label: str
    steps: int
    plain: MaximizedImage
    smooth: MaximizedImage


class MeanOfLabel(ResponseBody):
    """The mean of `count` training images of a label, base64 of 784 bytes, 255 is ink, and their data sets."""

    model: str
    label: str
    pixels: str
    count: int
    datasets: list[str]


class SimilarImage(ResponseBody):
    """A training image, base64 of 784 bytes, 255 is ink; its data set, and its cosine similarity to the drawing."""

    pixels: str
    dataset: str
    similarity: float


class NearestTrainingImages(ResponseBody):
    """The nearest training images by label, the nearest first."""

    model: str
    labels: dict[str, list[SimilarImage]]


class Occlusion(DrawingResponse):
    """A label's probability, and what is lost of it at each place of the square."""

    label: str
    probability: float
    size: int
    fill: float
    stride: int
    picture: NumberPicture


class Frame(ResponseBody):
    """The changed drawing, base64 of 784 bytes, and its probabilities."""

    pixels: str
    probability: float
    says: str
    probabilities: list[float]


class Counterfactual(DrawingResponse):
    """The way to a drawing that the network reads as the label; `stuck` where no step helps any more."""

    label: str
    probability: float
    says: str
    frames: list[Frame]
    stuck: bool
