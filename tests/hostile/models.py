"""Models that are none, and zips that mean harm."""

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable

from app.settings import SHIPPED_MODELS
from tests.hostile.images import PNG

FOLDER = SHIPPED_MODELS / "mnist-mlp"
CARD = json.loads((FOLDER / "model.json").read_bytes())
WEIGHTS = (FOLDER / "model.safetensors").read_bytes()


def card(weights: bytes = WEIGHTS, **changes) -> bytes:
    """The shipped model's card, changed, and true to `weights`."""
    return json.dumps({**CARD, "sha256": hashlib.sha256(weights).hexdigest(), **changes}).encode()


def zipped(compression: int = zipfile.ZIP_DEFLATED, **files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return file.getvalue()


def pair(card_: bytes, weights: bytes = WEIGHTS) -> dict[str, bytes]:
    return {"model.json": card_, "model.safetensors": weights}


class Bomb:
    def __reduce__(self):
        return (print, ("never",))


PICKLE = pickle.dumps({"0.weight": Bomb()})


def encrypted() -> bytes:
    """A zip whose entries say that they are encrypted."""
    data = bytearray(zipped(zipfile.ZIP_STORED, **pair(card())))
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = -1
        while (place := data.find(signature, place + 1)) >= 0:
            data[place + offset] |= 1
    return bytes(data)


GOOD = zipped(**pair(card()))
ZIPS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no zip": lambda: b"hello",
    "empty": lambda: zipped(),
    "truncated": lambda: GOOD[: len(GOOD) // 2],
    "its end alone": lambda: GOOD[-22:],
    "one file": lambda: zipped(**{"model.json": card()}),
    "more files": lambda: zipped(**pair(card()), **{"x.txt": b"1"}),
    "a name twice": lambda: zipped(**pair(card()), **{"a__model.json": card()}),
    "a pickle": lambda: zipped(**{"model.pkl": PICKLE, "model.json": card()}),
    "100,000 entries": lambda: zipped(**{f"f{index}": b"" for index in range(50_000)}),
    "a bomb of weights": lambda: zipped(**pair(card(), b"\0" * (80 * 2**20))),
    "a bomb of a card": lambda: zipped(**pair(b" " * (100 * 2**20))),
    "names that lead out": lambda: zipped(
        **{"..__..__model.json": card(), "__etc__model.safetensors": WEIGHTS, "..__x": b""}
    ),
    "encrypted": lambda: encrypted(),
    "bzip2 that is cut": lambda: zipped(zipfile.ZIP_BZIP2, **pair(card()))[:-1000],
    "a PNG": lambda: PNG,
}
"""Made when they are wanted: some are seconds of packing."""
