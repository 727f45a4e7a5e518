"""Writes answers.json and images.npz: what the server answers to the drawings of `cases`, and the 28×28 that it saw.

`python -m tests.js.golden.make_golden`, where the preprocessing or the networks change on purpose.
"""

import json
from pathlib import Path

import numpy as np

from tests.js.golden.cases import cases

FOLDER = Path(__file__).parent
ANSWERS, IMAGES = FOLDER / "answers.json", FOLDER / "images.npz"
UNITS = 65535
"""From paper to ink, in the images of the file."""
PLACES = 6


def main() -> None:
    lines, images = [], {}
    for case in cases():
        for name, response in zip(case.drawings, case.responses(), strict=True):
            answers = [response, *response.get("digits", [])]
            images[name] = np.rint(np.stack([answer.pop("input") for answer in answers]) * UNITS).astype(np.uint16)
            for answer in answers:
                answer["probabilities"] = {k: round(value, PLACES) for k, value in answer["probabilities"].items()}
                answer["score"] = answer["score"] and round(answer["score"], PLACES)
            lines.append(json.dumps([case.card.name, name, response]))
    ANSWERS.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    np.savez_compressed(IMAGES, **images)


if __name__ == "__main__":
    main()
