"""`POST /api/doctor`: before and after, each step left out in turn, and what it refuses."""

import base64

import numpy as np
import pytest
from PIL import Image

from tests.support.drawings import encode, picture, recorded

DRAWINGS = recorded()
FOUR = DRAWINGS["digit 4"]["strokes"]
STEPS = ["crop", "scale", "center", "stroke_width"]
OF_PICTURES = ["smooth", "even_out", "clear"]


@pytest.fixture
def client(shared_client):
    """All tests here only ask."""
    return shared_client


def image(strokes, brush=12, **tones):
    return base64.b64encode(encode(picture(strokes, brush, **tones))).decode()


def ask(client, **body):
    response = client.post("/api/doctor", json=body)
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize("body", [{"strokes": FOUR}, {"image": image(FOUR)}], ids=["strokes", "image"])
def test_the_doctor_shows_a_drawing_before_and_after_and_without_each_step(client, body):
    found = ask(client, **body)
    assert found["steps"] == dict.fromkeys([*STEPS, *OF_PICTURES], True)
    assert [change["step"] for change in found["without"]] == STEPS
    raw = np.array(found["raw"])
    assert raw.shape[0] == raw.shape[1] <= 112
    assert (raw.min(), raw.max()) == (0, pytest.approx(1))
    for answer in (found, *found["without"]):
        assert np.shape(answer["input"]) == (28, 28)
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-9)
        assert 0 <= answer["score"] <= 1
    said = client.post("/predict?input=true", json=body).json()
    for key in ("label", "is_digit", "input", "model"):
        assert found[key] == said[key]
    # five images at once are multiplied in another order than one
    assert found["probabilities"] == pytest.approx(said["probabilities"], rel=1e-3)
    assert found["score"] == pytest.approx(said["score"], rel=1e-4)
    for change in found["without"]:
        assert change["input"] != found["input"], change["step"]
    assert found["stroke_width"] == pytest.approx(found["usual_stroke_width"], rel=0.15)
    assert "the stroke is 2.7 px wide (MNIST: about 2.5)" in found["sentences"]


def test_the_doctor_speaks_the_caller_s_language(client):
    answer = client.post("/api/doctor", json={"strokes": FOUR}, headers={"accept-language": "ja"})
    assert answer.headers["content-language"] == "ja"
    found = answer.json()
    assert "線の太さは 2.7 px です（MNIST は約 2.5 px）" in found["sentences"]
    assert found["remarks"][0]["text"] == "the stroke is {width} px wide (MNIST: about {usual})"
    assert [change["title"] for change in found["without"]] == ["切り抜き", "拡大・縮小", "中央寄せ", "線の太さ"]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_is_off_is_turned_on_for_comparison(client, step):
    every = ask(client, strokes=FOUR)
    off = ask(client, strokes=FOUR, steps={step: False})
    assert off["steps"] == {**dict.fromkeys([*STEPS, *OF_PICTURES], True), step: False}
    changed = {change["step"]: change for change in off["without"]}[step]
    assert changed["input"] == every["input"]
    assert {change["step"]: change for change in every["without"]}[step]["input"] == off["input"]


def test_noise_and_uneven_light_are_steps_of_the_pictures_that_have_them(client):
    def photo(light, deviation):
        lit = np.asarray(picture(FOUR, 30, ink=30, paper=230)).astype(float) * light
        lit += np.random.default_rng(0).normal(0, deviation, lit.shape)
        return base64.b64encode(encode(Image.fromarray(lit.clip(0, 255).astype(np.uint8)))).decode()

    ramp = np.linspace(0.4, 1, 560)
    told = {
        "smooth": "the image is noisy, so it is smoothed",
        "even_out": "unevenly lit, so the shading is removed",
    }
    for light, deviation, needed in ((1, 40, ["smooth"]), (ramp, 0, ["even_out"]), (ramp, 20, OF_PICTURES[:2])):
        given = photo(light, deviation)
        every = ask(client, image=given)
        assert [change["step"] for change in every["without"]] == [*needed, *STEPS]
        assert (every["label"], every["is_digit"]) == ("4", True)
        for step in needed:
            off = ask(client, image=given, steps={step: False})
            without, back = ({change["step"]: change for change in asked["without"]}[step] for asked in (every, off))
            assert without["input"] == off["input"] != every["input"]
            assert back["input"] == every["input"]
            assert told[step] in " | ".join(every["sentences"])
            assert told[step] not in " | ".join(off["sentences"])
    blank = ask(client, image=base64.b64encode(encode(Image.effect_noise((200, 200), 40))).decode())
    assert (blank["label"], blank["sentences"]) == (None, ["there is no ink: nothing to read"])


def test_the_doctor_says_what_is_unusual_in_plain_sentences(client):
    def said(**body):
        return " | ".join(ask(client, **body)["sentences"])

    thin = {"steps": {"stroke_width": False}, "canvas": 500, "brush": 5}
    assert "it is thin" in said(strokes=FOUR, **thin)
    assert "it is thick" in said(strokes=FOUR, **{**thin, "brush": 90})
    corner = [[[0.2 * x, 0.2 * y] for x, y in stroke] for stroke in FOUR]
    assert "the drawing is small" in said(strokes=corner, canvas=500)
    assert "off centre" in said(strokes=corner, canvas=500)
    assert "splits into 2 groups" in said(strokes=[*FOUR, [[490, 100], [490, 400]]])
    assert "lighter than the paper" in said(image=image(FOUR, ink=220, paper=30))
    assert "px long in the 28×28 image (MNIST: 20)" in said(strokes=FOUR, steps={"scale": False})
    cut = picture(FOUR, 20).crop((150, 0, 560, 300))
    assert "touches the edge of the image" in said(image=base64.b64encode(encode(cut)).decode())
    shade = np.asarray(picture(FOUR, 30, ink=30, paper=230)) * np.linspace(0.5, 1, 560)
    assert "unevenly lit" in said(image=base64.b64encode(encode(Image.fromarray(shade.astype(np.uint8)))).decode())


@pytest.mark.parametrize(
    "body",
    [{"strokes": []}, {"strokes": [[]]}, {"image": base64.b64encode(encode(Image.new("L", (9, 5), 255))).decode()}],
    ids=["no strokes", "an empty stroke", "white"],
)
def test_a_blank_drawing_has_no_stroke_to_measure(client, body):
    found = ask(client, **body)
    assert (found["label"], found["is_digit"], found["stroke_width"]) == (None, False, None)
    assert found["sentences"] == ["there is no ink: nothing to read"]


@pytest.mark.parametrize("name", [name for name, drawing in DRAWINGS.items() if any(drawing["strokes"])])
def test_every_recorded_drawing_can_be_examined(client, name):
    for canvas in ({}, {"canvas": 560, "brush": 30}, {"canvas": 1e-9, "brush": 1e12}):
        found = ask(client, strokes=DRAWINGS[name]["strokes"], **canvas)
        assert np.isfinite(found["raw"]).all()


def test_strokes_of_any_size_can_be_examined(client):
    for scale in (1e-300, 1e300, 1.7e308):
        found = ask(client, strokes=[[[-scale, -scale], [scale, scale]]])
        assert np.isfinite(found["raw"]).all()
        assert np.max(found["raw"]) > 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "expected an object; got []"),
        ({}, "expected exactly one of strokes and image; got 0"),
        ({"strokes": [], "image": ""}, "got 2"),
        ({"pixels": [0] * 784}, "pixels: unknown field"),
        ({"strokes": 5}, "strokes: expected a list of strokes; got 5"),
        ({"strokes": [[[1, None]]]}, "strokes[0][0]"),
        ({"image": 5}, "image: expected base64 or a data URL; got 5"),
        ({"image": "aGVsbG8="}, "expected a PNG or JPEG image"),
        ({"strokes": [], "steps": []}, "steps: expected an object; got []"),
        ({"strokes": [], "steps": {"blur": True}}, "steps.blur: unknown field"),
        ({"strokes": [], "steps": {"crop": 1}}, "steps.crop: expected true or false; got 1"),
        ({"strokes": [], "steps": {"smooth": "no"}}, "steps.smooth: expected true or false; got 'no'"),
        ({"image": image(FOUR), "steps": {"even_out": None}}, "steps.even_out: expected true or false; got null"),
        ({"strokes": [], "canvas": 0}, "canvas: expected a number > 0"),
        ({"strokes": [], "canvas": True}, "canvas: expected a number; got true"),
        ({"strokes": [], "brush": -1}, "brush: expected a number > 0"),
        ({"strokes": [], "brush": "wide"}, "brush: expected a number; got 'wide'"),
        ({"strokes": [], "canvas": 10**400}, "expected"),
        ({"image": image(FOUR), "canvas": 5}, "expected only with strokes"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_bodies_get_a_clear_error(client, body, message):
    response = client.post("/api/doctor", json=body)
    assert response.status_code == 422, response.text
    assert set(response.json()) == {"error", "code", "field", "params"}
    assert message in response.json()["error"]


def test_an_unknown_model_is_not_found(client):
    assert client.post("/api/doctor?model=nobody", json={"strokes": FOUR}).status_code == 404
