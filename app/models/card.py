"""The model card: the description, origin and quality of a stored model."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.errors import InputError, Message
from app.nn import abbreviate

LONGEST_NAME = 64
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MAX_ACCURACY_DROP = 0.005
"""The largest loss of accuracy on a test set with which a personalized model may become the default."""
RESERVED = frozenset({"checkpoints", "default", "drawings", "images"})
"""Other names in the folder of the models."""


def check_name(name: str) -> str:
    """Return `name` if it is a valid model name; otherwise raise ValueError."""
    if not NAME.fullmatch(name):
        raise InputError(
            "expected up to 64 characters of a-z, 0-9, '.', '_' and '-', starting with a letter or digit; got {got}",
            got=abbreviate(name),
        )
    if name in RESERVED:
        raise InputError("the name {name} is reserved; choose another name", name=repr(name))
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Samples(_Strict):
    """The images of a measurement, and their number."""

    data: str = Field(max_length=200)
    samples: int = Field(ge=1)


class Scale(_Strict):
    """The scale of a statistic of an image: 0 at `limit`, −1 about `spread` below it."""

    limit: float = Field(ge=-1e6, le=1e6)
    spread: float = Field(gt=0, le=1e6)


class Rejection(_Strict):
    """The parameters of the rejection score, 0 to 1, larger for images similar to the training images.

    Its arrays are stored with the weights: `rejection.mean` and `rejection.basis`.
    """

    components: int = Field(ge=1, le=196)
    residual: Scale
    relative: Scale
    logit: Scale
    outliers: Scale | None = None
    """The scale of the outlier head, whose arrays are stored with the weights."""
    threshold: float = Field(ge=0, le=1)
    """Images with a lower score are refused."""
    false_rejection: float = Field(ge=0, le=1)
    """The refused share of the images in `measured_on`."""
    rejected: dict[str, float] = Field(default_factory=dict)
    """The refused share of each kind of drawings that are not digits, none of which were used for fitting."""


class SourceResult(_Strict):
    """The results on the test images of one of the data sets of a mixture; `ece` is as in `Calibration`."""

    data: str = Field(max_length=200)
    count: int = Field(ge=1)
    accuracy: float = Field(ge=0, le=1)
    ece: float = Field(ge=0, le=1)
    false_rejection: float | None = Field(default=None, ge=0, le=1)
    """The refused share; None without a rejection score."""


class Calibration(_Strict):
    """The temperature, which divides the logits, and its effect.

    `ece` is the expected calibration error over `bins` bins of equal width (Guo et al. 2017, section 2).
    """

    temperature: float = Field(gt=0, le=1000)
    fitted_on: Samples
    measured_on: Samples
    bins: int = Field(ge=1, le=1000)
    ece_before: float = Field(ge=0, le=1)
    ece_after: float = Field(ge=0, le=1)
    nll_before: float = Field(ge=0)
    nll_after: float = Field(ge=0)
    rejection: Rejection | None = None
    note: str | None = Field(default=None, max_length=1000)
    sources: list[SourceResult] = Field(default_factory=list, max_length=8)
    """The results on each data set, if the training images are a mixture."""


MEASUREMENTS: Mapping[str, str] = {
    "styles": "drawings in unlike styles",
    "recorded": "recorded drawings of the tests",
    "mnist": "MNIST's whole test set",
    "mnist_shifted_1": "MNIST, shifted by 1 pixel",
    "mnist_shifted_2": "MNIST, shifted by 2 pixels",
    "mnist_shifted_3": "MNIST, shifted by 3 pixels",
    "mnist_turned_10": "MNIST, turned by 10°",
    "mnist_turned_20": "MNIST, turned by 20°",
    "mnist_blurred": "MNIST, blurred (σ 1 pixel)",
    "mnist_noise_10": "MNIST, noise (σ 0.1)",
    "mnist_noise_25": "MNIST, noise (σ 0.25)",
    "mnist_thick": "MNIST, thick (3×3 maximum)",
    "picture_plain": "MNIST as a picture, light on dark",
    "picture_inverted": "MNIST as a picture, inverted: dark on light",
    "picture_shifted": "MNIST as a picture, shifted by 3 of 28",
    "picture_turned": "MNIST as a picture, turned by 20°",
    "picture_blurred": "MNIST as a picture, blurred (σ 1 of 28)",
    "picture_noise": "MNIST as a picture, noise (σ 0.1)",
    "picture_thick": "MNIST as a picture, thick by 1 of 28",
    "picture_thin": "MNIST as a picture, thin by 1 of 28",
    "picture_light": "MNIST as a picture, photographed in a raking light",
}
"""The kinds of benchmarks/robust.py and their titles. Old cards have the title in place of the kind."""

_KIND_OF = {title: kind for kind, title in MEASUREMENTS.items()}


class RobustnessResult(_Strict):
    """The accuracy on `count` images of one kind, of `MEASUREMENTS` or another."""

    kind: Annotated[str, BeforeValidator(lambda kind: _KIND_OF.get(kind, kind) if isinstance(kind, str) else kind)] = (
        Field(min_length=1, max_length=200)
    )
    accuracy: float = Field(ge=0, le=1)
    count: int = Field(ge=1)


class MisreadDrawing(_Strict):
    """A drawing that was misread as `said`; `pixels` is base64 of 784 bytes, 0 is paper and 255 is ink, row by row."""

    said: str = Field(max_length=64)
    probability: float = Field(ge=0, le=1)
    pixels: str = Field(min_length=1048, max_length=1048, pattern=r"^[A-Za-z0-9+/]{1046}==$")


class StyleResult(_Strict):
    """The results on `count` drawings of a label in one style of benchmarks/hands.py."""

    style: str = Field(min_length=1, max_length=64)
    label: str = Field(max_length=64)
    count: int = Field(ge=1)
    accuracy: float = Field(ge=0, le=1)
    refused: float = Field(ge=0, le=1)
    """The share that was not taken for a digit."""
    misread: list[MisreadDrawing] = Field(default_factory=list, max_length=50)


class SeedResult(_Strict):
    """The accuracies of a training with this seed, on its validation images and on the test set."""

    seed: int = Field(ge=0)
    val: float | None = Field(default=None, ge=0, le=1)
    test: float | None = Field(default=None, ge=0, le=1)


class Comparison(_Strict):
    """The accuracy of the parent and of the new model on the same images.

    `of` is "drawings" for the user's held-out drawings, "parent" for the test images of the parent's data set, and
    "other" for those of another set.
    """

    of: Literal["drawings", "parent", "other"]
    data: str = Field(max_length=200)
    """The name of the data set of the images, or "drawings:NAME"."""
    count: int = Field(ge=1)
    before: float = Field(ge=0, le=1)
    after: float = Field(ge=0, le=1)


class Personalization(_Strict):
    """The source of a personalized model: the parent, the set of drawings, and how many of them were learned."""

    parent: str = Field(max_length=64)
    parent_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    set: str = Field(max_length=64)
    drawings: int = Field(ge=1)
    learned: int = Field(ge=1)
    held_out: int = Field(ge=0)
    seen: bool = False
    """True if the parent may have learned some of the held-out drawings, as its data set has drawings."""
    compared: list[Comparison] = Field(max_length=10)

    def forgot(self) -> Message | None:
        """A message if the accuracy on any test set is too much lower than the parent's; otherwise None."""
        for row in self.compared:
            # counts, so that rounding does not matter for exactly half a point
            lost = round((row.before - row.after) * row.count)
            if row.of != "drawings" and lost > MAX_ACCURACY_DROP * row.count + 1e-6:
                return Message(
                    "it reads the test set of {data} {drop} points worse than {parent}: {after} % after {before} %; "
                    "expected at most {most} points",
                    data=row.data,
                    drop=f"{100 * (row.before - row.after):.2f}",
                    parent=self.parent,
                    after=f"{100 * row.after:.2f}",
                    before=f"{100 * row.before:.2f}",
                    most=f"{100 * MAX_ACCURACY_DROP:g}",
                )
        return None


class ModelCard(BaseModel):
    """`model.json` of the model store."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    name: Annotated[str, AfterValidator(check_name)]
    network: dict[str, Any]
    dtype: str = "float32"
    labels: list[str] = Field(min_length=1)
    input_scale: float = Field(gt=0)
    """The divisor of bytes (0 to 255) for the network's inputs."""
    metrics: dict[str, float] = Field(default_factory=dict)
    calibration: Calibration | None = None
    """None in models without calibration: their probabilities are the network's, and nothing is refused."""
    recipe: str
    dataset: str
    config: dict[str, Any]
    seed: int
    created: str
    software: dict[str, str]
    parameters: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """The SHA-256 of `model.safetensors`."""
    run: int | None = None
    shipped: bool = False
    dataset_version: str | None = Field(default=None, max_length=64)
    """The version of the data set, if it is one that the user can change."""
    mine: Personalization | None = None
    """The source of a model personalized with the user's drawings."""
    robustness: list[RobustnessResult] = Field(default_factory=list, max_length=100)
    """The accuracy on images unlike the training images."""
    styles: list[StyleResult] = Field(default_factory=list, max_length=300)
    """The accuracy on drawings in many styles of handwriting."""
    seeds: list[SeedResult] = Field(default_factory=list, max_length=100)
    """The results of the same training with other seeds."""

    @property
    def sources(self) -> list[SourceResult]:
        """The results on each data set, if the training images are a mixture."""
        return self.calibration.sources if self.calibration is not None else []

    @property
    def temperature(self) -> float:
        """The divisor of the logits before the softmax; 1 without calibration."""
        return self.calibration.temperature if self.calibration is not None else 1.0
