"""The source of an export: a stored model, loaded and checked."""

from dataclasses import dataclass

from app.errors import MessageError
from app.models.card import ModelCard
from app.models.predictor import BYTE_MAX
from app.models.store import WEIGHTS, ModelStore
from app.nn import Network


class MissingExtraError(MessageError):
    """A format needs a package that is not installed; the message says how to install it."""

    code = "missing_extra"

    def __init__(self, format: str, extra: str) -> None:
        super().__init__(
            "{format} needs the package {extra}, which is not installed: pip install 'digitpad[{extra}]'",
            format=format,
            extra=extra,
        )


@dataclass(frozen=True, eq=False)
class Source:
    """A model's card, its network, and its weights as a safetensors file."""

    card: ModelCard
    network: Network
    weights: bytes

    @classmethod
    def of(cls, store: ModelStore, name: str) -> "Source":
        """The model `name` of a store. Raises UnknownModelError, DamagedModelError."""
        card, network = store.load(name)
        return cls(card, network, store.path(name, WEIGHTS).read_bytes())

    @property
    def factor(self) -> float:
        """The factor from pixels in 0 to 1 to the network's inputs."""
        return BYTE_MAX / self.card.input_scale
