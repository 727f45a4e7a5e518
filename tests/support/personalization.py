"""A hand unlike others, and what is made of its drawings."""

import numpy as np

from app.models.card import Comparison, Personalization
from app.runs.config.run_config import parse_config
from benchmarks.robust_drawings import drawings

TURN = np.array([[np.cos(1.2), -np.sin(1.2)], [np.sin(1.2), np.cos(1.2)]])
"""A hand that writes with its paper turned by some 70°."""


def odd_hand(each):
    """So many drawings of each digit, a label and strokes."""
    seen = dict.fromkeys("0123456789", 0)
    for one in drawings():
        if seen[one["label"]] < each:
            seen[one["label"]] += 1
            yield one["label"], [(np.array(stroke) @ TURN.T).round(1).tolist() for stroke in one["strokes"]]


def smaller(config, images, rehearsal, **changes):
    """The config with fewer images of the drawings, and fewer of what is known already."""
    personal = {**config.personal.model_dump(), "images": images, "rehearsal": rehearsal}
    return parse_config({**config.model_dump(mode="json"), "personal": personal, **changes})


def mine(before, after, count=10_000, of="parent"):
    same = Comparison(of="drawings" if of == "drawings" else "parent", data="strokes", count=9, before=0.5, after=0.5)
    row = Comparison(of=of, data="mnist", count=count, before=before, after=after)
    fields = {"parent": "p", "parent_sha256": "0" * 64, "set": "mine", "drawings": 20, "learned": 15, "held_out": 5}
    return Personalization(**fields, compared=[row] if of == "parent" else [same, row])
