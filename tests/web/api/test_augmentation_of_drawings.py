"""What an augmentation does to the user's own drawings and to any data set, and the page that shows it."""

import json

import numpy as np
import pytest

from tests.support.drawings import image, recorded
from tests.support.errors import is_an_error

THREE = recorded()["digit 3"]["strokes"]


def test_own_drawings_are_changed_as_training_pictures_are(client):
    client.post("/api/drawings", json={"label": "○", "strokes": THREE, "set": "shapes"})
    client.post("/api/drawings", json={"label": "3", "strokes": THREE, "set": "other"})
    asked = {"recipe": "best-cnn", "set": "shapes", "epochs": 2, "spec": json.dumps({"shift": 2})}
    shown = client.get("/api/augmentation", params=asked).json()
    assert shown["dataset"] == "drawings:shapes"
    (digit,) = shown["digits"]
    assert digit["label"] == "○"
    drawn = client.get("/api/drawings", params={"set": "shapes", "pixels": True}).json()["drawings"][0]["pixels"]
    assert digit["before"] == drawn
    assert not np.array_equal(image(digit["after"][0]), image(digit["after"][1]))


def test_another_data_set_stands_in_for_the_recipes_own(client):
    shown = client.get("/api/augmentation", params={"recipe": "best-cnn", "dataset": "strokes", "count": 3}).json()
    assert (shown["dataset"], len(shown["digits"])) == ("strokes", 3)


@pytest.mark.parametrize(
    ("more", "status", "message"),
    [
        ({"set": "none"}, 404, "no drawings in the set none"),
        ({"set": "Bad Name"}, 422, "set: expected"),
        ({"set": "x" * 65}, 422, "set"),
        ({"set": "a", "dataset": "strokes"}, 422, "set: expected no dataset with it"),
        ({"dataset": "no-such"}, 404, "expected a data set"),
        ({"dataset": "x" * 201}, 422, "dataset"),
        ({"dataset": "folder:../x"}, 404, "expected"),
    ],
)
def test_pictures_that_are_not_there_are_refused(client, more, status, message):
    answer = client.get("/api/augmentation", params={"recipe": "best-cnn", **more})
    assert message in is_an_error(answer, status)


def test_the_pages_are_there(client):
    for path in ("/augmentation", "/mine"):
        assert client.get(path, headers={"accept": "text/html"}).status_code == 200
