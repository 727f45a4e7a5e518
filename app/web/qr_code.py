"""Addresses as QR codes; the extra `qr` has what draws them."""

from typing import TextIO

try:
    import segno
except ImportError:  # the extra is not installed: addresses are shown without their codes
    segno = None  # type: ignore[assignment]

QUIET_ZONE = 4
"""Modules of light around a code, which ISO/IEC 18004 asks for."""


def print_code(text: str, out: TextIO) -> None:
    """Print the QR code of a text to a terminal, two modules a character; nothing without the extra."""
    if segno is not None:
        segno.make(text, error="l", micro=False).terminal(out, border=QUIET_ZONE, compact=True)


def svg_address(text: str) -> str | None:
    """Return the QR code of a text as a `data:` address of an SVG, dark on white; None without the extra."""
    if segno is not None:
        code = segno.make(text, error="m", micro=False)
        return str(code.svg_data_uri(border=QUIET_ZONE, scale=8, light="#fff", omitsize=True))
    return None  # type: ignore[unreachable]
