"""The answers of the figures of the lessons."""

from typing import Any

from app.web.api.routing import ResponseBody


class Curve(ResponseBody):
    """An activation or a loss: `y` at each x, and its derivative."""

    type: str
    y: list[float]
    slope: list[float]


class ActivationCurves(ResponseBody):
    """Every activation, at the same places."""

    x: list[float]
    activations: list[Curve]


class LossCurves(ResponseBody):
    """Every loss, by the probability of the right answer."""

    x: list[float]
    losses: list[Curve]


class DepthChoices(ResponseBody):
    """The choices for `/depth`, and the least and largest depth and width."""

    activations: list[str]
    initializers: list[str]
    depth: list[int]
    width: list[int]


class SignalLayer(ResponseBody):
    """A histogram of a layer's output, and the root mean square of what flows back through it."""

    layer: int
    low: float
    high: float
    counts: list[int]
    mean: float
    spread: float
    slope: float
    gradient: float
    weight_gradient: float


class Signal(ResponseBody):
    """A signal and a gradient through many layers."""

    samples: int
    straight_through: bool
    layers: list[SignalLayer]


class LossSurface(ResponseBody):
    """A surface over x and y: `heights`, row by row, and a learning rate that suits each optimizer."""

    name: str
    x: list[float]
    y: list[float]
    start: list[float]
    minima: list[list[float]]
    formula: str
    columns: int
    rows: int
    heights: list[float]
    rates: dict[str, float]


class LossSurfaces(ResponseBody):
    """The surfaces, and the optimizers that can be watched on them."""

    surfaces: list[LossSurface]
    optimizers: list[str]
    most_steps: int


class OptimizerPath(ResponseBody):
    """A point a step, and its height; `left` says whether it left the surface."""

    learning_rate: float
    points: list[list[float]]
    heights: list[float]
    left: bool


class UnitOutput(ResponseBody):
    """The products of a unit's inputs and weights, their sum with the bias, and the output."""

    products: list[float]
    sum: float
    output: float


class Perceptron(ResponseBody):
    """The weights and the bias before and after each step of a perceptron."""

    inputs: list[list[float]]
    targets: list[int]
    separable: bool
    steps: list[dict[str, Any]]
    settled: bool
    epochs: int


class TwoLayerFrame(ResponseBody):
    """The outputs after an epoch; `plane` is base64 of a byte for each place of the plane."""

    epoch: int
    loss: float
    outputs: list[float]
    plane: str


class TwoLayers(ResponseBody):
    """The training of a network with one hidden layer."""

    inputs: list[list[float]]
    targets: list[int]
    range: list[float]
    side: int
    epochs: int
    parameters: int
    frames: list[TwoLayerFrame]


class OverfittingEpoch(ResponseBody):
    """An epoch, on the images of the training and on others."""

    epoch: int
    train_accuracy: float
    test_accuracy: float
    train_loss: float
    test_loss: float


class Overfitting(ResponseBody):
    """A training on few images."""

    dataset: str
    images: int
    unseen: int
    parameters: int
    epochs: list[OverfittingEpoch]
    diverged: bool


class BatchLoss(ResponseBody):
    """The loss of a step."""

    step: int
    images: int
    loss: float


class BatchEpoch(ResponseBody):
    """An epoch on images that the training does not have."""

    epoch: int
    test_accuracy: float
    test_loss: float


class Batches(ResponseBody):
    """A training with batches of one size."""

    dataset: str
    images: int
    batch_size: int
    steps: int
    seconds: float
    losses: list[BatchLoss]
    epochs: list[BatchEpoch]
    diverged: bool


class TrainingImage(ResponseBody):
    """An image, base64 of 784 bytes, and the numbers that a network gets of it."""

    dataset: str
    index: int
    count: int
    label: str
    pixels: str
    values: list[list[float]]
