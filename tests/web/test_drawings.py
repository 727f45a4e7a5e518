"""The user's own labelled drawings over HTTP."""

import pytest

from tests.data.drawings import recorded
from tests.web.test_predict import is_an_error

THREE = recorded()["digit 3"]["strokes"]
BODY = {"label": "3", "strokes": THREE}


def test_a_drawing_is_kept_listed_and_removed(client, settings):
    response = client.post("/api/drawings", json=BODY)
    assert response.status_code == 201
    kept = response.json()
    assert (kept["label"], kept["strokes"], kept["set"]) == ("3", THREE, "mine")
    assert (settings.home / "drawings" / "mine" / f"{kept['id']}.json").is_file()
    listed = client.get("/api/drawings").json()
    assert listed == {
        "drawings": [kept],
        "sets": [{"name": "mine", "count": 1, "labels": {"3": 1}}],
        "damaged": [],
        "next": None,
    }
    assert client.delete(f"/api/drawings/{kept['id']}").status_code == 204
    assert client.get("/api/drawings").json()["drawings"] == []
    is_an_error(client.delete(f"/api/drawings/{kept['id']}"), 404)


def test_drawings_are_paged_and_chosen_by_set_and_label(client):
    ids = [
        client.post("/api/drawings", json={**BODY, "label": label, "set": name}).json()["id"]
        for label, name in (("1", "a"), ("2", "a"), ("1", "b"))
    ]
    first = client.get("/api/drawings?limit=2").json()
    assert [one["id"] for one in first["drawings"]] == [ids[2], ids[1]]
    second = client.get(f"/api/drawings?limit=2&before={first['next']}").json()
    assert ([one["id"] for one in second["drawings"]], second["next"]) == ([ids[0]], None)
    assert [one["id"] for one in client.get("/api/drawings?set=a&label=1").json()["drawings"]] == [ids[0]]
    assert client.get("/api/drawings?set=none").json()["drawings"] == []


def test_a_damaged_file_is_named_and_the_others_are_listed(client, settings):
    bad, good = (client.post("/api/drawings", json=BODY).json()["id"] for _ in range(2))
    (settings.home / "drawings" / "mine" / f"{bad}.json").write_bytes(b"{")
    listed = client.get("/api/drawings").json()
    assert [one["id"] for one in listed["drawings"]] == [good]
    assert [(one["id"], one["set"]) for one in listed["damaged"]] == [(bad, "mine")]
    assert listed["damaged"][0]["reason"]
    assert listed["sets"] == [{"name": "mine", "count": 1, "labels": {"3": 1}}]


BAD = {
    "no JSON": (b"{", "JSON"),
    "a list": (b"[]", "expected an object with label, strokes"),
    "no label": (b'{"strokes": [[[1, 2]]]}', "expected an object with label, strokes"),
    "an image": (b'{"label": "3", "image": "x"}', "expected an object with label, strokes"),
    "more than asked for": (b'{"label": "3", "strokes": [[[1, 2]]], "id": "x"}', "expected an object"),
    "no points": (b'{"label": "3", "strokes": []}', "at least one point"),
    "a label with NUL": (b'{"label": "\\u0000", "strokes": [[[1, 2]]]}', "U+0000"),
    "half a character": (b'{"label": "\\ud800", "strokes": [[[1, 2]]]}', "JSON"),
    "a number for a label": (b'{"label": 3, "strokes": [[[1, 2]]]}', "label"),
    "a set outside": (b'{"label": "3", "strokes": [[[1, 2]]], "set": "../x"}', "set: expected"),
    "an absolute set": (b'{"label": "3", "strokes": [[[1, 2]]], "set": "/tmp"}', "set: expected"),
    "no set": (b'{"label": "3", "strokes": [[[1, 2]]], "set": null}', "set: expected"),
    "NaN": (b'{"label": "3", "strokes": [[[NaN, 2]]]}', "JSON"),
    "an endless integer": (b'{"label": "3", "strokes": [[[' + b"9" * 5000 + b", 2]]]}", "expected"),
}


@pytest.mark.parametrize(("body", "words"), BAD.values(), ids=BAD)
def test_what_is_no_labelled_drawing_is_refused_and_nothing_is_kept(client, settings, body, words):
    assert words in is_an_error(client.post("/api/drawings", content=body), 422)
    assert not (settings.home / "drawings").exists()
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "before=x", "set=..", "set=%00", "label=%00"])
def test_what_is_no_question_is_refused(client, query):
    is_an_error(client.get(f"/api/drawings?{query}"), 422)


@pytest.mark.parametrize("drawing_id", ["..", "%2e%2e", "x", "a" * 300, "x%00y", "..%2fdefault"])
def test_ids_that_are_none_lead_nowhere(client, drawing_id):
    response = client.delete(f"/api/drawings/{drawing_id}")
    assert response.status_code in (404, 405)
    assert "error" in response.json()


def test_a_full_set_and_a_full_disk_are_said(client, monkeypatch):
    monkeypatch.setattr("app.data.drawings.LARGEST_SET", 1)
    client.post("/api/drawings", json=BODY)
    assert "at most 1 drawings" in is_an_error(client.post("/api/drawings", json=BODY), 409)

    def fail(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.data.files.os.fsync", fail)
    message = is_an_error(client.post("/api/drawings", json={**BODY, "set": "other"}), 507)
    assert "no room left on the disk" in message
    assert [one["count"] for one in client.get("/api/drawings").json()["sets"]] == [1]


def test_the_drawings_are_no_models_and_the_models_no_drawings(client):
    client.post("/api/drawings", json=BODY)
    assert [model["name"] for model in client.get("/api/models").json()["models"]] == ["mnist-mlp"]
    assert [one["name"] for one in client.get("/api/drawings").json()["sets"]] == ["mine"]
