"""The counts of drawings, live, whoever adds them; and drawings that are sent again or to a set that is gone."""

import threading

import pytest
from starlette.websockets import WebSocketDisconnect

from app.data.drawings.store import DrawingStore
from tests.support.errors import is_an_error

LINE = [[[0, 0], [5, 5]]]
SHAPES = {"name": "shapes", "count": 0, "labels": {}, "declared": ["○", "△"]}


def hear(socket):
    """The next message that is no beat."""
    while (message := socket.receive_json())["type"] == "beat":
        pass
    return message


def test_counts_come_live_whichever_process_draws(client, settings):
    client.put("/api/drawings/sets/shapes", json={"labels": ["○", "△"]})
    other = DrawingStore(settings.home / "drawings")  # another process's, as it were
    with client.websocket_connect("/api/drawings/stream") as all_sets:
        assert hear(all_sets) == {"type": "sets", "sets": [SHAPES]}
        with client.websocket_connect("/api/drawings/sets/shapes/stream") as one_set:
            assert hear(one_set) == {"type": "sets", "sets": [SHAPES]}
            kept = other.add("△", LINE, "shapes")
            grown = {**SHAPES, "count": 1, "labels": {"△": 1}}
            assert hear(one_set)["sets"] == hear(all_sets)["sets"] == [grown]
            other.add("3", LINE, "mine")  # of no interest to those who follow the other set
            mine = {"name": "mine", "count": 1, "labels": {"3": 1}, "declared": []}
            assert hear(all_sets)["sets"] == [mine, grown]
            other.relabel(kept.id, "○")
            assert hear(one_set)["sets"] == [{**grown, "labels": {"○": 1}}]
            other.delete(kept.id)
            assert hear(one_set)["sets"] == [SHAPES]
            other.undeclare("shapes")
            assert hear(one_set)["sets"] == [{**SHAPES, "declared": []}]
    assert client.get("/api/drawings/sets").json() == {"sets": [mine]}


@pytest.mark.parametrize("name", ["Mine", "%3Cb%3E", "x" * 65, "..%2E"])
def test_a_name_that_cannot_be_a_sets_closes_the_stream(client, name):
    with client.websocket_connect(f"/api/drawings/sets/{name}/stream") as socket:
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 1008
        assert "a-z" in closed.value.reason


def test_a_folder_that_cannot_be_read_is_told_and_the_next_reader_starts_anew(client, monkeypatch):
    real = DrawingStore.sets
    monkeypatch.setattr(DrawingStore, "sets", lambda self: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with client.websocket_connect("/api/drawings/stream") as socket:
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 1013
    monkeypatch.setattr(DrawingStore, "sets", real)
    with client.websocket_connect("/api/drawings/stream") as socket:
        assert hear(socket)["sets"] == []


def test_a_drawing_that_is_sent_again_is_saved_once(client):
    client.put("/api/drawings/sets/shapes", json={"labels": ["○", "△"]})
    for path, more in (("/api/drawings", {"set": "shapes"}), ("/api/drawings/sets/shapes/drawings", {})):
        body = {"label": "○", "strokes": LINE, "key": path, **more}
        first, again = (client.post(path, json=body) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        other = client.post(path, json={**body, "strokes": [[[1, 1]]]}).json()  # another drawing in spite of the key
        assert other["id"] != first.json()["id"]
    assert client.get("/api/drawings/sets/shapes").json()["count"] == 4
    for key in ("", "x" * 65):
        is_an_error(client.post("/api/drawings", json={"label": "○", "strokes": LINE, "key": key}), 422)


def test_a_set_takes_its_labels_alone_and_none_once_it_is_gone(client):
    path = "/api/drawings/sets/shapes/drawings"
    client.put("/api/drawings/sets/shapes", json={"labels": ["○", "<b>"]})
    said = is_an_error(client.post(path, json={"label": "rude", "strokes": LINE}), 422)
    assert "expected one of the labels of shapes: ○, <b>; got 'rude'" in said
    assert client.post(path, json={"label": "<b>", "strokes": LINE}).status_code == 201
    assert "no set named gone" in is_an_error(
        client.post("/api/drawings/sets/gone/drawings", json={"label": "○", "strokes": LINE}), 404
    )
    assert client.get("/api/drawings/sets/gone").json()["count"] == 0
    is_an_error(client.post("/api/drawings/sets/X/drawings", json={"label": "○", "strokes": LINE}), 422)


def test_forty_at_once_lose_nothing_and_double_nothing(client):
    client.put("/api/drawings/sets/shapes", json={"labels": ["○", "△"]})
    answers = []

    def work(number):
        for turn in range(3):
            body = {"label": "○△"[turn % 2], "strokes": [[[number, turn], [9, 9]]], "key": f"{number}-{turn}"}
            answers.extend(client.post("/api/drawings/sets/shapes/drawings", json=body) for _ in range(2))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 120
    assert client.get("/api/drawings/sets/shapes").json()["labels"] == {"○": 80, "△": 40}


def test_a_set_that_two_remove_is_removed_once_and_said_to_be_gone(client):
    client.put("/api/drawings/sets/shapes", json={"labels": ["○", "△"]})
    assert client.delete("/api/drawings/sets/shapes").status_code == 204
    assert "no set named shapes" in is_an_error(client.delete("/api/drawings/sets/shapes"), 404)
    kept = client.post("/api/drawings", json={"label": "○", "strokes": LINE}).json()
    assert client.patch(f"/api/drawings/{kept['id']}", json={"label": "a"}).json()["label"] == "a"
    assert client.patch(f"/api/drawings/{kept['id']}", json={"label": "b"}).json()["label"] == "b"  # the last one holds
    client.delete(f"/api/drawings/{kept['id']}")
    is_an_error(client.patch(f"/api/drawings/{kept['id']}", json={"label": "c"}), 404)
