"""A stored model's files: names, links, and whether card and weights belong together."""

import hashlib
import os
import shutil
from pathlib import Path

from app.models.card import LONGEST_NAME, ModelCard
from app.nn import Network


def numbered(name: str, count: int) -> str:
    """A name with a number behind it, no longer than names may be."""
    suffix = f"-{count}"
    return name[: LONGEST_NAME - len(suffix)] + suffix


def link(source: Path, target: Path) -> None:
    """The same file under another name, or a copy of it where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def damage(card: ModelCard, name: str, weights: Path) -> str | None:
    """Why a model cannot be used, or None."""
    if card.name != name:
        return f"model.json is of another model, {card.name}"
    with weights.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != card.sha256:
            return "model.safetensors is not the file that model.json describes (its SHA-256 differs)"
    try:
        build(card)
    except (ValueError, TypeError) as error:
        return f"model.json describes no network: {error}"
    return None


def build(card: ModelCard) -> Network:
    """The network that a card describes, its weights not yet loaded. Raises ValueError, TypeError."""
    network = Network.from_spec(card.network, dtype=card.dtype)
    if network.output_shape != (len(card.labels),):
        raise ValueError(f"labels: expected one for each of the {network.output_shape} outputs; got {len(card.labels)}")
    return network
