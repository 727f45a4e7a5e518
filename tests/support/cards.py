"""A small network and its card."""

from app.models import ModelCard
from app.nn import Network

LABELS = ["○", "△", "×"]


def network(seed=1):
    built = Network.from_spec({"layers": [{"type": "dense", "units": 3}]}, input_shape=(28, 28))
    built.initialize(seed)
    return built


def card(name="shapes", **fields):
    values = {
        "name": name,
        "network": network().spec(),
        "labels": LABELS,
        "input_scale": 255,
        "recipe": "custom",
        "dataset": "shapes",
        "config": {},
        "seed": 1,
        "created": "2026-01-01T00:00:00Z",
        "software": {},
        "parameters": network().params.size,
        "sha256": "0" * 64,
    }
    return ModelCard.model_validate({**values, **fields})
