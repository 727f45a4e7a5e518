"""A set of drawings that is made before anything is drawn, over HTTP."""

import pytest

from tests.support.errors import is_an_error

LINE = [[[0, 0], [5, 5]]]


def test_a_new_set_keeps_its_labels_and_an_old_one_is_not_added_to_in_silence(client):
    empty = {"name": "shapes", "count": 0, "labels": {}, "declared": []}
    assert client.get("/api/drawings/sets/shapes").json() == empty
    made = client.put("/api/drawings/sets/shapes", json={"labels": ["○", "△"]})
    assert (made.status_code, made.json()["declared"]) == (200, ["○", "△"])
    client.post("/api/drawings", json={"label": "○", "strokes": LINE, "set": "shapes"})
    told = is_an_error(client.put("/api/drawings/sets/shapes", json={"labels": ["a", "b"]}), 409)
    assert told == "a set named shapes already exists, with 1 drawings"
    client.put("/api/drawings/sets/shapes", json={"labels": ["a", "b"], "add": True})
    found = client.get("/api/drawings/sets/shapes").json()
    assert found == {"name": "shapes", "count": 1, "labels": {"○": 1}, "declared": ["○", "△", "a", "b"]}


def test_a_set_that_nothing_was_drawn_of_is_removed(client):
    client.put("/api/drawings/sets/shapes", json={"labels": ["○", "△"]})
    kept = client.post("/api/drawings", json={"label": "○", "strokes": LINE, "set": "shapes"}).json()
    told = is_an_error(client.delete("/api/drawings/sets/shapes"), 409)
    assert told == "there are 1 drawings in shapes: delete them first"
    client.delete(f"/api/drawings/{kept['id']}")
    assert client.delete("/api/drawings/sets/shapes").status_code == 204
    assert client.get("/api/drawings/sets/shapes").json()["declared"] == []
    assert "no set named shapes" in is_an_error(client.delete("/api/drawings/sets/shapes"), 404)


def test_labels_that_would_be_too_many_together_are_refused_and_the_old_ones_stay(client):
    first, second = ([f"{name}{number}" for number in range(600)] for name in "ab")
    assert client.put("/api/drawings/sets/many", json={"labels": first}).status_code == 200
    answer = client.put("/api/drawings/sets/many", json={"labels": second, "add": True})
    assert "at most 1000 labels; got 1200" in is_an_error(answer, 422)
    assert client.get("/api/drawings/sets/many").json()["declared"] == first


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        "ab",
        {"labels": "ab"},
        {"labels": []},
        {"labels": ["a"]},
        {"labels": ["a", "a "]},
        {"labels": ["a", 1]},
        {"labels": ["a", ""]},
        {"labels": ["a", "b" * 65]},
        {"labels": ["a", "\u0000"]},
        {"labels": ["a", "b"], "add": 1},
        {"labels": ["a", "b"], "more": True},
        {"labels": [str(number) for number in range(1001)]},
    ],
)
def test_what_can_be_no_labels_is_refused(client, body, settings):
    is_an_error(client.put("/api/drawings/sets/shapes", json=body), 422)
    assert not (settings.home / "drawings" / "shapes").exists()


@pytest.mark.parametrize("name", ["Big", "a b", "-a", "x" * 65, "..a%2F"])
def test_what_can_be_no_name_is_refused(client, name):
    for answer in (
        client.get(f"/api/drawings/sets/{name}"),
        client.put(f"/api/drawings/sets/{name}", json={"labels": ["a", "b"]}),
        client.delete(f"/api/drawings/sets/{name}"),
    ):
        assert answer.status_code in (404, 422)
        assert "error" in answer.json()


def test_a_set_is_listed_before_its_first_drawing_and_labels_keep_the_order_in_which_they_were_typed(client):
    client.put("/api/drawings/sets/shapes", json={"labels": ["○", "△", "×"]})
    assert client.get("/api/drawings").json()["sets"] == [{"name": "shapes", "count": 0, "labels": {}}]

    def line():
        return next(one for one in client.get("/api/datasets").json()["datasets"] if one["name"] == "drawings:shapes")

    assert (line()["state"], line()["train"], line()["labels"]) == ("too-few", 0, ["○", "△", "×"])
    for place, label in enumerate(["b", "×", "a", "△", "○"] * 5):
        client.post("/api/drawings", json={"label": label, "strokes": [[[0, 0], [5, place]]], "set": "shapes"})
        assert line()["labels"][:3] == ["○", "△", "×"]
    assert list(client.get("/api/drawings/sets/shapes").json()["labels"]) == ["○", "△", "×", "a", "b"]
    digits = client.get("/api/datasets/drawings:shapes/digits").json()
    assert digits["labels"] == line()["labels"] == ["○", "△", "×", "a", "b"]
    assert list(digits["counts"]) == digits["labels"]
    client.put("/api/drawings/sets/shapes", json={"labels": ["b", "a"], "add": True})  # the order is that of typing
    assert client.get("/api/datasets/drawings:shapes/digits").json()["labels"] == ["○", "△", "×", "b", "a"]
