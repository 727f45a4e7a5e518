"""Records the drawings of `tests/fixtures/drawings.json`: `python -m tests.support.record_drawings`.

Each is what a pen, a finger or a mouse would send, made from the ten recorded digits of `strokes.json` and from glyphs
that waver, in the ways in which hands and devices differ. What it writes depends on nothing but the code.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from app.data.handwriting.digits import DIGITS
from app.data.handwriting.spline import make_pen
from tests.support.drawings import FIXTURES, recorded

PATH = FIXTURES / "drawings.json"
Strokes = list[list[list[float]]]


def drawings() -> Iterator[dict[str, Any]]:
    digits = [drawing for name, drawing in recorded().items() if name.startswith("digit ")]
    for number, drawing in enumerate(digits):
        label = drawing["label"]
        strokes = [np.array(stroke, float) for stroke in drawing["strokes"]]
        for kind, change in CHANGES.items():
            rng = np.random.default_rng([number, len(kind), ord(kind[0])])
            yield entry(kind, label, [change(stroke, rng) for stroke in strokes])
    for number, (label, glyphs) in enumerate(DIGITS.items()):
        for hand in range(4):
            rng = np.random.default_rng([hand, number, 7])
            pen = make_pen(glyphs[hand % len(glyphs)])
            path = pen.basis @ (pen.points + rng.normal(0, 0.03, pen.points.shape))
            path[:, 0] -= rng.normal(0.05, 0.12) * path[:, 1]
            path = path * 320 + (120, 90)
            yield entry(f"hand {hand}", label, [np.round(stroke) for stroke in np.split(path, pen.ends[:-1])])
    for number in range(4):
        rng = np.random.default_rng([number, 99])
        height, lean = rng.uniform(200, 480), rng.uniform(-25, 25)
        line = np.linspace((250, 20), (250 + lean, 20 + height), int(rng.integers(2, 40)))
        yield entry("long thin", "1", [np.round(line + rng.normal(0, 1, line.shape))])
    for place in ((0, 0), (250, 250), (499, 3)):
        yield entry("dot", None, [np.array([place], float)])
        yield entry("dot", None, [np.array([place, place], float)])
    yield entry("one pixel", None, [np.array([(250, 250), (251, 250)], float)])
    yield entry("one pixel", None, [np.array([(250, 250), (250.4, 250.3), (250, 250)], float)])


def entry(kind: str, label: str | None, strokes: list[np.ndarray]) -> dict[str, Any]:
    return {"kind": kind, "label": label, "strokes": [np.round(stroke, 2).tolist() for stroke in strokes]}


def mouse(stroke, rng):
    """Whole pixels, uneven steps, a hand that trembles."""
    kept = np.sort(rng.choice(len(stroke), max(2, int(len(stroke) * 0.6)), replace=False))
    kept[0], kept[-1] = 0, len(stroke) - 1
    return np.round(stroke[kept] + rng.normal(0, 2.5, (len(kept), 2)))


def sparse(stroke, rng):
    """A slow device: one point in six."""
    return stroke[np.unique(np.r_[np.arange(0, len(stroke), 6), len(stroke) - 1])]


def dense(stroke, rng):
    """Coalesced points, five for each."""
    steps = np.linspace(0, len(stroke) - 1, 5 * len(stroke))
    return np.stack([np.interp(steps, np.arange(len(stroke)), stroke[:, axis]) for axis in (0, 1)], axis=1)


CHANGES = {
    "mouse": mouse,
    "sparse": sparse,
    "dense": dense,
    "tiny": lambda stroke, rng: stroke * 0.03 + 3,
    "huge": lambda stroke, rng: stroke * 40,
    "off-centre": lambda stroke, rng: stroke * 0.3 + (380, 10),
}

if __name__ == "__main__":
    found = list(drawings())
    lines = ",\n".join("  " + json.dumps(drawing, separators=(",", ":")) for drawing in found)
    PATH.write_text(f'{{"drawings": [\n{lines}\n]}}\n')
