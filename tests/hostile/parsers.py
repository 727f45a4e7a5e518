"""Every parser of what comes from outside, as a function of the bytes: for fuzzing, and to measure the worst cases.

Each returns, or raises an error of the project: `REFUSALS`.
"""

import contextlib
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from starlette.requests import Request

from app.data import PreparedDrawing
from app.data.drawings.drawing import read_drawing
from app.data.drawings.export import read_json_export
from app.data.images.archive import place_upload
from app.data.images.preview import preview_images
from app.data.preprocessing.prepare import from_image
from app.data.sources.csv_file import load_csv
from app.data.sources.idx import read_any_idx
from app.data.sources.npz import load_npz
from app.data.sources.pendigits import _read, _unpack, parse_unipen
from app.errors import MessageError
from app.models.formats.archive import check, unpack
from app.models.formats.incoming import read_model
from app.nn.errors import SpecError
from app.web.api.inference_v2_tensors import read_input
from app.web.api.predict import LARGEST_BATCH, _prepare, from_base64
from app.web.api.request_body import parse_json, read_form
from tests.hostile.images import BOUNDARY, chunk
from tests.hostile.models import CARD, WEIGHTS, card, zipped
from tests.support.waiting import run_async

REFUSALS = (MessageError, SpecError)
"""The errors with which bytes may be refused: they have a message for a person."""


@contextlib.contextmanager
def _file(data: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        yield path


def _idx(data: bytes) -> None:
    with _file(data, "x") as path:
        read_any_idx(path)


def _npz(data: bytes) -> None:
    with _file(data, "x.npz") as path:
        load_npz("npz:x.npz", path, "1")


def _npy(data: bytes) -> None:
    """The images of an archive, which itself is whole."""
    labels = io.BytesIO()
    np.save(labels, np.arange(12) % 2)
    _npz(zipped(zipfile.ZIP_STORED, **{"x_train.npy": data, "y_train.npy": labels.getvalue()}))


def _csv(data: bytes) -> None:
    with _file(data, "x.csv") as path:
        load_csv("csv:x.csv", path, "1")


def _upload(data: bytes) -> None:
    with _file(data, "body") as path:
        files = path.parent / "files"
        files.mkdir()
        preview_images(files, place_upload(path, files))


def _unipen(data: bytes) -> None:
    with _file(data, "x.tra") as path:
        parse_unipen(_read(path))


def _lzw(data: bytes) -> None:
    _unpack(data, "0" * 64)


def _drawing_file(data: bytes) -> None:
    with _file(data, "0.json") as path:
        read_drawing(path, "mine")


def _card(data: bytes) -> None:
    """A card, made true to the weights where it is an object."""
    with contextlib.suppress(ValueError, RecursionError):
        given = json.loads(data)
        if isinstance(given, dict) and len(data) < 100_000:
            data = json.dumps({**given, "sha256": CARD["sha256"]}).encode()
    check(data, WEIGHTS)


def _weights(data: bytes) -> None:
    check(card(data), data)


def _model_zip(data: bytes) -> None:
    """A zip whose card, where it is one, is made true to its weights."""
    given, weights = unpack(data)
    with contextlib.suppress(ValueError, RecursionError):
        made = json.loads(given)
        if isinstance(made, dict):
            given = json.dumps({**made, "sha256": hashlib.sha256(weights).hexdigest()}).encode()
    check(given, weights)


def _onnx(data: bytes) -> None:
    check(*read_model(data, is_onnx=True))


def _png(data: bytes) -> None:
    """A PNG whose checksums are right, so that what is behind them is read."""
    parts, place = [data[:8]], 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        parts.append(chunk(data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    from_image(b"".join(parts))


def _predict(data: bytes) -> None:
    document = parse_json(data)
    drawings = (document if isinstance(document, list) else [document])[:LARGEST_BATCH]
    prepared: list[PreparedDrawing] = []
    while len(prepared) < len(drawings):
        _prepare(drawings, prepared, True)


def _infer(data: bytes) -> None:
    """JSON, and behind a zero byte the tensor's own."""
    text, _, binary = data.partition(b"\0")
    document = parse_json(text)
    read_input(document.get("inputs") if isinstance(document, dict) else None, binary)


def _import(data: bytes) -> None:
    read_json_export(parse_json(data))


def _base64(data: bytes) -> None:
    from_base64(data.decode("latin-1"))


def _form(data: bytes) -> None:
    async def read() -> None:
        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": data, "more_body": False}

        kind = f"multipart/form-data; boundary={BOUNDARY}".encode()
        scope = {"type": "http", "method": "POST", "app": None, "headers": [(b"content-type", kind)]}
        async with read_form(Request(scope, receive)):
            pass

    run_async(read())  # the event loop of a browser may be in this thread


PARSERS: dict[str, Callable[[bytes], object]] = {
    "idx": _idx,
    "npy": _npy,
    "npz": _npz,
    "csv": _csv,
    "upload": _upload,
    "unipen": _unipen,
    "lzw": _lzw,
    "drawing": _drawing_file,
    "card": _card,
    "safetensors": _weights,
    "model": _model_zip,
    "onnx": _onnx,
    "image": from_image,
    "png": _png,
    "predict": _predict,
    "infer": _infer,
    "import": _import,
    "base64": _base64,
    "form": _form,
    "json": parse_json,
}


def attempt(parser: str, data: bytes) -> str:
    """Parse, and return the message of the refusal, or an empty text. Any other error comes through."""
    try:
        PARSERS[parser](data)
    except REFUSALS as error:
        return str(error)
    return ""
