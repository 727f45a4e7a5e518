"""What an epoch's event has, the sheet and the first layer, over HTTP."""

import base64

import pytest

from app.data.dataset import DatasetUnavailable
from tests.support.errors import is_an_error
from tests.support.runs import TINY, start
from tests.support.waiting import until

ONE = [[[0, 0], [4, 100]]]


def epochs(client, run):
    found = client.get(f"/api/runs/{run}/events").json()["events"]
    return [event["data"] for event in found if event["type"] == "epoch"]


@pytest.mark.slow
def test_an_epoch_tells_of_its_layers_its_sheet_and_the_users_drawings(client, ended):
    client.post("/api/drawings", json={"label": "1", "strokes": ONE})
    client.post("/api/drawings", json={"label": "△", "strokes": ONE, "set": "shapes"})
    run = start(client, epochs=3)["id"]
    ended(run)
    sheet = client.get(f"/api/runs/{run}/sheet").json()
    assert [digit["label"] for digit in sheet["digits"]] == [label for label in "0123456789" for _ in range(2)]
    assert all(len(base64.b64decode(digit["pixels"])) == 784 for digit in sheet["digits"])
    told = epochs(client, run)
    assert [data["epoch"] for data in told] == [1, 2, 3]
    for data in told:
        first, last = data["layers"]
        assert (first["name"], last["name"]) == ("1 dense", "3 dense")
        assert (sum(first["histogram"]["counts"]), len(first["histogram"]["counts"])) == (784 * 16, 30)
        assert first["histogram"]["from"] < first["histogram"]["to"]
        assert first["gradient_norm"] > 0
        assert first["weight_norm"] > 0
        assert len(data["sheet"]["said"]) == len(data["sheet"]["probability"]) == 20
        assert all(0 <= said < 10 for said in data["sheet"]["said"])
        assert all(0 < probability <= 1 for probability in data["sheet"]["probability"])
        assert set(data["yours"]) == {"accuracy", "loss", "count"}
        assert data["yours"]["count"] == 1
    short = client.get(f"/api/runs/{run}/events?short=true").json()["events"]
    assert [event["data"] for event in short if event["type"] == "epoch"] == [
        {key: value for key, value in data.items() if key not in ("layers", "sheet", "batch_losses")} for data in told
    ]
    assert client.get(f"/api/runs/{run}").json()["metrics"] == short[-4]["data"]
    right = sum(
        sheet["labels"][said] == digit["label"]
        for said, digit in zip(told[-1]["sheet"]["said"], sheet["digits"], strict=True)
    )
    assert right >= 8

    layer = client.get(f"/api/runs/{run}/first-layer?count=4").json()
    assert (layer["epoch"], layer["shape"], layer["units"], layer["type"]) == (3, [28, 28], 16, "dense")
    assert [image["unit"] for image in layer["images"]] == [0, 1, 2, 3]
    for image in layer["images"]:
        pixels = base64.b64decode(image["pixels"])
        assert image["low"] == -image["high"] < 0
        assert len(pixels) == 784
        assert 255 in pixels or 0 in pixels
    is_an_error(client.get(f"/api/runs/{run}/first-layer?count=0"), 422)


def test_the_first_layer_is_seen_while_a_run_learns_and_not_before(client):
    layers = [
        {"type": "conv2d", "filters": 2, "kernel_size": 5, "stride": 4, "padding": 0},
        {"type": "dense", "units": 10},
    ]
    layers[0] = {**layers[0], "kernel_size": 4}
    going = start(client, epochs=10_000, network={"layers": layers})["id"]
    waiting = start(client)["id"]
    pooled = start(
        client,
        network={"layers": [{"type": "max_pool2d"}, TINY["network"]["layers"][0], {"type": "dense", "units": 10}]},
    )["id"]
    is_an_error(client.get(f"/api/runs/{waiting}/first-layer"), 409)
    is_an_error(client.get(f"/api/runs/{pooled}/first-layer"), 404)
    is_an_error(client.get("/api/runs/999/first-layer"), 404)
    is_an_error(client.get("/api/runs/999/sheet"), 404)
    until(lambda: epochs(client, going))
    first = client.get(f"/api/runs/{going}/first-layer").json()
    assert (first["shape"], first["units"], first["type"]) == ([4, 4], 2, "conv2d")
    until(lambda: client.get(f"/api/runs/{going}/first-layer").json()["epoch"] > first["epoch"])
    assert "yours" not in epochs(client, going)[0]


@pytest.mark.slow
def test_the_sheet_of_drawings_that_are_others_now_is_not_shown(client, ended, monkeypatch):
    run = ended(start(client)["id"])["id"]
    assert len(client.get(f"/api/runs/{run}/sheet").json()["digits"]) == 20
    monkeypatch.setattr("app.web.api.run_monitor.began_with", lambda log, run: "another version")
    assert "have changed since run" in is_an_error(client.get(f"/api/runs/{run}/sheet"), 409)


@pytest.mark.slow
def test_the_inside_of_a_run_at_its_moments_is_what_its_log_says(client, ended, monkeypatch):
    run = ended(start(client, batch_size=100)["id"])["id"]
    moments = client.get(f"/api/runs/{run}/moments").json()["moments"]
    assert [(one["epoch"], one["batch"]) for one in moments][-2:] == [(1, 0), (2, 0)]
    told = epochs(client, run)
    for data in told:
        inside = client.get(f"/api/runs/{run}/moments/{data['epoch']}/0").json()
        assert inside["sheet"]["said"] == data["sheet"]["said"]
        for layer, logged in zip(inside["layers"], data["layers"], strict=True):
            assert (layer["name"], layer["gradient_norm"]) == (logged["name"], None)
            assert layer["weight_norm"] == pytest.approx(logged["weight_norm"], rel=1e-3)
            assert sum(layer["histogram"]["counts"]) == sum(logged["histogram"]["counts"])
    newest = client.get(f"/api/runs/{run}/first-layer").json()
    for image, kept in zip(newest["images"], inside["first_layer"]["images"], strict=True):
        pixels = [list(base64.b64decode(one["pixels"])) for one in (image, kept)]
        assert all(abs(a - b) <= 1 for a, b in zip(*pixels, strict=True))
    first = client.get(f"/api/runs/{run}/moments/0/0").json()
    assert first["first_layer"]["images"] != inside["first_layer"]["images"]

    found = client.get(f"/api/runs/{run}/map").json()
    assert [(one["epoch"], one["batch"]) for one in found["moments"]] == [
        (one["epoch"], one["batch"]) for one in moments
    ]
    assert len(base64.b64decode(found["images"])) == 784 * len(found["truth"])
    right = [sum(map(int.__eq__, one["said"], found["truth"])) for one in found["moments"]]
    assert right[0] < right[-1]

    is_an_error(client.get(f"/api/runs/{run}/moments/7/0"), 404)
    is_an_error(client.get("/api/runs/999/moments"), 404)
    is_an_error(client.get("/api/runs/999/map"), 404)
    is_an_error(client.get("/api/races/999/plane"), 409)

    def gone(*_, **__):
        raise DatasetUnavailable("there is no such set")

    monkeypatch.setattr("app.data.cache.DatasetCache.get", gone)
    without = client.get(f"/api/runs/{run}/moments/1/0").json()
    assert without["sheet"] is None
    assert without["layers"]
    is_an_error(client.get(f"/api/runs/{run}/map"), 409)
    client.delete(f"/api/runs/{run}")
    is_an_error(client.get(f"/api/runs/{run}/moments/1/0"), 404)
