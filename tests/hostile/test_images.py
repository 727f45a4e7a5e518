"""Files that are no picture, are one of another kind, or would be too large to unpack."""

import base64
import io
import json
import struct
import subprocess
import sys
import zlib

import pytest
from PIL import Image

from tests.hostile.conftest import refused

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


def each_way(target, data: bytes) -> list:
    """The answers to a picture as a file, in a form, in JSON, in a list, and as a data URL."""
    text = base64.b64encode(data).decode()
    return [
        target.send("POST", "/predict", data, content_type="image/png"),
        target.send("POST", "/predict", data, content_type="image/jpeg"),
        target.send("POST", "/predict", form(data), content_type=f"multipart/form-data; boundary={BOUNDARY}"),
        target.send("POST", "/predict", json.dumps({"image": text}), content_type="application/json"),
        target.send("POST", "/predict", json.dumps([{"image": text}]), content_type="application/json"),
        target.send("POST", "/predict", json.dumps({"image": f"data:image/png;base64,{text}"})),
    ]


PNG = encoded("PNG")
JPEG = encoded("JPEG")
ANIMATED = encoded("PNG", save_all=True, append_images=[Image.new("L", (40, 40), 0)])

MANY = form(PNG).removesuffix(f"--{BOUNDARY}--\r\n".encode()) * 30 + f"--{BOUNDARY}--\r\n".encode()

BAD = {
    "bomb by its header": png(100_000, 100_000, b""),
    "bomb of 20.004 megapixels": png(5001, 4000, b"\0" * (5002 * 4000)),
    "bomb that is 8 MB of zeros packed": png(2**31 - 1, 2**31 - 1, b"\0" * 2**23),
    "no pixels": png(0, 0, b""),
    "truncated": PNG[: len(PNG) // 2],
    "truncated in its header": PNG[:20],
    "signature alone": PNG[:8],
    "data of another size": png(28, 28, b"\0" * 10),
    "wrong checksum": PNG[:40] + bytes([PNG[40] ^ 255]) + PNG[41:],
    "wrong depth": png(28, 28, b"\0" * 900, depth=7),
    "animated": ANIMATED,
    "text bomb": PNG[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 2**27, 9)) + PNG[33:],
    "JPEG truncated": JPEG[: len(JPEG) // 2],
    "JPEG bomb by its header": JPEG.replace(
        b"\xff\xc0\x00\x0b\x08\x00\x28\x00\x28", b"\xff\xc0\x00\x0b\x08\xff\xff\xff\xff"
    ),
    "GIF": encoded("GIF"),
    "BMP": encoded("BMP"),
    "TIFF": encoded("TIFF"),
    "WebP": encoded("WEBP"),
    "ICO": encoded("ICO"),
    "PCX": encoded("PCX"),
    "PPM": b"P5 28 28 255 " + b"\0" * 784,
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "PDF": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "HTML": b"<!doctype html><script>1</script>",
    "nothing": b"",
    "zip": b"PK\3\4" + b"\0" * 100,
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_a_file_that_is_no_still_png_or_jpeg_of_20_megapixels(target, data):
    for answer in each_way(target, data):
        message = refused(answer, 422)
        assert "expected" in message


def test_a_picture_of_20_megapixels_is_read(target):
    answer = target.send("POST", "/predict", png(5000, 4000, b"\0" * (5001 * 4000), depth=8), content_type="image/png")
    assert answer.status == 200


@pytest.mark.parametrize("text", ["***", "aGVsbG8", "=" * 100, "data:", "data:text/html,x", "é", "a" * 5, "\0"])
def test_text_that_is_no_picture(target, text):
    refused(target.send("POST", "/predict", json.dumps({"image": text})), 422)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", form(PNG)),
        ("multipart/form-data; boundary=other", form(PNG)),
        ("multipart/form-data; boundary=" + "x" * 5000, form(PNG)),
        (f"multipart/form-data; boundary={BOUNDARY}", form(PNG)[:-20]),
        (f"multipart/form-data; boundary={BOUNDARY}", form(PNG, field="other")),
        (f"multipart/form-data; boundary={BOUNDARY}", MANY),
        (f"multipart/form-data; boundary={BOUNDARY}", b""),
        (f"multipart/form-data; boundary={BOUNDARY}", f"--{BOUNDARY}\r\n".encode() + b"a: b\r\n" * 10_000),
        (f"multipart/form-data; boundary={BOUNDARY}", f"--{BOUNDARY}\r\n".encode() * 100_000),
    ],
    ids=lambda value: str(value)[:60],
)
def test_broken_forms(target, kind, body):
    refused(target.send("POST", "/predict", body, content_type=kind), 400, 422)


@pytest.mark.parametrize("name", ["../../x.png", "/etc/passwd", "x" * 5000, "x\0.png", "..\\x"])
def test_a_files_name_means_nothing(target, name):
    sent = form(PNG, name=name)
    answer = target.send("POST", "/predict", sent, content_type=f"multipart/form-data; boundary={BOUNDARY}")
    assert answer.status in (200, 400)


@pytest.mark.parametrize(
    "kind", ["text/plain", "image/gif", "image/svg+xml", "text/html", "x", "application/zip", "a" * 5000]
)
def test_other_types(target, kind):
    assert "expected a body of" in refused(target.send("POST", "/predict", PNG, content_type=kind), 415)


def test_no_decoder_but_those_of_png_and_jpeg_is_loaded():
    loads = (
        "from app.main import create_app; from app.data import from_image; import contextlib\n"
        "import base64, sys\n"
        "for line in sys.stdin:\n"
        "    with contextlib.suppress(ValueError): from_image(base64.b64decode(line))\n"
        "from PIL import Image\n"
        "print(sorted(Image.OPEN))"
    )
    lines = "\n".join(base64.b64encode(data).decode() for data in (PNG, JPEG, *BAD.values()))
    ended = subprocess.run([sys.executable, "-c", loads], input=lines, capture_output=True, text=True, timeout=120)
    assert ended.stdout.strip() == "['JPEG', 'PNG']", ended.stderr


def test_many_large_pictures_in_one_request_are_not_all_unpacked(attacked):
    large = base64.b64encode(png(4000, 5000, (b"\0" * 4001) * 5000)).decode()
    body = json.dumps([{"image": large}] * 200)
    answer = attacked.send("POST", "/predict", body, content_type="application/json")
    assert "at most 50 megapixels together" in refused(answer, 413)
