"""`POST /predict` in all its forms, and with what it must refuse."""

import base64
import gzip
import json
import zlib
from urllib.parse import quote

import numpy as np
import pytest

from app.models.cost import MOST_WORK
from tests.support.drawings import PNG, THREE, encode, picture, recorded, standard_brush
from tests.support.errors import is_an_error

DRAWINGS = recorded()
DIGITS = [drawing for name, drawing in DRAWINGS.items() if name.startswith("digit ")]
JPEG = encode(picture(THREE, standard_brush(THREE)), "JPEG")


@pytest.fixture
def client(shared_client):
    """All tests here only ask."""
    return shared_client


@pytest.mark.parametrize("drawing", DIGITS, ids=lambda drawing: drawing["label"])
def test_the_shipped_model_reads_recorded_digits(client, drawing):
    answer = client.post("/predict", json={"strokes": drawing["strokes"]}).json()
    assert answer["label"] == drawing["label"]
    assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)
    assert list(answer["probabilities"]) == list("0123456789")
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-9)
    assert (answer["blank"], answer["is_digit"]) == (False, True)
    assert 0.5 < answer["score"] <= 1
    assert set(answer) == {"label", "probabilities", "blank", "is_digit", "score", "model"}


def test_every_form_of_one_drawing_gets_nearly_one_answer(client):
    seen = client.post("/predict?input=true", json={"strokes": THREE}).json()
    pixels = seen.pop("input")
    assert np.array(pixels).shape == (28, 28)
    encoded = base64.b64encode(PNG).decode()
    answers = [
        client.post("/predict", json={"pixels": pixels}),
        client.post("/predict", json={"pixels": np.ravel(pixels).tolist()}),
        client.post("/predict", json={"image": encoded}),
        client.post("/predict", json={"image": f"data:image/png;base64,{encoded}"}),
        client.post("/predict", content=PNG, headers={"content-type": "image/png"}),
        client.post("/predict", content=JPEG, headers={"content-type": "image/jpeg"}),
        client.post("/predict", files={"file": ("three.png", PNG, "image/png")}),
        client.post(
            "/predict",
            content=json.dumps({"strokes": THREE}),
            headers={"content-type": "application/x-www-form-urlencoded"},
        ),
        client.post("/predict", content=json.dumps({"strokes": THREE})),
    ]
    for response in answers:
        answer = response.json()
        assert answer["label"] == "3", answer
        assert answer["probabilities"]["3"] == pytest.approx(seen["probabilities"]["3"], abs=0.1)


ENCODED = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    "encoded",
    [
        base64.encodebytes(PNG).decode(),
        base64.encodebytes(PNG).decode().replace("\n", "\r\n"),
        f" {ENCODED}\n",
        ENCODED.rstrip("="),
        base64.urlsafe_b64encode(PNG).decode(),
        base64.urlsafe_b64encode(PNG).decode().rstrip("="),
        f"data:image/png;base64,{quote(ENCODED, safe='')}",
        f"DATA:image/png;charset=utf-8;BASE64,\n{ENCODED}%0A",
    ],
    ids=lambda encoded: encoded[:30] + encoded[-5:],
)
@pytest.mark.parametrize("path", ["/predict", "/api/doctor"])
def test_base64_is_read_as_it_is_written_anywhere(client, path, encoded):
    assert len(set(ENCODED) & set("+/=")) == 3  # all that the forms differ in
    assert client.post(path, json={"image": encoded}).json()["label"] == "3"


@pytest.mark.parametrize("start", ["", "data:image/png;base64,"])
def test_blanks_where_plus_was_are_named(client, start):
    refused = client.post("/predict", json={"image": start + ENCODED.replace("+", " ")})
    assert "makes + a blank: send + as %2B" in is_an_error(refused, 422)
    refused = client.post("/predict", json={"image": start + ENCODED[:1001]})
    assert "an end that is cut off" in is_an_error(refused, 422)


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "application/octet-stream", "image/jpg"])
@pytest.mark.parametrize("data", [PNG, JPEG], ids=["png", "jpeg"])
def test_a_picture_is_read_whatever_it_is_called(client, kind, data):
    assert client.post("/predict", content=data, headers={"content-type": kind}).json()["label"] == "3"
    assert client.post("/predict", content=data).json()["label"] == "3"
    refused = client.post("/predict", content=b"GIF89a", headers={"content-type": "application/octet-stream"})
    assert "got GIF" in is_an_error(refused, 422)


def test_a_byte_order_mark_is_passed_over_and_other_encodings_are_named(client):
    body = json.dumps({"strokes": THREE})
    for path in ("/predict", "/api/doctor"):
        assert client.post(path, content=body.encode("utf-8-sig")).json()["label"] == "3"
        for encoding, named in (("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-32-be", "UTF-32")):
            refused = client.post(path, content=body.encode(encoding))
            assert is_an_error(refused, 422) == f"expected JSON in UTF-8; got it in {named}"
    assert "UTF" not in is_an_error(client.post("/predict", content=b"\0\1\2\3"), 422)


PACKED = {"content-encoding": "gzip"}


def test_what_is_packed_with_gzip_is_unpacked(client):
    body = json.dumps({"strokes": THREE}).encode()
    for path in ("/predict", "/api/doctor"):
        assert client.post(path, content=gzip.compress(body), headers=PACKED).json()["label"] == "3"
        assert client.post(path, content=body, headers={"content-encoding": "identity"}).json()["label"] == "3"
        for bad in (body, gzip.compress(body)[:-9], b"", zlib.compress(body)):
            assert "packed with gzip" in is_an_error(client.post(path, content=bad, headers=PACKED), 400)
        assert "after its end" in is_an_error(client.post(path, content=gzip.compress(body) * 2, headers=PACKED), 400)
        for coding in ("br", "deflate", "gzip, gzip", "zstd"):
            refused = client.post(path, content=body, headers={"content-encoding": coding})
            assert f"got '{coding}'" in is_an_error(refused, 415)
            assert refused.headers["accept-encoding"] == "gzip, identity"
    packed = gzip.compress(PNG)
    assert (
        client.post("/predict", content=packed, headers=PACKED | {"content-type": "image/png"}).json()["label"] == "3"
    )


def test_what_unpacks_to_more_than_the_limit_is_refused(client):
    whole = b'{"strokes": []}' + b" " * (8 * 2**20 - 15)
    assert client.post("/predict", content=gzip.compress(whole), headers=PACKED).json()["blank"] is True
    for size in (8 * 2**20 + 1, 500 * 2**20):
        packed = zlib.compressobj(wbits=31)
        data = b"".join(packed.compress(b" " * 2**20) for _ in range(size // 2**20)) + packed.compress(b" ")
        refused = client.post("/predict", content=data + packed.flush(), headers=PACKED)
        assert "at most 8 MB" in is_an_error(refused, 413)


def test_a_list_is_answered_by_a_list_in_its_order(client):
    body = [{"strokes": drawing["strokes"]} for drawing in DIGITS]
    answers = client.post("/predict", json=body).json()
    single = [client.post("/predict", json=drawing).json() for drawing in body]
    assert [answer["label"] for answer in answers] == [answer["label"] for answer in single]
    assert client.post("/predict", json=[{"strokes": THREE}]).json()[0]["label"] == "3"
    assert len(client.post("/predict", json=[{"strokes": []}] * 256).json()) == 256


@pytest.mark.parametrize("body", [{"strokes": []}, {"strokes": [[]]}, {"pixels": [0] * 784}], ids=str)
def test_a_blank_drawing_is_no_digit(client, body):
    answer = client.post("/predict?input=true", json=body).json()
    assert (answer["label"], answer["blank"], answer["is_digit"], answer["score"]) == (None, True, False, 0)
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert len(set(answer["probabilities"].values())) == 1
    assert not np.any(answer["input"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "expected JSON in the body; got nothing"),
        ("{", "not valid JSON"),
        ("null", "expected an object with one of pixels, strokes and image; got null"),
        ("7", "got 7"),
        ("{}", "got {}"),
        ('{"strokes": [], "pixels": []}', "got {'pixels': [], 'strokes': []}"),
        ('{"pixel": []}', "got {'pixel': []}"),
        ("[]", "expected a list of 1 to 256 drawings; got 0"),
        (json.dumps([{"strokes": []}] * 257), "got 257"),
        ('[{"strokes": []}, {"pixels": [1]}]', "[1].pixels: expected 28×28 or 784 numbers; got 1"),
        (json.dumps({"pixels": [0] * 783}), "expected 28×28 or 784 numbers; got 783"),
        (json.dumps({"pixels": [[0] * 28] * 27 + [[0] * 27]}), "row 27 has 27"),
        (json.dumps({"pixels": [0] * 783 + [1.5]}), "expected numbers from 0 to 1; got 1.5 at position 783"),
        (json.dumps({"pixels": [-1] + [0] * 783}), "got -1"),
        (json.dumps({"pixels": [0] * 783 + [float("nan")]}), "not valid JSON"),
        (json.dumps({"pixels": [0] * 783 + [float("inf")]}), "not valid JSON"),
        (json.dumps({"pixels": [0] * 783}).replace("0]", "0, 1e400]"), "expected"),
        (json.dumps({"pixels": [True] * 784}), "expected numbers"),
        (json.dumps({"pixels": ["1"] * 784}), "expected numbers"),
        (json.dumps({"pixels": "x" * 784}), "pixels"),
        ('{"strokes": 5}', "strokes: expected a list of strokes; got 5"),
        ('{"strokes": [[[1, 2], [3]]]}', "strokes[0][1]: expected [x, y], two finite numbers"),
        ('{"strokes": [[[1, null]]]}', "strokes[0][0]"),
        (json.dumps({"strokes": [[[0, 0]] * 10_001]}), "expected at most 10000 points; got 10001"),
        ('{"image": 5}', "image: expected base64 or a data URL; got 5"),
        ('{"image": "***"}', "image: expected base64 or a data URL; got other characters"),
        ('{"image": "aGVsbG8="}', "expected a PNG or JPEG image"),
        ("[" * 100_000, "not valid JSON"),
        ('{"pixels": [' + "9" * 5000 + "]}", "not valid JSON"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_json_gets_a_clear_error_and_the_server_lives(client, body, message):
    response = client.post("/predict", content=body, headers={"content-type": "application/json"})
    assert message in is_an_error(response, 422)
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        PNG[: len(PNG) // 2],
        b"GIF89a" + b"\0" * 50,
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=["empty", "text", "truncated", "gif", "pdf", "svg"],
)
def test_a_file_that_is_no_picture_gets_a_clear_error(client, data):
    sent = client.post("/predict", content=data, headers={"content-type": "image/png"})
    assert "PNG" in is_an_error(sent, 422)
    form = client.post("/predict", files={"file": ("x.png", data, "image/png")})
    assert "PNG" in is_an_error(form, 422)


def test_a_form_without_the_file_or_with_a_broken_body_gets_a_clear_error(client):
    assert "field named file" in is_an_error(client.post("/predict", files={"photo": ("x.png", PNG)}), 422)
    header = {"content-type": "multipart/form-data"}
    is_an_error(client.post("/predict", content=b"no boundary", headers=header), 400)
    header = {"content-type": "multipart/form-data; boundary=x"}
    response = client.post("/predict", content=b"--y\r\n", headers=header)
    assert response.status_code in (400, 422)
    assert set(response.json()) == {"error", "code", "field", "params"}


def test_other_types_methods_models_and_flags_get_clear_errors(client):
    header = {"content-type": "text/plain"}
    assert "expected a body of application/json" in is_an_error(
        client.post("/predict", content="x", headers=header), 415
    )
    assert "expected POST" in is_an_error(client.get("/predict"), 405)
    body = {"strokes": THREE}
    assert "there is no model nobody" in is_an_error(client.post("/predict?model=nobody", json=body), 404)
    for name in ("../x", "%2e%2e", "/etc/passwd", "x" * 300, "a%00b"):
        is_an_error(client.post(f"/predict?model={name}", json=body), 404)
    assert "input: expected true or false" in is_an_error(client.post("/predict?input=maybe", json=body), 422)


def test_a_body_over_the_limit_is_refused_with_and_without_its_length(client):
    large = b" " * (8 * 2**20 + 1)
    header = {"content-type": "application/json"}
    assert "at most 8 MB" in is_an_error(client.post("/predict", content=large, headers=header), 413)
    chunks = (large[: 2**20] for _ in range(9))
    assert "at most 8 MB" in is_an_error(client.post("/predict", content=chunks, headers=header), 413)


def test_the_input_is_what_the_network_saw(client):
    pixels = np.zeros((28, 28))
    pixels[5:20, 12:15] = 0.5
    answer = client.post("/predict?input=true", json={"pixels": pixels.tolist()}).json()
    assert np.array_equal(answer["input"], pixels)


def beside(*names, step=330):
    """Recorded drawings side by side, `step` apart."""
    return [
        [[x + place * step, y] for x, y in stroke]
        for place, name in enumerate(names)
        for stroke in DRAWINGS[name]["strokes"]
    ]


def as_image(strokes, brush=30):
    right = int(max(x for stroke in strokes for x, _ in stroke)) + 80
    return picture(strokes, brush, size=max(right, 560)).crop((0, 0, right, 560))


@pytest.mark.parametrize("number", ["2025", "10", "71", "444", "5577", "0123456789"])
@pytest.mark.parametrize("form", ["strokes", "image"])
def test_several_digits_are_read_one_by_one(client, number, form):
    strokes = beside(*(f"digit {digit}" for digit in number))
    body = strokes if form == "strokes" else base64.b64encode(encode(as_image(strokes))).decode()
    answer = client.post("/predict?input=true", json={form: body}).json()
    assert (answer["reading"], answer["is_digit"], answer["score"]) == (number, False, 0)
    assert [digit["label"] for digit in answer["digits"]] == list(number)
    lefts = [digit["box"][0] for digit in answer["digits"]]
    assert lefts == sorted(lefts)
    for place, digit in enumerate(answer["digits"]):
        x, y, _, height = digit["box"]
        own = np.concatenate(DRAWINGS[f"digit {number[place]}"]["strokes"]) + np.array([330 * place, 0])
        margin = 0 if form == "strokes" else 18
        assert x == pytest.approx(own[:, 0].min(), abs=margin)
        assert y + height == pytest.approx(own[:, 1].max(), abs=margin)
        assert (digit["is_digit"], np.shape(digit["input"])) == (True, (28, 28))
        assert sum(digit["probabilities"].values()) == pytest.approx(1, abs=1e-9)


def test_what_is_no_digit_beside_a_digit_reads_as_a_question_mark(client):
    answer = client.post("/predict", json={"strokes": [*THREE, [[500, 400]]]}).json()
    assert answer["reading"] == "3?"
    assert [digit["is_digit"] for digit in answer["digits"]] == [True, False]


def test_digits_that_touch_are_read_as_one_that_is_no_digit(client):
    touching = beside("digit 2", "digit 2", "digit 2", step=200)
    answer = client.post("/predict", json={"strokes": touching}).json()
    assert "digits" not in answer
    assert answer["is_digit"] is False


def test_pixels_are_never_split(client):
    pixels = np.zeros((28, 28))
    pixels[4:24, 4:6] = pixels[4:24, 20:22] = 1
    assert "digits" not in client.post("/predict", json={"pixels": pixels.tolist()}).json()


def test_a_list_may_mix_one_digit_several_and_none(client):
    bodies = [{"strokes": beside("digit 7", "digit 1")}, {"strokes": []}, {"strokes": THREE}]
    bodies.append({"strokes": beside("digit 4", "digit 2")})
    answers = client.post("/predict", json=bodies).json()
    assert [answer.get("reading") for answer in answers] == ["71", None, None, "42"]
    assert [answer["label"] for answer in answers][1:3] == [None, "3"]


@pytest.mark.parametrize("name", ["dot", "one point"])
def test_a_dot_is_no_digit(client, name):
    answer = client.post("/predict", json={"strokes": DRAWINGS[name]["strokes"]}).json()
    assert (answer["is_digit"], answer["blank"]) == (False, False)
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("count", [32, 33, 5000])
def test_the_number_of_groups_is_bounded(client, count):
    strokes = [[[10 * i, 0], [10 * i, 12]] for i in range(count)]
    answer = client.post("/predict", json={"strokes": strokes}).json()
    assert len(answer.get("digits", [])) == (32 if count == 32 else 0)


def test_boxes_of_enormous_drawings_are_finite(client):
    strokes = [[[-1.7e308, -1e308], [-1.7e308, 1e308]], [[1.7e308, -1e308], [1.7e308, 1e308]]]
    answer = client.post("/predict", json={"strokes": strokes}).json()
    assert len(answer["digits"]) == 2
    assert np.isfinite([digit["box"] for digit in answer["digits"]]).all()


def test_strokes_of_too_many_points_together_are_refused(client):
    drawing = {"strokes": [[[place % 50, place % 7] for place in range(10_000)]]}
    answer = client.post("/predict", json=[drawing] * 32)
    assert is_an_error(answer, 413)
    assert "at most 300,000 points in total" in answer.json()["error"]
    answer = client.post("/predict", json={"strokes": [[]] * 10_001})
    assert "expected at most 10000 strokes; got 10001" in answer.json()["error"]


def test_an_image_is_read_with_every_letter_escaped(client):
    encoded = base64.b64encode(PNG).decode()
    escaped = "data:image/png;base64," + "".join(f"%{ord(letter):02x}" for letter in encoded)
    assert client.post("/predict", json={"image": escaped}).json()["label"] == "3"


def test_more_than_a_request_may_cost_is_refused_before_it_is_worked_out(client, monkeypatch):
    predictor = client.app.state.services.predictors.get(None)
    monkeypatch.setattr(predictor, "cost", MOST_WORK // 3)
    monkeypatch.setattr(type(predictor), "predict", lambda *_: pytest.fail("it was worked out"))
    message = is_an_error(client.post("/predict", json=[{"strokes": THREE}] * 4), 409)
    assert "expected at most 3 passes through a network as large as mnist-mlp; got 4" in message
