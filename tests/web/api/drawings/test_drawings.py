"""The user's own labelled drawings over HTTP."""

import base64
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.support.drawings import recorded
from tests.support.errors import is_an_error

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
    "a list": (b"[]", "expected an object; got []"),
    "no label": (b'{"strokes": [[[1, 2]]]}', "label: missing"),
    "an image": (b'{"label": "3", "image": "x"}', "strokes: missing; image: unknown field"),
    "more than asked for": (b'{"label": "3", "strokes": [[[1, 2]]], "id": "x"}', "id: unknown field"),
    "no points": (b'{"label": "3", "strokes": []}', "at least one point"),
    "a label with NUL": (b'{"label": "\\u0000", "strokes": [[[1, 2]]]}', "U+0000"),
    "half a character": (b'{"label": "\\ud800", "strokes": [[[1, 2]]]}', "JSON"),
    "a number for a label": (b'{"label": 3, "strokes": [[[1, 2]]]}', "label"),
    "a set outside": (b'{"label": "3", "strokes": [[[1, 2]]], "set": "../x"}', "set: expected"),
    "an absolute set": (b'{"label": "3", "strokes": [[[1, 2]]], "set": "/tmp"}', "set: expected"),
    "no set": (b'{"label": "3", "strokes": [[[1, 2]]], "set": null}', "set: expected"),
    "NaN": (b'{"label": "3", "strokes": [[[NaN, 2]]]}', "JSON"),
    "an endless integer": (b'{"label": "3", "strokes": [[[' + b"9" * 5000 + b", 2]]]}", "not valid JSON"),
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
    monkeypatch.setattr("app.data.drawings.store.LARGEST_SET", 1)
    client.post("/api/drawings", json=BODY)
    assert "at most 1 drawings" in is_an_error(client.post("/api/drawings", json=BODY), 409)

    def fail(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.storage.atomic.os.fsync", fail)
    message = is_an_error(client.post("/api/drawings", json={**BODY, "set": "other"}), 507)
    assert "the disk is full" in message
    assert [one["count"] for one in client.get("/api/drawings").json()["sets"]] == [1]


def test_the_drawings_are_no_models_and_the_models_no_drawings(client):
    client.post("/api/drawings", json=BODY)
    assert [model["name"] for model in client.get("/api/models").json()["models"]] == [*("mnist-mlp", "teaching-mlp")]
    assert [one["name"] for one in client.get("/api/drawings").json()["sets"]] == ["mine"]


def test_a_drawing_gets_another_label(client):
    kept = client.post("/api/drawings", json=BODY).json()
    assert client.get("/api/drawings").json()["sets"][0]["labels"] == {"3": 1}
    changed = client.patch(f"/api/drawings/{kept['id']}", json={"label": " か\u3099 "})
    assert (changed.status_code, changed.json()) == (200, {**kept, "label": "が"})
    listed = client.get("/api/drawings").json()
    assert (listed["drawings"], listed["sets"][0]["labels"]) == ([changed.json()], {"が": 1})
    for body in ({"label": ""}, {"label": 3}, {}, {"label": "x", "set": "y"}, []):
        is_an_error(client.patch(f"/api/drawings/{kept['id']}", json=body), 422)
    is_an_error(client.patch(f"/api/drawings/{'0' * 14}-{'0' * 8}", json={"label": "x"}), 404)
    assert client.get("/api/drawings?label=が").json()["drawings"] == [changed.json()]


def test_another_process_sees_the_new_label(client, settings):
    from app.data.drawings.store import DrawingStore

    kept = client.post("/api/drawings", json=BODY).json()
    other = DrawingStore(settings.home / "drawings")
    assert other.sets()[0].labels == {"3": 1}
    client.patch(f"/api/drawings/{kept['id']}", json={"label": "8"})
    assert other.sets()[0].labels == {"8": 1}


def test_a_drawing_comes_with_what_a_network_sees(client):
    client.post("/api/drawings", json=BODY)
    (drawing,) = client.get("/api/drawings?pixels=true").json()["drawings"]
    seen = client.post("/predict?input=true", json={"strokes": THREE}).json()["input"]
    pixels = np.frombuffer(base64.b64decode(drawing["pixels"]), np.uint8).reshape(28, 28)
    assert np.array_equal(pixels, np.rint(np.array(seen, np.float32) * 255).astype(np.uint8))


def test_what_is_exported_as_strokes_comes_in_again(client):
    for label, name in (("○", "a"), ("x/y", "a"), ("○", "b")):
        client.post("/api/drawings", json={"label": label, "strokes": THREE, "set": name})
    response = client.get("/api/drawings/export?set=a")
    assert response.headers["content-disposition"] == 'attachment; filename="drawings-a.json"'
    exported = response.json()
    assert sorted(one["label"] for one in exported["drawings"]) == ["x/y", "○"]
    answer = client.post("/api/drawings/import?set=c", json=exported)
    assert (answer.status_code, answer.json()) == (201, {"imported": 2, "sets": ["c"]})
    both = client.get("/api/drawings/export").json()
    assert len(both["drawings"]) == 5
    assert client.post("/api/drawings/import", json=both).json()["sets"] == ["a", "b", "c"]
    listed = client.get("/api/drawings").json()["sets"]
    assert {one["name"]: one["labels"] for one in listed} == {
        "a": {"x/y": 2, "○": 2},
        "b": {"○": 2},
        "c": {"x/y": 2, "○": 2},
    }
    assert all(one["strokes"] == THREE for one in client.get("/api/drawings").json()["drawings"])


def test_pictures_are_exported_in_a_folder_for_each_label(client):
    ids = [client.post("/api/drawings", json={**BODY, "label": label}).json()["id"] for label in ("○", "../x", "con")]
    response = client.get("/api/drawings/export?format=png")
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        names = archive.namelist()
        assert names == [f"mine/{folder}/{i}.png" for folder, i in zip(("○", "%2E%2E%2Fx", "%63on"), ids, strict=True)]
        picture = np.asarray(Image.open(io.BytesIO(archive.read(names[0]))))
    seen = np.array(client.post("/predict?input=true", json={"strokes": THREE}).json()["input"], np.float32)
    assert np.array_equal(picture, np.rint(seen * 255).astype(np.uint8))
    is_an_error(client.get("/api/drawings/export?set=none"), 404)
    is_an_error(client.get("/api/drawings/export?set=.."), 422)
    is_an_error(client.get("/api/drawings/export?format=xls"), 422)


GOOD = {"label": "a", "strokes": [[[1, 2]]]}
BAD_IMPORTS = {
    "a list": ([GOOD], "expected an object"),
    "another version": ({"format": "digitpad-drawings", "version": 2, "drawings": [GOOD]}, "version"),
    "none": ({"format": "digitpad-drawings", "version": 1, "drawings": []}, "drawings: expected a list of 1 to"),
    "a bad one behind a good one": (
        {"format": "digitpad-drawings", "version": 1, "drawings": [GOOD, {**GOOD, "strokes": []}]},
        "drawings[1].strokes: expected at least one point",
    ),
    "a set outside": (
        {"format": "digitpad-drawings", "version": 1, "drawings": [{**GOOD, "set": "../x"}]},
        "drawings[0].set: expected",
    ),
    "more keys": (
        {"format": "digitpad-drawings", "version": 1, "drawings": [{**GOOD, "path": "x"}]},
        "drawings[0]: expected an object",
    ),
}


@pytest.mark.parametrize(("body", "words"), BAD_IMPORTS.values(), ids=BAD_IMPORTS)
def test_an_import_with_a_fault_brings_nothing(client, settings, body, words):
    assert words in is_an_error(client.post("/api/drawings/import", json=body), 422)
    assert not (settings.home / "drawings").exists()


def test_an_import_that_the_disk_or_the_store_refuses_half_way_leaves_nothing(client, monkeypatch):
    body = {"format": "digitpad-drawings", "version": 1, "drawings": [GOOD] * 3}
    monkeypatch.setattr("app.data.drawings.store.LARGEST_SET", 2)
    assert "at most 2 drawings" in is_an_error(client.post("/api/drawings/import", json=body), 409)
    monkeypatch.undo()
    written = []

    def fail_at_the_third(handle):
        written.append(handle)
        if len(written) > 4:  # each file, and its folder
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.storage.atomic.os.fsync", fail_at_the_third)
    is_an_error(client.post("/api/drawings/import", json=body), 507)
    assert client.get("/api/drawings").json()["drawings"] == []
