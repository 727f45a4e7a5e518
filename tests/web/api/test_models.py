"""The model store over HTTP, and the pages."""

import json
import re
import shutil

import pytest

from app.settings import SHIPPED_MODELS
from app.web.api.models import outline
from tests.support.errors import is_an_error

PAGE = {"accept": "text/html"}


def test_the_shipped_models_are_there_from_the_first_second(client):
    listed = client.get("/api/models").json()
    model, teaching = listed["models"]
    assert listed["default"] == model["name"] == "mnist-mlp"
    assert (model["available"], model["shipped"], model["dataset"]) == (True, True, "2*mnist + 2*strokes + 3*pendigits")
    assert model["metrics"]["test_accuracy"] >= 0.994
    assert model["bytes"] < 5_000_000
    assert (teaching["name"], teaching["for_teaching"], teaching["shipped"]) == ("teaching-mlp", True, True)
    assert not model["for_teaching"]
    page = client.get("/", headers=PAGE).text
    assert '"mnist-mlp"' in page
    assert "teaching-mlp" not in page  # the pad reads with it only if it is asked for
    assert 'value="teaching-mlp" selected' in client.get("/?model=teaching-mlp", headers=PAGE).text
    assert 'value="teaching-mlp" selected' in client.get("/learn/inside", headers=PAGE).text
    assert is_an_error(client.delete("/api/models/teaching-mlp"), 409)


def test_another_model_that_takes_the_teaching_model_s_name_is_not_called_that(client, settings, trained):
    (settings.home / trained).rename(settings.home / "teaching-mlp")
    card = settings.home / "teaching-mlp" / "model.json"
    card.write_text(card.read_text("utf-8").replace(f'"name": "{trained}"', '"name": "teaching-mlp"'), "utf-8")
    one = {model["name"]: model for model in client.get("/api/models").json()["models"]}["teaching-mlp"]
    assert (one["available"], one["shipped"], one["for_teaching"]) == (True, False, False)
    assert 'value="mnist-mlp" selected' in client.get("/learn/inside", headers=PAGE).text


def test_a_model_is_chosen_downloaded_and_removed(client, trained):
    assert client.post(f"/api/models/{trained}/default").json() == {"default": trained}
    assert client.post("/predict", json={"strokes": []}).json()["model"] == trained
    card = client.get(f"/api/models/{trained}").json()
    weights = client.get(f"/api/models/{trained}/download")
    assert weights.headers["content-disposition"] == f'attachment; filename="{trained}.safetensors"'
    assert len(weights.content) > card["parameters"] * 4
    assert client.get(f"/api/models/{trained}/download?format=card").json() == card
    assert client.delete(f"/api/models/{trained}").status_code == 204
    assert client.get("/api/models").json()["default"] == "mnist-mlp"
    assert client.post("/predict", json={"strokes": []}).json()["model"] == "mnist-mlp"
    assert is_an_error(client.get(f"/api/models/{trained}"), 404) == f"there is no model {trained}"


def test_the_shipped_model_is_not_removed(client):
    assert "ships with digitpad" in is_an_error(client.delete("/api/models/mnist-mlp"), 409)
    assert (SHIPPED_MODELS / "mnist-mlp" / "model.json").is_file()


def test_a_damaged_model_is_listed_with_the_reason_and_the_others_serve(client, settings, trained):
    weights = settings.home / trained / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    client.post(f"/api/models/{trained}/default")
    weights.write_bytes(data)
    listed = {model["name"]: model for model in client.get("/api/models").json()["models"]}
    assert not listed[trained]["available"]
    assert "SHA-256 differs" in listed[trained]["reason"]
    shutil.copy(settings.home / trained / "model.json", settings.home / trained / "kept")
    (settings.home / trained / "model.json").write_text("{")
    assert (
        "model.json is not a model card"
        in {m["name"]: m for m in client.get("/api/models").json()["models"]}[trained]["reason"]
    )
    assert "cannot be used" in is_an_error(client.post(f"/predict?model={trained}", json={"strokes": []}), 409)
    assert client.post("/predict", json={"strokes": []}).json()["model"] == "mnist-mlp"
    is_an_error(client.post(f"/api/models/{trained}/default"), 409)


@pytest.mark.parametrize("name", ["nobody", "..", "%2e%2e", "a" * 300, "UPPER", ".hidden", "x%00y"])
def test_names_outside_the_store_lead_nowhere(client, name):
    for method, path in (("GET", ""), ("GET", "/download"), ("POST", "/default"), ("DELETE", "")):
        response = client.request(method, f"/api/models/{name}{path}")
        assert response.status_code in (404, 405, 409)
        assert "error" in response.json()


@pytest.mark.parametrize("path", ["/", "/?model=mnist-mlp", "/challenge", "/train", "/models"])
def test_pages_come_and_name_only_this_server(client, path):
    page = client.get(path, headers=PAGE)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "digitpad" in page.text
    for address in ("http://", "https://"):
        assert address not in page.text.replace("http://www.w3.org/", "")


def test_every_file_that_a_page_names_is_there_and_may_be_kept_for_good(client):
    for path in ("/", "/challenge", "/train", "/models"):
        for address in re.findall(r'(?:src|href)="(/static[^"]+)"', client.get(path).text):
            file = client.get(address)
            assert file.status_code == 200, address
            assert "immutable" in file.headers["cache-control"]


@pytest.mark.parametrize("path", ["/", "/challenge"])
def test_an_unknown_model_on_the_pad_is_said_and_the_default_reads(client, path):
    page = client.get(f"{path}?model=<script>", headers=PAGE)
    assert page.status_code == 200
    assert "There is no usable model named" in page.text
    assert "<script>”" not in page.text
    assert "mnist-mlp" in page.text


@pytest.mark.parametrize(("path", "words"), [("/", "read with yet"), ("/challenge", "play with yet")])
def test_a_page_without_any_usable_model_leads_to_training(client, monkeypatch, path, words):
    monkeypatch.setattr("app.web.pages.routes.summaries", lambda store: {"models": [], "default": None})
    page = client.get(path, headers=PAGE)
    assert page.status_code == 200
    assert f"There is no model to {words}" in page.text
    assert 'href="/train"' in page.text[page.text.index("<main") :]


def test_a_page_that_is_not_there_is_a_page_for_people_and_json_for_programs(client):
    page = client.get("/nowhere", headers=PAGE)
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (404, "text/html")
    assert client.get("/runs/77", headers=PAGE).status_code == 404
    assert is_an_error(client.get("/nowhere"), 404) == "there is nothing at /nowhere"
    assert client.get("/runs/x", headers=PAGE).status_code == 422


def test_an_unexpected_error_says_nothing_of_the_inside(client, monkeypatch):
    def broken(self):
        raise RuntimeError("secret /path")

    monkeypatch.setattr("app.models.store.ModelStore.list", broken)
    message = is_an_error(client.get("/api/models"), 500)
    assert "secret" not in message
    assert client.get("/health").status_code == 200


def test_a_database_that_does_not_answer_is_503_with_a_time_to_try_again(client, monkeypatch):
    from sqlalchemy.exc import OperationalError

    def locked(self, **_):
        raise OperationalError("SELECT", {}, Exception("database is locked"))

    monkeypatch.setattr("app.runs.log.event_log.EventLog.list_runs", locked)
    response = client.get("/api/runs")
    assert "busy" in is_an_error(response, 503)
    assert int(response.headers["retry-after"]) > 0


def test_openapi_describes_the_calls(client):
    document = client.get("/openapi.json").json()
    assert {"/predict", "/api/runs", "/api/models", "/api/recipes", "/api/datasets"} <= set(document["paths"])
    assert client.get("/docs").status_code == 200


def test_the_page_of_the_calls_loads_nothing_from_elsewhere(client):
    page = client.get("/docs").text
    assert not re.findall(r"(?:https?:)?//[\w.-]+", page)
    for address in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert client.get(address).status_code == 200, address


def test_the_outline_of_a_network_shows_its_convolutions():
    layers = [
        {"type": "conv2d", "filters": 6, "kernel_size": 5},
        {"type": "max_pool2d"},
        {"type": "conv2d", "filters": 16, "kernel_size": [3, 5]},
        {"type": "flatten"},
        {"type": "dense", "units": 120},
        {"type": "relu"},
        {"type": "dense", "units": 10},
    ]
    assert outline({"input_shape": [1, 28, 28], "layers": layers}) == "28×28 → 6@5×5 → 16@3×5 → 120 → 10"
    assert outline({"input_shape": [1, 28, 28], "layers": layers[4:]}) == "784 → 120 → 10"


@pytest.mark.parametrize("path", ["/", "/train", "/models"])
def test_pages_answer_head(client, path):
    assert client.head(path).status_code == 200


def test_a_folder_whose_name_is_no_model_s_is_passed_over(client, settings, trained):
    shutil.copytree(settings.home / trained, settings.home / f"{trained} copy")
    assert {model["name"] for model in client.get("/api/models").json()["models"]} == {
        *("mnist-mlp", "teaching-mlp", trained)
    }
    assert client.get("/", headers=PAGE).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"network": {}},
        {"network": {"layers": None}},
        {"network": {"layers": ["relu"], "input_shape": 5}},
        {"network": {"layers": [{"type": "dense", "units": 10}]}},
        {"network": {"layers": [{"type": "transformer"}], "input_shape": [784]}},
        {"dtype": "nonsense"},
        {"labels": ["only", "two"]},
    ],
    ids=str,
)
def test_a_card_that_describes_no_network_harms_no_other_model(client, settings, trained, change):
    path = settings.home / trained / "model.json"
    client.post(f"/api/models/{trained}/default")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    listed = {model["name"]: model for model in client.get("/api/models").json()["models"]}
    assert not listed[trained]["available"]
    assert listed[trained]["reason"]
    assert client.get("/", headers=PAGE).status_code == 200
    assert client.post("/predict", json={"strokes": []}).json()["model"] == "mnist-mlp"


def test_a_default_that_is_no_text_is_passed_over(client, settings):
    settings.home.mkdir(exist_ok=True)
    (settings.home / "default").write_bytes(b"\xff\xfe\x00")
    assert client.get("/api/models").json()["default"] == "mnist-mlp"
    assert client.post("/predict", json={"strokes": []}).json()["model"] == "mnist-mlp"
