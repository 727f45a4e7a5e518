"""A run's config, as plain JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from app.data.augmentation.augment import make_augmentation
from app.data.drawings.drawing import SET_NAME
from app.errors import InputError, joined
from app.i18n.pydantic_errors import pydantic_message
from app.models.card import NAME as MODEL_NAME
from app.nn import LOSSES, OPTIMIZERS, SCHEDULES, Network, TrainingOptions, abbreviate, build, check_loss
from app.recipes import get_recipe
from app.runs.limits import LARGEST_INT

IMAGE_SHAPE = (28, 28)
MOST_EPOCHS = 100_000
MOST_BATCH = 1_000_000
MOST_SEED = 2**32 - 1
MOST_TEACHERS = 8


class Start(BaseModel):
    """The starting point of a run: the last checkpoint of another run, or the weights of a model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: int | None = Field(default=None, strict=True, ge=1, le=LARGEST_INT)
    model: str | None = Field(default=None, max_length=64)
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """The hash of the model's weights, set when the run is queued."""

    @model_validator(mode="after")
    def _one_of_them(self) -> "Start":
        if (self.run is None) == (self.model is None):
            raise InputError("expected either run or model")
        return self


class Personal(BaseModel):
    """The user's drawings that personalize the model of `start`, as `images` images, among `rehearsal` others.

    The data set is then for rehearsal and testing; a share of the drawings is held out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: str = Field(pattern=f"^(?:{SET_NAME.pattern})$")
    images: int = Field(default=2000, strict=True, ge=100, le=20_000)
    rehearsal: int = Field(default=6000, strict=True, ge=0, le=100_000)


class Distillation(BaseModel):
    """Stored models as teachers in addition to the labels: `model` names one, or several as "best-cnn + best-mlp"."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    model: str = Field(max_length=400)
    weight: float = Field(default=0.7, strict=True, gt=0, le=1)
    """The weight of the models' probabilities; the labels have the rest."""
    sha256: list[Annotated[str, Field(pattern="^[0-9a-f]{64}$")]] | None = Field(default=None, max_length=MOST_TEACHERS)
    """The hashes of the models' weights, set when the run is queued."""

    @property
    def names(self) -> tuple[str, ...]:
        return _names(self.model)

    @field_validator("model")
    @classmethod
    def _known_form(cls, value: str) -> str:
        names = _names(value)
        if len(names) > MOST_TEACHERS or not all(MODEL_NAME.fullmatch(name) for name in names):
            raise InputError("expected a model's name, or up to {most} names joined by +", most=MOST_TEACHERS)
        if len(set(names)) < len(names):
            raise InputError("expected each model once")
        return " + ".join(names)

    @model_validator(mode="after")
    def _a_hash_each(self) -> "Distillation":
        if self.sha256 is not None and len(self.sha256) != len(self.names):
            raise InputError("expected one for each of {count} models", field="sha256", count=len(self.names))
        return self


class RunConfig(BaseModel):
    """The config of a run, validated by the constructors that training uses."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    recipe: str = Field(default="custom", max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")
    dataset: str = Field(max_length=200)
    validation: float | Literal["test"] | None = None
    """A share of the training set (its last part), the test set, or none."""
    input_scale: float = 255
    network: dict[str, Any]
    loss: str | dict[str, Any] = "cross_entropy"
    optimizer: dict[str, Any]
    schedule: dict[str, Any] = Field(default_factory=lambda: {"type": "constant"})
    weight_decay: float = 0.0
    clip_norm: float | None = None
    patience: int | None = Field(default=None, strict=True)
    averaging: int | None = Field(default=None, strict=True)
    """The number of last epochs whose weights are averaged."""
    augmentation: dict[str, Any] | None = None
    """Random changes of the training images: the fields of app.data.augmentation.augment.Augmentation."""
    distillation: Distillation | None = None
    """Null: learn the labels only."""
    batch_size: int = Field(default=32, strict=True, le=MOST_BATCH)
    epochs: int = Field(default=5, strict=True, le=MOST_EPOCHS)
    shuffle: bool = Field(default=True, strict=True)
    seed: int = Field(default=1, strict=True, le=MOST_SEED)
    dtype: Literal["float32", "float64"] = "float32"
    evaluate_training_set: bool = Field(default=False, strict=True)
    start: Start | None = None
    """Null: start from weights drawn with the seed."""
    personal: Personal | None = None
    """Null: learn the data set without drawings."""

    @field_validator("input_scale", "weight_decay", "clip_norm", mode="before")
    @classmethod
    def _not_a_bool(cls, value: object) -> object:
        if isinstance(value, bool):
            raise InputError("expected a number; got {got}", got=abbreviate(value))
        return value

    @field_validator("validation", mode="before")
    @classmethod
    def _share(cls, value: object) -> object:
        if value is None or value == "test" or (isinstance(value, float) and 0 < value < 1):
            return value
        raise InputError('expected a share between 0 and 1, "test" or null; got {got}', got=abbreviate(value))

    @field_validator("loss", mode="before")
    @classmethod
    def _name_or_spec(cls, value: object) -> object:
        if isinstance(value, str | Mapping):
            return value
        raise InputError("expected a name, or an object with a type; got {got}", got=abbreviate(value))

    @model_validator(mode="after")
    def _buildable(self) -> "RunConfig":
        self.options()
        if self.patience is not None and self.validation is None:
            raise InputError("expected a validation set to watch; got validation null", field="patience")
        if self.personal is not None and (self.start is None or self.start.model is None):
            raise InputError("expected start.model with it: the model to personalize", field="personal")
        if self.personal is not None and not isinstance(self.validation, float):
            raise InputError("expected a share as validation, to calibrate the model with", field="personal")
        if self.personal is not None and self.distillation is not None:
            raise InputError(
                "expected null with personal, which already has a model to compare with", field="distillation"
            )
        make_augmentation(self.augmentation)
        build("optimizer", OPTIMIZERS, self.optimizer)
        build("schedule", SCHEDULES, self.schedule)
        check_loss(self.build_network(), build("loss", LOSSES, self.loss))
        return self

    def options(self) -> TrainingOptions:
        return TrainingOptions(
            batch_size=self.batch_size,
            epochs=self.epochs,
            shuffle=self.shuffle,
            seed=self.seed,
            input_scale=self.input_scale,
            weight_decay=self.weight_decay,
            clip_norm=self.clip_norm,
            patience=self.patience,
            averaging=self.averaging,
            evaluate_training_set=self.evaluate_training_set,
        )

    def build_network(self) -> Network:
        """The network without initialized weights."""
        return Network.from_spec(self.network, input_shape=IMAGE_SHAPE, dtype=self.dtype)


def parse_config(data: object) -> RunConfig:
    """Validate a complete config. Raises ValueError with each invalid field, the expected and the given value."""
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        raise InputError(joined([pydantic_message(entry) for entry in error.errors()])) from None


def request_config(data: object, labels_of: Callable[[object], int | None] | None = None) -> RunConfig:
    """The config of `{"recipe": NAME, "overrides": {...}}`, or of a complete config. Raises ValueError.

    With `labels_of`, which returns the number of labels of a data set (None if unknown), the last dense layer of a
    recipe gets one output per label, unless the overrides set the layers.
    """
    if not isinstance(data, Mapping):
        raise InputError("expected an object with a recipe, or a whole config; got {value}", value=abbreviate(data))
    if "network" in data:
        return parse_config(data)
    unknown = set(data) - {"recipe", "overrides"}
    if unknown:
        raise InputError("unknown field; expected recipe and overrides, or a whole config", field=min(unknown)[:80])
    name, overrides = data.get("recipe"), data.get("overrides", {})
    if not isinstance(name, str):
        raise InputError("expected a recipe's name; got {value}", field="recipe", value=abbreviate(name))
    if not isinstance(overrides, Mapping):
        raise InputError("expected an object; got {value}", field="overrides", value=abbreviate(overrides))
    merged = deep_merge(get_recipe(name).config, overrides)
    network = overrides.get("network", {})
    if labels_of is not None and isinstance(network, Mapping) and "layers" not in network:
        labels = labels_of(merged.get("dataset"))
        if labels is not None:
            merged["network"] = {**merged["network"], "layers": with_outputs(merged["network"]["layers"], labels)}
    return parse_config(merged)


def with_outputs(layers: Sequence[Mapping[str, Any]], outputs: int) -> list[dict[str, Any]]:
    """The layers' specs with `outputs` units in the last dense layer."""
    fitted = [dict(layer) for layer in layers]
    last = next((layer for layer in reversed(fitted) if layer.get("type") == "dense"), None)
    if last is not None:
        last["units"] = outputs
    return fitted


def deep_merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`: objects are merged, everything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = deep_merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _names(models: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in models.split("+"))
