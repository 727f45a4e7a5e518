"""The model card: what a stored model is, where it comes from, and how good it is."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def check_name(name: str) -> str:
    """Return `name` if it can be a model's name; else raise ValueError."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"model name: expected up to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit; got {name!r}"
        )
    return name


class ModelCard(BaseModel):
    """`model.json` of the model store."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=rf"^{NAME.pattern}$")
    network: dict[str, Any]
    dtype: str = "float32"
    labels: list[str] = Field(min_length=1)
    input_scale: float = Field(gt=0)
    """What bytes (0 to 255) are divided by before they reach the network."""
    metrics: dict[str, float] = Field(default_factory=dict)
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
