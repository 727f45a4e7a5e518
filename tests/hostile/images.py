"""Pictures that are none, would be too large to unpack, or are of another kind."""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

BOUNDARY = "limit"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: bytes, depth: int = 8, colour: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def encoded(kind: str, **options) -> bytes:
    image = Image.new("L", (40, 40), 255)
    image.paste(0, (15, 5, 25, 35))
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def form(data: bytes, name: str = "x.png", field: str = "file", kind: str = "image/png") -> bytes:
    head = (
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{field}"; filename="{name}"\r\n'
        f"content-type: {kind}\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


PNG = encoded("PNG")
JPEG = encoded("JPEG")


def jpeg_of_many_scans(count: int = 3000) -> bytes:
    """A progressive JPEG of 20 megapixels whose last scan comes again and again, in 36 bytes each."""
    file = io.BytesIO()
    Image.new("L", (5000, 4000), 200).save(file, "JPEG", progressive=True, quality=50)
    data = file.getvalue()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * count + data[-2:]


LARGE: dict[str, Callable[[], bytes]] = {
    "16 bits of grey": lambda: png(5000, 4000, (b"\0" + b"\0\x80" * 5000) * 4000, depth=16),
    "16 bits of colour and alpha": lambda: png(5000, 4000, (b"\0" + b"\x80\0\0\0\0\0\xff\xff" * 5000) * 4000, 16, 6),
    "equal luminance": lambda: png(5000, 4000, (b"\0" + b"\x96\x50\x50\x50\x71\x71" * 2500) * 4000, 8, 2),
    "JPEG of 50 scans": lambda: jpeg_of_many_scans(40),
}
"""Pictures of 20 megapixels, packed into very little."""

BAD: dict[str, Callable[[], bytes]] = {
    "bomb by its header": lambda: png(100_000, 100_000, b""),
    "bomb of 20.004 megapixels": lambda: png(5001, 4000, b"\0" * (5002 * 4000)),
    "bomb that is 8 MB of zeros packed": lambda: png(2**31 - 1, 2**31 - 1, b"\0" * 2**23),
    "no pixels": lambda: png(0, 0, b""),
    "truncated": lambda: PNG[: len(PNG) // 2],
    "truncated in its header": lambda: PNG[:20],
    "signature alone": lambda: PNG[:8],
    "data of another size": lambda: png(28, 28, b"\0" * 10),
    "wrong checksum": lambda: PNG[:40] + bytes([PNG[40] ^ 255]) + PNG[41:],
    "wrong depth": lambda: png(28, 28, b"\0" * 900, depth=7),
    "no palette": lambda: png(28, 28, b"\0" * 29 * 28, colour=3),
    "animated": lambda: encoded("PNG", save_all=True, append_images=[Image.new("L", (40, 40), 0)]),
    "text bomb": lambda: PNG[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 2**27, 9)) + PNG[33:],
    "JPEG truncated": lambda: JPEG[: len(JPEG) // 2],
    "JPEG bomb by its header": lambda: JPEG.replace(
        b"\xff\xc0\x00\x0b\x08\x00\x28\x00\x28", b"\xff\xc0\x00\x0b\x08\xff\xff\xff\xff"
    ),
    "JPEG of 3,000 scans": jpeg_of_many_scans,
    "JPEG of 100,000 comments": lambda: JPEG[:2] + b"\xff\xfe\0\2" * 100_000 + JPEG[2:],
    "JPEG of 100,000 EXIF blocks": lambda: JPEG[:2] + b"\xff\xe1\0\x08Exif\0\0" * 100_000 + JPEG[2:],
    "PNG of 100,000 chunks": lambda: PNG[:33] + chunk(b"teSt", b"") * 100_000 + PNG[33:],
    "PNG of 100,000 chunks at its end": lambda: PNG[:-12] + chunk(b"teSt", b"") * 100_000 + PNG[-12:],
    "a column of 19 megapixels": lambda: png(1, 19_000_000, b"\0\0" * 19_000_000),
    "GIF": lambda: encoded("GIF"),
    "BMP": lambda: encoded("BMP"),
    "TIFF": lambda: encoded("TIFF"),
    "WebP": lambda: encoded("WEBP"),
    "ICO": lambda: encoded("ICO"),
    "PCX": lambda: encoded("PCX"),
    "PPM": lambda: b"P5 28 28 255 " + b"\0" * 784,
    "EPS": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "PDF": lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "HTML": lambda: b"<!doctype html><script>1</script>",
    "nothing": lambda: b"",
    "zip": lambda: b"PK\3\4" + b"\0" * 100,
}
"""Made when they are wanted: some are a second of packing."""
