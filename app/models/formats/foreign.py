"""Files of other kinds that are brought as a model: named by their first bytes, with the way to bring their model."""

from app.errors import InputError, Message

_HTML = Message("expected a model; got an HTML page: download the file itself, not the page that shows it")
_TFLITE = Message(
    "expected a model; got a TensorFlow Lite file (TFLite): convert it with `python -m tf2onnx.convert --tflite`"
)
_TFJS = Message("expected a model; got one of TensorFlow.js: convert it with `python -m tf2onnx.convert --tfjs`")
_SAVED_MODEL = Message(
    "expected a model; got a TensorFlow SavedModel: convert its folder with `python -m tf2onnx.convert --saved-model`"
)
_SAFETENSORS = Message(
    "expected a model; got safetensors, which are weights alone: bring them in a zip with their card"
)
_JSON = Message("expected a model; got JSON, such as a model card: bring the card in a zip with its weights")
_TORCH = Message("expected a model; got a file of PyTorch: load it there, and write it with `torch.onnx.export`")

_STARTS = {
    b"version https://git-lfs": Message(
        "expected a model; got a Git LFS pointer, which only names the file: fetch it with `git lfs pull`"
    ),
    b"\x89HDF\r\n\x1a\n": Message(
        "expected a model; got HDF5, as Keras writes it: write ONNX with `model.export('model.onnx', format='onnx')`"
    ),
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.": _TORCH,
    b"\x80": Message(
        "expected a model; got a Python pickle, which is never opened: write ONNX with `torch.onnx.export` or skl2onnx"
    ),
    b"\x08\x01\x12": _SAVED_MODEL,
    b"\x93NUMPY": Message("expected a model; got an array of NumPy, which has no network"),
    b"\x1f\x8b": Message("expected a model; got a file packed with gzip: unpack it first"),
}
_NAMES = {
    b"model.weights.h5": Message(
        "expected a model; got a .keras file: write ONNX with `model.export('model.onnx', format='onnx')`"
    ),
    b"saved_model.pb": _SAVED_MODEL,
    b"/data.pkl": _TORCH,
    b"group1-shard": _TFJS,
    b".onnx": Message("expected a model; got a zip with an ONNX file in it: unpack it first"),
    b".npy": Message("expected a model; got arrays of NumPy, which have no network"),
}
"""Names of files in zips, which have them as they are."""


def refuse_foreign(data: bytes) -> None:
    """Raise InputError if data are of a kind that is known and is neither a zip nor ONNX."""
    found = next((message for start, message in _STARTS.items() if data.startswith(start)), None)
    text = data[:200].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        found = _HTML
    elif data[4:8] == b"TFL3":
        found = _TFLITE
    elif data[8:9] == b"{" and int.from_bytes(data[:8], "little") < len(data):
        found = _SAFETENSORS
    elif text.startswith(b"{"):
        found = _TFJS if b'"weightsManifest"' in data else _JSON
    if found is not None:
        raise InputError(found)


def refuse_foreign_zip(data: bytes) -> None:
    """Raise InputError if data are a zip of another program's model; for zips that are no model."""
    for name, message in _NAMES.items():
        if name in data:
            raise InputError(message)
