"""Pad drawings in varied styles, from strokes that `strokes` does not use: `python -m benchmarks.robust_drawings`.

Shapes are paths of straight lines and cubic Bézier curves on a grid 100 wide and 140 high, after school books and
handwriting of several countries; nothing is shared with `app/data/handwriting`. Each is drawn by hands that differ in
slant, size, place, proportion, perspective, tremor and speed, on devices that report few or many points. The drawings
depend on nothing but this file.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

CANVAS, MARGIN = 500, 12
RETURN = 0.9 ** np.arange(40)
"""The decay of a deviation from the line over the following points."""
HANDS = 8
"""The number of drawings of each shape."""

SHAPES: dict[str, dict[str, str]] = {
    "0": {
        "zero-ball-and-stick": "M50 0 C20 0 5 30 5 70 C5 110 20 140 50 140 C80 140 95 110 95 70 C95 30 80 0 50 0",
        "zero-clockwise": "M45 2 C85 -5 100 40 96 80 C90 130 60 145 35 136 C0 120 0 40 30 8",
        "zero-slashed": "M50 0 C10 0 5 40 5 70 C5 100 10 140 50 140 C90 140 95 100 95 70 C95 40 90 0 50 0 "
        "M85 15 L15 125",
        "zero-narrow": "M50 0 C30 5 25 40 25 72 C25 110 35 140 50 140 C68 140 76 105 76 70 C76 35 66 0 46 2",
        "zero-loose-end": "M70 8 C40 -6 8 26 6 76 C6 120 32 144 58 138 C92 128 100 70 86 32 C80 14 66 6 48 14",
        "zero-squarish": "M30 4 C10 6 8 20 8 60 L8 100 C8 136 20 138 50 138 C88 138 92 124 92 90 L92 40 "
        "C92 8 80 2 30 4",
        "zero-slash-long": "M50 0 C10 0 5 40 5 70 C5 100 10 140 50 140 C90 140 95 100 95 70 C95 40 90 0 50 0 "
        "M104 -10 L-6 150",
        "zero-slash-upright": "M50 0 C10 0 5 40 5 70 C5 100 10 140 50 140 C90 140 95 100 95 70 C95 40 90 0 50 0 "
        "M50 -18 L50 158",
        "zero-slash-level": "M50 0 C10 0 5 40 5 70 C5 100 10 140 50 140 C90 140 95 100 95 70 C95 40 90 0 50 0 "
        "M-16 76 L118 66",
        "zero-backslash": "M50 0 C10 0 5 40 5 70 C5 100 10 140 50 140 C90 140 95 100 95 70 C95 40 90 0 50 0 "
        "M14 20 L88 122",
        "zero-open-top": "M28 6 C-2 30 0 138 50 138 C102 138 98 40 76 4",
        "zero-curled-start": "M52 44 C70 30 66 8 44 6 C10 8 4 50 6 76 C8 120 26 140 52 138 C92 134 100 70 88 34 "
        "C82 16 70 6 56 2",
        "zero-flag": "M40 6 C4 20 0 136 48 138 C96 136 92 40 66 14 C58 6 74 -4 112 0",
    },
    "1": {
        "one-bar": "M50 0 L50 140",
        "one-flag": "M25 28 L52 0 L52 140",
        "one-europe": "M5 62 L58 0 L58 140",
        "one-flag-and-foot": "M28 26 L52 2 L52 138 M18 139 L86 139",
        "one-leaning": "M74 0 L30 140",
        "one-curved-flag": "M26 34 C40 28 48 16 54 0 C52 50 50 100 50 140",
        "one-lambda": "M0 138 L50 0 L74 140",
        "one-long-upstroke": "M-4 96 L56 0 L62 140",
        "one-level-flag": "M18 8 L54 4 L50 140",
        "one-wide-foot": "M46 2 L46 138 M4 139 L96 138",
        "one-tick": "M8 96 L26 140 L60 0",
        "one-slanted-upstroke": "M14 44 L76 0 L36 140",
        "one-hooked-foot": "M46 0 L44 118 C46 138 58 142 72 134",
    },
    "2": {
        "two-school": "M8 36 C8 8 28 0 50 0 C78 0 92 18 90 42 C88 70 50 100 6 138 L94 138",
        "two-loop": "M12 30 C20 4 60 -8 80 16 C98 44 70 96 36 124 C14 140 0 128 6 114 C14 98 40 106 58 122 L96 130",
        "two-swan": "M6 48 C0 10 40 -10 66 6 C100 28 76 74 52 98 C36 116 20 128 4 138 C36 122 62 136 94 132",
        "two-angular": "M6 12 L70 4 L84 30 L8 136 L92 132",
        "two-flat": "M4 30 C20 -6 96 -6 84 46 C78 80 30 110 10 134 C30 142 70 136 98 136",
        "two-spiral": "M36 40 C20 44 6 30 18 14 C36 -8 84 0 84 36 C84 74 44 104 10 136 C34 130 60 140 92 130",
        "two-large-loop": "M40 18 C60 -10 104 2 92 44 C80 84 40 138 4 132 C-24 124 -6 84 30 92 C56 98 74 124 104 138",
        "two-short-foot": "M8 30 C24 -10 90 -8 84 40 C78 76 44 108 14 132 L58 138",
        "two-falling-foot": "M10 30 C26 -8 84 -4 80 40 C74 76 44 106 12 118 C34 110 60 132 88 156",
    },
    "3": {
        "three-school": "M8 22 C20 -4 84 -8 86 32 C86 58 62 66 40 66 C66 66 94 76 94 104 C92 146 16 150 4 114",
        "three-flat-topped": "M8 2 L88 2 L44 56 C78 54 96 74 94 100 C90 144 26 148 4 122",
        "three-sharp-waist": "M12 14 C40 -12 92 6 80 40 C74 56 56 64 30 68 C70 62 98 80 92 110 C84 144 30 146 2 128",
        "three-curled-waist": "M10 20 C26 -8 88 -2 80 36 C74 62 34 70 34 62 C36 52 90 60 92 100 C92 140 30 152 4 120",
        "three-tailed": "M20 10 C60 -14 96 16 70 46 C60 58 44 62 30 62 C74 60 100 84 80 120 C64 146 20 150 -10 140",
        "three-angles": "M10 6 L80 10 L34 62 L84 84 L66 130 L6 136",
        "three-nearly-straight": "M6 14 C40 -10 82 2 66 34 C60 48 54 58 50 64 C72 74 76 110 48 128 "
        "C36 136 18 140 2 140",
        "three-zed": "M2 4 L90 2 L24 64 C86 58 98 92 80 118 C62 140 26 142 0 134",
        "three-small-top": "M26 20 C40 2 70 6 62 34 C56 50 42 56 30 58 C76 56 98 84 80 118 C60 146 18 140 2 122",
    },
    "4": {
        "four-open": "M20 0 L8 82 L96 82 M72 6 L70 140",
        "four-closed": "M70 140 L70 0 L4 96 L98 96",
        "four-closed-two-strokes": "M66 0 L4 92 L98 92 M66 2 L66 140",
        "four-rounded": "M14 4 C4 60 12 78 40 74 C62 72 82 56 86 10 M86 0 C84 60 80 110 70 140",
        "four-loop": "M64 2 L6 84 C40 90 72 84 92 66 M74 34 L58 140",
        "four-long-tail": "M16 6 C10 30 6 44 6 60 L92 54 M80 0 C76 60 66 120 50 170",
        "four-low-bar": "M52 0 L2 104 L90 100 M60 62 L58 140",
        "four-lightning": "M44 0 L10 74 L78 64 L48 140",
        "four-l-apart": "M14 0 L6 78 L62 80 M96 24 L92 144",
        "four-slanted-narrow": "M56 0 L14 90 L76 90 M58 56 L52 140",
        "four-cup": "M12 2 C4 40 8 66 34 66 C62 66 78 40 82 2 M80 40 L76 140",
        "four-one-line": "M68 0 L8 72 L72 60 L80 10 L66 140",
    },
    "5": {
        "five-school": "M22 4 L16 62 C40 44 92 48 92 92 C92 142 30 150 4 122 M22 4 L88 4",
        "five-one-stroke": "M88 2 L22 4 L14 60 C52 44 96 60 90 98 C84 140 30 148 4 126",
        "five-as-an-s": "M86 8 C60 -6 14 2 18 36 C22 66 88 58 90 98 C90 140 30 148 6 122",
        "five-angles": "M84 2 L16 4 L14 60 L78 66 L82 124 L8 136",
        "five-bar-apart": "M26 16 L18 64 C50 50 88 66 84 100 C80 136 34 146 6 130 M34 4 L98 -4",
        "five-steep": "M40 0 L24 54 C60 48 76 74 66 104 C58 130 30 142 0 136 M42 2 L94 6",
        "five-top-apart": "M18 26 L14 66 C50 52 90 66 84 102 C78 138 30 146 2 128 M36 -4 L112 -10",
        "five-no-top": "M22 0 L16 62 C52 48 90 66 86 100 C80 138 32 146 2 126",
        "five-small-hook": "M92 0 L26 8 L18 52 C50 62 66 92 40 138",
        "five-top-across": "M30 8 L22 62 C56 46 92 66 86 102 C80 138 34 144 4 128 M-6 12 L96 2",
    },
    "6": {
        "six-school": "M74 2 C36 26 6 66 8 104 C10 150 90 150 90 102 C90 60 24 60 10 102",
        "six-curled": "M84 20 C70 -8 30 4 14 54 C-2 110 24 142 50 140 C86 136 98 90 72 74 C46 62 16 82 12 110",
        "six-straight": "M30 0 C20 50 12 90 16 116 C22 148 82 146 84 108 C84 72 34 70 18 104",
        "six-small-belly": "M66 0 C30 40 8 84 14 116 C22 146 64 142 64 114 C62 92 32 90 20 110",
        "six-slanting": "M96 4 C50 30 16 70 14 104 C14 142 64 146 76 112 C84 82 44 74 22 98",
        "six-wide": "M60 2 C20 20 0 66 4 96 C8 138 96 150 98 106 C98 70 40 72 14 92",
        "six-tiny-loop": "M64 0 C40 40 16 92 18 124 C22 146 52 142 52 122 C50 108 30 108 22 118",
        "six-far-slanted": "M128 6 C80 26 24 84 14 118 C10 144 56 146 70 118 C76 96 46 88 22 108",
        "six-unclosed": "M72 4 C30 24 2 80 12 116 C22 148 82 144 84 110 C84 96 74 84 58 84",
    },
    "7": {
        "seven-plain": "M6 4 L92 4 L38 140",
        "seven-crossed": "M8 6 L90 4 L44 140 M22 70 L84 66",
        "seven-serif": "M10 30 L10 4 L90 4 L46 140",
        "seven-curved": "M4 14 C30 4 60 12 92 4 C66 50 48 96 44 140",
        "seven-serif-and-cross": "M8 26 L12 6 C40 14 66 8 92 4 L40 138 M28 72 L80 62",
        "seven-round-shoulder": "M4 8 C40 0 90 -6 92 20 C90 50 56 90 48 140",
        "seven-low-bar": "M4 6 L90 2 L44 140 M14 104 L92 96",
        "seven-bar-right": "M10 12 C36 0 64 6 80 2 C66 50 52 96 46 140 M36 78 L128 70",
        "seven-japanese-serif": "M12 58 L12 6 L88 4 C84 60 74 100 66 140",
        "seven-round-bar": "M12 20 C40 -8 76 4 70 34 C66 70 52 104 44 140 M14 86 L116 80",
        "seven-steep": "M8 14 L62 2 L48 140",
    },
    "8": {
        "eight-s-first": "M82 24 C76 -6 14 -8 16 34 C18 66 92 68 92 104 C92 150 6 150 6 106 C8 70 78 66 82 26",
        "eight-two-rings": "M50 64 C10 62 10 0 50 0 C90 0 90 62 50 64 M50 66 C-4 68 -4 140 50 140 "
        "C104 140 104 68 50 66",
        "eight-open-top": "M70 12 C40 -10 8 14 24 42 C40 66 88 78 86 110 C80 150 8 146 10 108 C14 74 70 50 92 2",
        "eight-from-the-waist": "M46 62 C0 40 26 -8 58 2 C98 20 70 54 46 64 C0 84 -4 138 46 140 C102 138 98 84 44 62",
        "eight-slanting": "M92 14 C66 -12 26 8 34 36 C42 62 78 82 62 116 C44 150 0 132 10 104 C20 76 96 58 92 16",
        "eight-narrow": "M66 10 C50 -6 30 6 34 34 C40 64 68 76 66 108 C62 144 30 146 28 110 C30 76 66 60 66 12",
        "eight-tall": "M62 8 C50 -4 36 6 40 34 C44 64 62 80 60 112 C56 144 34 144 34 112 C36 78 60 62 62 10",
        "eight-unclosed": "M80 14 C50 -10 10 6 22 40 C36 66 84 76 80 112 C76 146 20 146 18 110 C20 88 42 74 66 58",
        "eight-s-and-line": "M86 12 C60 -8 8 0 20 40 C30 66 88 76 80 114 C72 148 14 144 12 114 L94 12",
        "eight-two-horns": "M22 2 C24 40 88 72 84 112 C78 148 18 146 14 112 C14 72 76 44 84 0",
    },
    "9": {
        "nine-straight": "M88 40 C88 -12 8 -14 8 40 C10 86 80 80 88 36 L88 140",
        "nine-curled": "M86 44 C86 -10 10 -12 8 38 C10 80 78 80 88 34 C94 90 86 146 44 140 C24 138 12 126 10 116",
        "nine-ring-and-stick": "M78 36 C78 -6 10 -8 8 36 C8 78 76 80 78 36 M84 2 C82 50 80 100 76 140",
        "nine-leaning": "M84 20 C54 -14 6 18 14 52 C24 82 76 60 88 12 C82 60 66 104 48 142",
        "nine-clockwise": "M70 60 C30 76 0 50 14 22 C34 -12 88 -4 88 40 C88 86 66 120 30 140",
        "nine-hook": "M80 22 C60 -10 8 4 10 44 C14 82 78 70 82 20 L80 110 C78 142 40 146 20 126",
        "nine-g": "M78 14 C66 -6 34 0 34 22 C36 44 70 40 80 16 C92 80 84 130 40 138 C20 140 0 132 -18 120",
        "nine-slanted-stem": "M96 16 C80 -8 40 2 38 32 C40 58 80 48 94 14 L30 142",
        "nine-open-top": "M34 2 C4 30 14 64 44 60 C66 56 76 30 80 10 C82 50 74 100 62 142",
        "nine-open-front": "M82 8 C54 -6 16 8 20 36 C24 56 62 52 80 28 C88 90 60 136 6 138",
        "nine-far-hook": "M74 14 C50 -6 10 10 16 40 C24 66 66 56 76 16 C84 90 70 140 10 140 C0 140 -8 136 -14 130",
    },
}


def drawings(hands: int = HANDS) -> Iterator[dict[str, Any]]:
    """All drawings by this many hands: `label`, `style`, `hand`, and `strokes` as `/predict` takes them."""
    for label, styles in SHAPES.items():
        for number, (style, path) in enumerate(styles.items()):
            for hand in range(hands):
                rng = np.random.default_rng([71, int(label), number, hand])
                strokes = [np.round(stroke, 1).tolist() for stroke in _by_hand(_strokes(path), rng)]
                yield {"label": label, "style": style, "hand": hand, "strokes": strokes}


def _strokes(path: str) -> list[Points]:
    """The strokes of a path of M, L and C, each as points about two apart."""
    words = path.replace("M", " M ").replace("L", " L ").replace("C", " C ").split()
    strokes: list[list[Points]] = []
    here = np.zeros(2)
    i = 0
    while i < len(words):
        command = words[i]
        count = 3 if command == "C" else 1
        ends = np.array(words[i + 1 : i + 1 + 2 * count], float).reshape(-1, 2)
        i += 1 + 2 * count
        if command == "M":
            strokes.append([ends])
        else:
            steps = max(2, int(np.abs(np.diff(np.vstack([here, ends]), axis=0)).sum() / 2))
            t = np.linspace(0, 1, steps + 1)[1:, None]
            if command == "L":
                strokes[-1].append(here + t * (ends[0] - here))
            else:
                a, b, c = ends
                strokes[-1].append((1 - t) ** 3 * here + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t**2 * b + t**3 * c)
        here = ends[-1]
    return [np.concatenate(stroke) for stroke in strokes]


def _by_hand(strokes: list[Points], rng: np.random.Generator) -> list[Points]:
    centre = np.array([50, 70])
    turn, shear = rng.normal(0, 0.09), rng.normal(-0.1, 0.16)
    cosine, sine = np.cos(turn), np.sin(turn)
    proportion = np.diag([np.exp(rng.normal(-0.1, 0.2)), 1.0])
    linear = np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, shear], [0, 1]]) @ proportion
    tilt = rng.normal(0, 0.0012, 2)  # perspective
    bend = rng.normal(0, 0.0009, (2, 2))  # x with y², y with x²
    size = rng.uniform(0.6, 2.9)
    place = rng.random(2)
    tremor = rng.choice([0.0, 0.6, 1.4])
    step = float(rng.choice([3.0, 8.0, 18.0]))  # between the points that the device reports
    pixels = rng.random() < 0.3
    drawn = []
    for number, stroke in enumerate(strokes):
        moved = (stroke - centre + rng.normal(0, 2.5, 2) * (number > 0)) @ linear.T
        x, y = moved.T
        moved = np.stack([x + bend[0, 0] * y * y + bend[0, 1] * x * y, y + bend[1, 0] * x * x], axis=1)
        moved /= (1 + moved @ tilt)[:, None]
        # a random walk around the line
        steps = rng.normal(0, tremor * 0.5, moved.shape)
        drawn.append(moved + np.stack([np.convolve(axis, RETURN)[: len(moved)] for axis in steps.T], axis=1))
    points = np.concatenate(drawn)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    size = min(size, (CANVAS - 2 * MARGIN) / float(extent.max()))
    begin = MARGIN + place * (CANVAS - 2 * MARGIN - size * extent)
    drawn = [_reported((stroke - low) * size + begin, step) for stroke in drawn]
    return [np.round(stroke) for stroke in drawn] if pixels else drawn


def _reported(path: Points, step: float) -> Points:
    """The points of a path that a device reports, evenly spaced, and always the last."""
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
    at = np.r_[np.arange(0, along[-1], step), along[-1]]
    return np.stack([np.interp(at, along, path[:, axis]) for axis in (0, 1)], axis=1)


if __name__ == "__main__":
    print(json.dumps({"drawings": list(drawings())}))
