"""Export and import of drawings as JSON of strokes, and export as a zip of PNGs."""

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from io import BytesIO
from typing import IO, Any

from PIL import Image

from app.data.drawings.drawing import DEFAULT_SET, Drawing, new_drawing
from app.data.drawings.store import DrawingStore
from app.data.preprocessing.normalize import to_uint8
from app.data.preprocessing.prepare import from_strokes
from app.errors import InputError, message_of
from app.nn import abbreviate

FORMAT = "digitpad-drawings"
MOST_IMPORTED = 5_000
"""The most drawings of an import."""
_KEYS = {"label", "strokes", "set", "id", "created"}
_UNSAFE = frozenset('/\\:*?"<>|%.')
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}
"""Reserved device names of Windows."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def as_json(store: DrawingStore, sets: Sequence[str]) -> Iterator[bytes]:
    """Sets as JSON for `read_json_export`, in chunks."""
    yield f'{{"format": "{FORMAT}", "version": 1, "drawings": ['.encode()
    first = True
    for name in sets:
        for drawing in store.each(name):
            text = json.dumps(asdict(drawing), ensure_ascii=False, separators=(",", ":"))
            yield ("\n" if first else ",\n").encode() + text.encode()
            first = False
    yield b"\n]}\n"


def read_json_export(data: Any, set_name: str | None = None) -> list[Drawing]:
    """The drawings in parsed JSON of `as_json`, with new ids; in the set `set_name` if given.

    Raises ValueError with the index of the first invalid one.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT or data.get("version") != 1:
        raise InputError(
            'expected an object with "format": "{format}" and "version": 1; got something else', format=FORMAT
        )
    drawings = data.get("drawings")
    if not isinstance(drawings, list) or not 1 <= len(drawings) <= MOST_IMPORTED:
        raise InputError(
            "expected a list of 1 to {most}; got {got}",
            field="drawings",
            most=MOST_IMPORTED,
            got=len(drawings) if isinstance(drawings, list) else abbreviate(drawings),
        )
    found = []
    for index, item in enumerate(drawings):
        if not isinstance(item, dict) or not {"label", "strokes"} <= set(item) <= _KEYS:
            raise InputError("expected an object with label, strokes and optionally set", field=f"drawings[{index}]")
        try:
            found.append(new_drawing(item["label"], item["strokes"], set_name or item.get("set", DEFAULT_SET)))
        except ValueError as error:
            raise InputError(message_of(error).within(f"drawings[{index}]")) from None
    return found


def write_zip(store: DrawingStore, sets: Sequence[str], file: IO[bytes]) -> None:
    """Write the drawings' 28×28 images as PNGs, white ink on black, into a zip: `<set>/<label>/<id>.png`."""
    with zipfile.ZipFile(file, "w") as archive:  # stored, as PNGs are compressed
        for name in sets:
            for drawing in store.each(name):
                info = zipfile.ZipInfo(f"{name}/{folder_of(drawing.label)}/{drawing.id}.png", _EPOCH)
                archive.writestr(info, as_png(drawing))


def as_png(drawing: Drawing) -> bytes:
    """The network's input for a drawing as a PNG, 28×28, white ink on black."""
    packed = BytesIO()
    Image.fromarray(to_uint8(from_strokes(drawing.strokes).pixels)).save(packed, "PNG")
    return packed.getvalue()


def folder_of(label: str) -> str:
    """A label as a folder's name, with unsafe characters escaped as in a URL ("%2F")."""
    name = "".join(f"%{ord(character):02X}" if character in _UNSAFE else character for character in label)
    return f"%{ord(name[0]):02X}{name[1:]}" if name.upper() in _RESERVED else name
