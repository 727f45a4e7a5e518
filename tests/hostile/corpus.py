"""Small valid files for every parser of `PARSERS`, made by the code itself: where fuzzing begins."""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Sequence
from functools import cache

import numpy as np
from safetensors.numpy import save

from app.data.sources.idx import UNSIGNED_BYTE
from app.models import ModelCard
from app.models.formats.onnx_export import write as write_onnx
from app.models.formats.source import Source
from app.nn import Network
from tests.hostile.images import JPEG, PNG, form
from tests.hostile.models import CARD, card, pair, zipped
from tests.support.zips import bar_files, zip_of

STROKES = [[[0, 0], [10, 30.5], [-1e3, 2]], [[5, 5]]]
DIGIT = '.SEGMENT DIGIT 0 ? "7"\n.COMMENT 7 3 1\n.PEN_DOWN\n 10 90\n 60 90\n.PEN_UP\n.DT 100\n'


def small_model() -> tuple[bytes, bytes, Network]:
    """The card, the weights and the network of a model of every kind of layer that ONNX has."""
    layers = [{"type": "dense", "units": 2}, {"type": "batch_norm"}, {"type": "relu"}, {"type": "dense", "units": 2}]
    network = Network.from_spec({"layers": layers}, input_shape=(784,))
    weights = save({name: np.ascontiguousarray(array) for name, array in network.weights().items()})
    return card(weights, network=network.spec(), labels=["a", "b"], calibration=None), weights, network


def _idx(array: np.ndarray, code: int = UNSIGNED_BYTE) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape) + array.tobytes()


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _dump(*documents: object) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


@cache
def corpus(parser: str) -> Sequence[bytes]:
    """The files for a parser."""
    images, labels = np.eye(28, dtype=np.uint8)[None].repeat(12, 0), np.arange(12, dtype=np.uint8) % 2
    text, weights, network = small_model()
    tensor = {"name": "input", "datatype": "FP32", "shape": [1, 784]}
    drawing = {"label": "1", "strokes": STROKES}
    line = b",".join([b"0"] * 784)
    match parser:
        case "idx":
            return [_idx(images[:1]), _idx(labels), gzip.compress(_idx(labels)), _idx(labels.astype(">f4"), 0x0D)]
        case "npy":
            return [_npy(images), _npy(np.asfortranarray(images.reshape(12, 784).astype(float))), _npy(images > 0)]
        case "npz":
            return [_npz(x_train=images, y_train=labels, labels=np.array(["a", "b"]))]
        case "csv":
            return [b"\n".join(b"%d," % (row % 2) + line for row in range(12)), b'label;"x"\n"1";.5e1\n']
        case "upload":
            files = {"t/train.csv": b"1,2\n", "a/x-images-idx3-ubyte": _idx(images[:1])}
            return [zip_of(bar_files()), zip_of(bar_files(), zipfile.ZIP_STORED), zip_of(files), b"1,2\n"]
        case "unipen":
            return [DIGIT.encode() * 2]
        case "lzw":
            return [b"\x1f\x9d\x90" + bytes(range(40)), zip_of({"pendigits-orig.tra.Z": b"\x1f\x9d\x90abc"})]
        case "drawing":
            return _dump({**drawing, "created": "2024-01-01T00:00:00Z", "id": "x", "set": "mine"})
        case "card":
            return [json.dumps(CARD).encode(), text]
        case "safetensors":
            return [weights, save({"rejection.mean": np.zeros(3, np.float32)})]
        case "model":
            return [zipped(**pair(text, weights)), zipped(zipfile.ZIP_STORED, **pair(text, weights))]
        case "onnx":
            return [write_onnx(Source(ModelCard.model_validate_json(text), network, weights))]
        case "image" | "png":
            return [PNG, JPEG] if parser == "image" else [PNG]
        case "predict":
            return _dump({"strokes": STROKES}, [{"strokes": STROKES}, {"pixels": [0] * 784}], {"image": "AAAA"})
        case "infer":
            binary = {"inputs": [{**tensor, "datatype": "UINT8", "parameters": {"binary_data_size": 784}}]}
            return [*_dump({"inputs": [{**tensor, "data": [0] * 784}]}), *_dump(binary), _dump(binary)[0] + bytes(785)]
        case "import":
            return _dump({"format": "digitpad-drawings", "version": 1, "drawings": [drawing]})
        case "base64":
            return [b"data:image/png;base64,iVBORw0%4bGgo=", b"AA-_\n"]
        case "form":
            return [form(b"x"), form(PNG)]
        case "json":
            return _dump({"a": [1, 2.5e-3, "ü\n", None, True], "b": {}})
    raise KeyError(parser)
