"""Files that are no picture, are one of another kind, or would be too large to unpack."""

import base64
import io
import json
import subprocess
import sys

import pytest
from PIL import Image

from app.data import from_image
from tests.hostile.images import BAD, BOUNDARY, JPEG, LARGE, PNG, form, png
from tests.support.hostile import refused


def each_way(target, data: bytes) -> list:
    """The answers to a picture as a file, in a form, in JSON, in a list, and as a data URL."""
    text = base64.b64encode(data).decode()
    return [
        target.send("POST", "/predict", data, content_type="image/png"),
        target.send("POST", "/predict", data, content_type="image/jpeg"),
        target.send("POST", "/predict", form(data), content_type=MULTIPART),
        target.send("POST", "/predict", json.dumps({"image": text}), content_type="application/json"),
        target.send("POST", "/predict", json.dumps([{"image": text}]), content_type="application/json"),
        target.send("POST", "/predict", json.dumps({"image": f"data:image/png;base64,{text}"})),
    ]


MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
MANY = form(PNG).removesuffix(f"--{BOUNDARY}--\r\n".encode()) * 30 + f"--{BOUNDARY}--\r\n".encode()


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_still_png_or_jpeg_of_20_megapixels(target, kind):
    for answer in each_way(target, BAD[kind]()):
        message = refused(answer, 422)
        assert "expected" in message


def test_a_picture_of_20_megapixels_is_read(target):
    answer = target.send("POST", "/predict", png(5000, 4000, b"\0" * (5001 * 4000), depth=8), content_type="image/png")
    assert answer.status == 200


@pytest.mark.parametrize("text", ["***", "aGVsbG8", "=" * 100, "data:", "data:text/html,x", "é", "a" * 5, "\0"])
def test_text_that_is_no_picture(target, text):
    refused(target.send("POST", "/predict", json.dumps({"image": text})), 422)


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (400, "multipart/form-data", b"x"),
        (400, "multipart/form-data; boundary=", form(PNG)),
        (400, "multipart/form-data; boundary=other", form(PNG)),
        (400, "multipart/form-data; boundary=" + "x" * 5000, form(PNG)),
        (422, MULTIPART, form(PNG)[:-20]),
        (422, MULTIPART, form(PNG, field="other")),
        (400, MULTIPART, MANY),
        (422, MULTIPART, b""),
        (400, MULTIPART, f"--{BOUNDARY}\r\n".encode() + b"a: b\r\n" * 10_000),
        (400, MULTIPART, f"--{BOUNDARY}\r\n".encode() * 100_000),
    ],
    ids=lambda value: str(value)[:60],
)
def test_broken_forms(target, status, kind, body):
    refused(target.send("POST", "/predict", body, content_type=kind), status)


@pytest.mark.parametrize("name", ["../../x.png", "/etc/passwd", "x\0.png", "..\\x"])
def test_a_files_name_means_nothing(target, name):
    answer = target.send("POST", "/predict", form(PNG, name=name), content_type=MULTIPART)
    assert answer.status == 200


def test_a_files_name_of_5_000_letters(target):
    refused(target.send("POST", "/predict", form(PNG, name="x" * 5000), content_type=MULTIPART), 400)


@pytest.mark.parametrize(
    "kind", ["text/plain", "image/gif", "image/svg+xml", "text/html", "x", "application/zip", "a" * 5000]
)
def test_other_types(target, kind):
    assert "expected a body of" in refused(target.send("POST", "/predict", PNG, content_type=kind), 415)


@pytest.mark.slow
def test_the_decoders_of_the_users_own_files_are_out_of_a_senders_reach():
    for image in ("BMP", "GIF", "TIFF", "WEBP"):
        file = io.BytesIO()
        Image.new("L", (20, 20), 255).save(file, image)
        with pytest.raises(ValueError, match="expected a PNG or JPEG image; got "):
            from_image(file.getvalue())


def test_no_decoder_but_those_of_png_and_jpeg_is_loaded():
    loads = (
        "from app.main import create_app; from app.data import from_image; import contextlib\n"
        "import base64, sys\n"
        "for line in sys.stdin:\n"
        "    with contextlib.suppress(ValueError): from_image(base64.b64decode(line))\n"
        "from PIL import Image\n"
        "print(sorted(Image.OPEN))"
    )
    lines = "\n".join(base64.b64encode(data).decode() for data in (PNG, JPEG, *(make() for make in BAD.values())))
    ended = subprocess.run([sys.executable, "-c", loads], input=lines, capture_output=True, text=True, timeout=120)
    assert ended.stdout.strip() == "['JPEG', 'PNG']", ended.stderr


def test_many_large_pictures_in_one_request_are_not_all_unpacked(attacked):
    large = base64.b64encode(png(4000, 5000, (b"\0" * 4001) * 5000)).decode()
    body = json.dumps([{"image": large}] * 200)
    answer = attacked.send("POST", "/predict", body, content_type="application/json")
    assert "at most 50 megapixels in total" in refused(answer, 413)


MEASURED = """
import resource, sys
from app.data import drawing_from_image
drawing_from_image(sys.stdin.buffer.read(int(sys.argv[1])))
before = resource.getrusage(resource.RUSAGE_SELF)
try:
    drawing_from_image(sys.stdin.buffer.read())
except ValueError:
    pass
after = resource.getrusage(resource.RUSAGE_SELF)
print((after.ru_maxrss - before.ru_maxrss) >> 10, after.ru_utime - before.ru_utime)
"""


@pytest.mark.parametrize("kind", LARGE)
def test_20_megapixels_take_less_than_300_megabytes(kind):
    small, data = PNG, LARGE[kind]()
    line = [sys.executable, "-c", MEASURED, str(len(small))]
    ended = subprocess.run(line, input=small + data, capture_output=True, check=True, timeout=120)
    megabytes, seconds = map(float, ended.stdout.split())
    assert megabytes < 200
    assert seconds < 20  # about a half; one that is read 3,000 times takes 40
