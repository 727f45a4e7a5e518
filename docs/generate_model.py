"""Tables of the model that ships, from its card: `python -m docs.generate_model` prints them.

They stand in the pages of the explanation as they are, for readers of the source too; a test holds them to the card.
"""

import json
from typing import Any

from app.models.card import MEASUREMENTS
from app.settings import SHIPPED_MODELS
from docs.markdown import table

MODEL = "mnist-mlp"


def robustness() -> str:
    """How it reads what is unlike its training images."""
    rows = [
        (MEASUREMENTS.get(one["kind"], one["kind"]), f"{one['count']:,}", _percent(one["accuracy"]))
        for one in _card()["robustness"]
    ]
    return table(("on", "images", "read right"), rows)


def rejection() -> str:
    """What share of each kind of drawing it refuses."""
    found = _card()["calibration"]["rejection"]
    rows = [(kind, _percent(share)) for kind, share in sorted(found["rejected"].items(), key=lambda one: -one[1])]
    return table(
        ("drawn", "refused"), [*rows, ("digits of MNIST's test set, by mistake", _percent(found["false_rejection"]))]
    )


def _card() -> dict[str, Any]:
    card: dict[str, Any] = json.loads((SHIPPED_MODELS / MODEL / "model.json").read_text("utf-8"))
    return card


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


if __name__ == "__main__":
    print(robustness(), rejection(), sep="\n")  # noqa: T201  # to be put into the pages
