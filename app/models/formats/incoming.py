"""A model that comes as one file."""

from app.models.formats.archive import unpack
from app.models.formats.onnx_import import convert_onnx

_ZIP, _ONNX = b"PK", b"\x08"


def read_model(data: bytes, *, is_onnx: bool) -> tuple[bytes, bytes]:
    """The card and the weights of the model in a file.

    It is a zip or ONNX as its first byte says, or else as `is_onnx` does, from its name or its type. Raises ValueError,
    and MissingExtraError.
    """
    is_onnx = data.startswith(_ONNX) or (is_onnx and not data.startswith(_ZIP))
    return convert_onnx(data) if is_onnx else unpack(data)
