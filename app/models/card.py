"""The model card: what a stored model is, where it comes from, and how good it is."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.errors import InputError

LONGEST_NAME = 64
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
MAX_ACCURACY_DROP = 0.005
"""A model made one's own may read any test set worse than its parent by up to half a point, and become the default."""
RESERVED = frozenset({"checkpoints", "default", "drawings"})
"""What else lies in the folder of the models."""


def check_name(name: str) -> str:
    """Return `name` if it can be a model's name; else raise ValueError."""
    if not NAME.fullmatch(name):
        raise InputError(
            "model name: expected up to 64 characters of a-z, 0-9, '.', '_' and '-', starting with a letter or "
            "digit; got {name}",
            name=repr(name),
        )
    if name in RESERVED:
        raise InputError("model name: {name} is reserved; choose another name", name=repr(name))
    return name


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Samples(_Strict):
    """Which images something was measured on, and how many."""

    data: str = Field(max_length=200)
    samples: int = Field(ge=1)


class Scale(_Strict):
    """What turns a statistic of an image into its strangeness: 0 at `limit`, −1 about `spread` below it."""

    limit: float = Field(ge=-1e6, le=1e6)
    spread: float = Field(gt=0, le=1e6)


class Rejection(_Strict):
    """How an image gets its score, 0 to 1, where larger is more like what the network was trained on.

    The arrays that belong to it lie with the weights: `rejection.mean` and `rejection.basis`.
    """

    components: int = Field(ge=1, le=196)
    residual: Scale
    relative: Scale
    logit: Scale
    outliers: Scale | None = None
    """Of what a small network says that has been shown drawings that are no digits; its arrays lie with the weights."""
    threshold: float = Field(ge=0, le=1)
    """An image with a score below it is refused."""
    false_rejection: float = Field(ge=0, le=1)
    """Share of the images in `measured_on` that are refused."""
    rejected: dict[str, float] = Field(default_factory=dict)
    """Share that is refused of each kind of drawing that is no digit, none of which was used to choose anything."""


class Calibration(_Strict):
    """By what the logits are divided so that probabilities are true, and what that came to.

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
"""What benchmarks/robust.py measures: what people call each kind. Cards of old have that name in its place."""

_KIND_OF = {title: kind for kind, title in MEASUREMENTS.items()}


class RobustnessResult(_Strict):
    """The share that was read right of `count` images of one kind, of `MEASUREMENTS` or another."""

    kind: Annotated[str, BeforeValidator(lambda kind: _KIND_OF.get(kind, kind) if isinstance(kind, str) else kind)] = (
        Field(min_length=1, max_length=200)
    )
    accuracy: float = Field(ge=0, le=1)
    count: int = Field(ge=1)


class SeedResult(_Strict):
    """The accuracies that a training with this seed came to, on its validation images and on the test set."""

    seed: int = Field(ge=0)
    val: float | None = Field(default=None, ge=0, le=1)
    test: float | None = Field(default=None, ge=0, le=1)


class Comparison(_Strict):
    """What the parent read right, and what the new model does, of the same images.

    `of` is "drawings" for the user's own that were held out, "parent" for the test images of the parent's data set, and
    "other" for those of another set.
    """

    of: Literal["drawings", "parent", "other"]
    data: str = Field(max_length=200)
    """The name of the data set, "drawings:NAME" or that whose test images they are."""
    count: int = Field(ge=1)
    before: float = Field(ge=0, le=1)
    after: float = Field(ge=0, le=1)


class Personalization(_Strict):
    """What a model was made one's own from: the parent, the set of drawings, and how many of them were learned."""

    parent: str = Field(max_length=64)
    parent_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    set: str = Field(max_length=64)
    drawings: int = Field(ge=1)
    learned: int = Field(ge=1)
    held_out: int = Field(ge=0)
    seen: bool = False
    """Whether its parent may have learned from some of those: what that was trained on had drawings among it."""
    compared: list[Comparison] = Field(max_length=10)

    def forgot(self) -> str | None:
        """In words, if it reads any test set too much worse than its parent; None where it does not."""
        for row in self.compared:
            # counts, so that a fall of exactly half a point is none too many, whatever floats make of it
            lost = round((row.before - row.after) * row.count)
            if row.of != "drawings" and lost > MAX_ACCURACY_DROP * row.count + 1e-6:
                return (
                    f"it reads the test set of {row.data} {100 * (row.before - row.after):.2f} points worse than "
                    f"{self.parent}: {100 * row.after:.2f} % after {100 * row.before:.2f} %; expected at most "
                    f"{100 * MAX_ACCURACY_DROP:g} points"
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
    """What bytes (0 to 255) are divided by before they reach the network."""
    metrics: dict[str, float] = Field(default_factory=dict)
    calibration: Calibration | None = None
    """None in models that were saved without it: their probabilities are the network's own, and nothing is refused."""
    recipe: str
    dataset: str
    config: dict[str, Any]
    seed: int
    created: str
    software: dict[str, str]
    parameters: int
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Of `model.safetensors`."""
    run: int | None = None
    shipped: bool = False
    dataset_version: str | None = Field(default=None, max_length=64)
    """What the data set's images were made of, where it is one that the user can change."""
    mine: Personalization | None = None
    """Of a model that was made from another with the user's own drawings."""
    robustness: list[RobustnessResult] = Field(default_factory=list, max_length=100)
    """How it reads what is unlike the images that it was trained on."""
    seeds: list[SeedResult] = Field(default_factory=list, max_length=100)
    """What the same training came to with other seeds."""

    @property
    def temperature(self) -> float:
        """By what the logits are divided before the softmax; 1 where nothing was calibrated."""
        return self.calibration.temperature if self.calibration is not None else 1.0
