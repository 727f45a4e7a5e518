"""The export formats of models: the table `FORMATS`, and `export_model`."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.data.preprocessing.normalize import IMAGE_SIZE
from app.errors import InputError
from app.models.formats.archive import pack
from app.models.formats.html import write as write_html
from app.models.formats.javascript import write as write_js
from app.models.formats.keras import write as write_keras
from app.models.formats.npz import write as write_npz
from app.models.formats.onnx_export import OPSET
from app.models.formats.onnx_export import write as write_onnx
from app.models.formats.source import Source
from app.models.store import CARD, ModelStore
from app.nn import abbreviate
from app.storage.atomic import write_named


@dataclass(frozen=True)
class Format:
    """A format; `ending` follows the model's name in a file's name."""

    title: str
    ending: str
    media_type: str
    make: Callable[[ModelStore, str], bytes]


def _from_source(make: Callable[[Source], bytes]) -> Callable[[ModelStore, str], bytes]:
    def write(store: ModelStore, name: str) -> bytes:
        source = Source.of(store, name)
        shape = source.network.input_shape
        if math.prod(shape) != IMAGE_SIZE**2:
            raise InputError(
                "expected a model that reads {image_size}×{image_size} pixels; got inputs of {shape}",
                image_size=IMAGE_SIZE,
                shape=shape,
            )
        return make(source)

    return write


def _card(store: ModelStore, name: str) -> bytes:
    store.get(name)
    return store.path(name, CARD).read_bytes()


FORMATS: Mapping[str, Format] = {
    "zip": Format(
        "the whole model, which another digitpad imports",
        ".zip",
        "application/zip",
        lambda store, name: pack(_card(store, name), Source.of(store, name).weights),
    ),
    "safetensors": Format(
        "the weights alone",
        ".safetensors",
        "application/octet-stream",
        lambda store, name: Source.of(store, name).weights,
    ),
    "card": Format("the model card, as JSON", ".json", "application/json", _card),
    "onnx": Format(
        f"ONNX, opset {OPSET}, for ONNX Runtime and others",
        ".onnx",
        "application/onnx",
        _from_source(write_onnx),
    ),
    "npz": Format(
        "the weights and the description of the network, for NumPy alone",
        ".npz",
        "application/octet-stream",
        _from_source(write_npz),
    ),
    "keras": Format(
        "the weights as Keras' set_weights takes them, and a program that builds the model",
        "-keras.zip",
        "application/zip",
        _from_source(write_keras),
    ),
    "html": Format(
        "one page that draws and reads without any server",
        ".html",
        "text/html",
        _from_source(write_html),
    ),
    "js": Format(
        "a JavaScript module that a page imports, without any server",
        ".js",
        "text/javascript",
        _from_source(write_js),
    ),
}


def format_named(name: str) -> Format:
    """The format with this name. Raises ValueError."""
    if name not in FORMATS:
        raise InputError(
            "expected one of {names}; got {value}", field="format", names=", ".join(FORMATS), value=abbreviate(name)
        )
    return FORMATS[name]


def exported(store: ModelStore, name: str, format: str) -> bytes:
    """The file of model `name` in a format; equal models give equal bytes.

    Raises UnknownModelError, DamagedModelError, ValueError if there is no such format or the model does not fit it, and
    MissingExtraError if it needs a package that is not installed.
    """
    return format_named(format).make(store, name)


def export_model(store: ModelStore, name: str, format: str, out: Path) -> Path:
    """Write model `name` in a format to the file `out`, or into the folder `out`; return the file.

    Raises as `exported`, and OSError.
    """
    kind = format_named(format)
    path = out / f"{name}{kind.ending}" if out.is_dir() else out
    write_named(path, exported(store, name, format))
    return path
