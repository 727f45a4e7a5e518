"""A model leaves one store and enters another."""

from starlette.testclient import TestClient

from app.main import create_app
from app.settings import SHIPPED_MODELS, Settings

THREE = {"strokes": [[[10, 10], [60, 10], [30, 40], [60, 70], [10, 90]]]}
ZIP = {"content-type": "application/zip"}


def test_a_model_that_was_downloaded_reads_the_same_elsewhere(client, trained, tmp_path, cache_dir):
    packed = client.get(f"/api/models/{trained}/download?format=zip")
    assert packed.headers["content-disposition"] == f'attachment; filename="{trained}.zip"'
    card = client.get(f"/api/models/{trained}").json()
    said = client.post(f"/predict?model={trained}", json=THREE).json()
    there = Settings(home=tmp_path / "there", cache_dir=cache_dir, allowed_hosts="testserver", _env_file=None)
    with TestClient(create_app(there)) as other:
        taken = other.post("/api/models", content=packed.content, headers=ZIP)
        assert taken.status_code == 201
        assert taken.json() == {**card, "run": None}
        assert other.post(f"/predict?model={trained}", json=THREE).json() == said
        assert other.get(f"/api/models/{trained}/download?format=zip").status_code == 200


def test_a_name_that_is_taken_gets_a_number_and_what_ships_stays_what_it_is(client):
    folder = SHIPPED_MODELS / "mnist-mlp"
    files = {"card": (folder / "model.json").read_bytes(), "weights": (folder / "model.safetensors").read_bytes()}
    for name in ("mnist-mlp-2", "mnist-mlp-3"):
        card = client.post("/api/models", files=files).json()
        assert (card["name"], card["shipped"]) == (name, False)
    packed = client.get("/api/models/mnist-mlp/download?format=zip").content
    assert client.post("/api/models", files={"file": ("x.zip", packed)}).json()["name"] == "mnist-mlp-4"
    assert client.delete("/api/models/mnist-mlp-2").status_code == 204
