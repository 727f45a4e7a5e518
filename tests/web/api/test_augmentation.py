"""What a recipe's augmentation does, over HTTP and on the command line."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import app.recipes
from app.cli import cli
from app.data import Split
from app.data.augmentation.augment import Augmentation
from app.data.augmentation.preview import changed_digits, contact_sheet
from app.recipes import get_recipe
from tests.support.drawings import image

SPEC = json.dumps({"rotation": 10, "shift": 1})


@pytest.fixture
def from_strokes(monkeypatch):
    """The recipe quick, on a data set that is there without a network."""
    quick = get_recipe("quick")
    quick.config["dataset"] = "strokes"
    for place in ("app.web.api.augmentation", "app.recipes"):
        monkeypatch.setattr(f"{place}.get_recipe", lambda name: quick)


def test_digits_are_shown_before_and_after(client, from_strokes):
    client.post("/api/datasets/strokes/fetch")
    asked = {"recipe": "quick", "seed": 3, "count": 12, "epochs": 2, "spec": SPEC}
    shown = client.get("/api/augmentation", params=asked).json()
    assert shown["augmentation"] == Augmentation(rotation=10, shift=1).spec()
    assert [digit["label"] for digit in shown["digits"]] == [*"0123456789", "0", "1"]
    first, second = (image(pixels) for pixels in shown["digits"][0]["after"])
    assert not np.array_equal(first, second)
    assert int(image(shown["digits"][0]["before"]).sum()) == pytest.approx(int(first.sum()), rel=0.2)
    assert client.get("/api/augmentation", params=asked).json() == shown
    other = client.get("/api/augmentation", params={**asked, "seed": 4}).json()
    assert other["digits"] != shown["digits"]
    none = client.get("/api/augmentation", params={**asked, "spec": "null"}).json()
    assert none["augmentation"] is None
    assert {len(digit["after"]) for digit in none["digits"]} == {0}


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ({"recipe": "no-such"}, 404, "recipe: expected one of"),
        ({}, 422, "recipe"),
        ({"recipe": "best-cnn", "spec": "{"}, 422, "spec: expected an augmentation as a JSON object"),
        ({"recipe": "best-cnn", "spec": "[" * 1999}, 422, "spec: expected an augmentation as a JSON object"),
        ({"recipe": "best-cnn", "spec": '{"shift": 99}'}, 422, "augmentation.shift: expected a number from 0 to 14"),
        ({"recipe": "best-cnn", "spec": '{"shift": NaN}'}, 422, "augmentation.shift: expected a number from 0 to 14"),
        ({"recipe": "best-cnn", "spec": '{"tilt": 1}'}, 422, "augmentation.tilt: unknown field"),
        ({"recipe": "best-cnn", "spec": "3"}, 422, "augmentation: expected an object or null; got 3"),
        ({"recipe": "best-cnn", "count": 51}, 422, "count"),
        ({"recipe": "best-cnn", "seed": -1}, 422, "seed"),
    ],
)
def test_what_cannot_be_shown_is_refused(client, asked, status, message):
    answer = client.get("/api/augmentation", params=asked)
    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_a_contact_sheet_has_a_row_for_each_epoch_below_the_digits():
    split = Split(np.arange(30 * 784, dtype=np.uint8).reshape(30, 28, 28), np.arange(30) % 3)
    indices, after = changed_digits(split, Augmentation(shift=2), seed=1, count=6, epochs=4)
    assert list(split.labels[indices]) == [0, 1, 2, 0, 1, 2]
    with Image.open(io.BytesIO(contact_sheet(split.images[indices], after))) as picture:
        assert picture.size == (6 * 30 * 2, 5 * 30 * 2)
        pixels = np.asarray(picture)
    np.testing.assert_array_equal(pixels[:56:2, :56:2], 255 - split.images[indices[0]])


def test_the_command_writes_a_picture_and_refuses_what_it_cannot(tmp_path, from_strokes):
    out = tmp_path / "sheet.png"
    bare = CliRunner().invoke(cli, ["augment", "quick", "--out", str(out)])
    assert bare.exit_code == 1
    assert not out.exists()
    app.recipes.get_recipe("quick").config["augmentation"] = {"shift": 1}
    done = CliRunner().invoke(cli, ["augment", "quick", "--out", str(out), "--digits", "5", "--epochs", "2"])
    assert done.exit_code == 0, done.output
    assert "shift 1" in done.output
    with Image.open(out) as picture:
        assert picture.size == (5 * 30 * 2, 3 * 30 * 2)
    assert CliRunner().invoke(cli, ["augment", "quick", "--out", str(tmp_path)]).exit_code == 1
