"""The Open Inference Protocol, by hand and with the real clients."""

import gzip
import json
import os
import struct
import subprocess
import uuid

import numpy as np
import pytest
from starlette.testclient import TestClient

from app import __version__
from app.data import from_strokes
from app.main import create_app
from app.settings import Settings
from tests.support.drawings import recorded
from tests.support.errors import is_an_error
from tests.support.serving import REPOSITORY, serve

DRAWINGS = recorded()
IMAGES = np.stack([from_strokes(DRAWINGS[f"digit {digit}"]["strokes"]).pixels for digit in "37"])
MODEL = "/v2/models/mnist-mlp"
LENGTH = "inference-header-content-length"
CLIENTS = REPOSITORY / ".venv-clients" / "bin" / "python"


@pytest.fixture(scope="module")
def client(tmp_path_factory, cache_dir):
    """One app for all: nothing here changes it."""
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home, cache_dir=cache_dir, allowed_hosts="testserver", _env_file=None)
    with TestClient(create_app(settings), raise_server_exceptions=False) as running:
        yield running


def tensor(images=IMAGES, datatype="FP32", **changes):
    shape = [len(images), 784]
    return {"name": "input", "shape": shape, "datatype": datatype, "data": images.ravel().tolist(), **changes}


def ask(client, body, path=f"{MODEL}/infer", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(path, content=content, headers=headers)


def binary(header, blob, **headers):
    """Content and headers of a request with `blob` behind its JSON."""
    text = json.dumps(header).encode()
    return text + blob, {LENGTH: str(len(text)), **headers}


def outputs(answer):
    return {output["name"]: output for output in answer["outputs"]}


def test_the_server_and_its_models_describe_themselves(client):
    server = client.get("/v2").json()
    assert (server["name"], server["version"]) == ("digitpad", __version__)
    assert "binary_tensor_data" in server["extensions"]
    assert client.get("/v2/health/live").json() == {"live": True, "ready": True}
    assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}
    described = client.get(MODEL).json()
    assert described["inputs"] == [{"name": "input", "datatype": "FP32", "shape": [-1, 784]}]
    assert [output["name"] for output in described["outputs"]] == ["probabilities", "label"]
    assert json.loads(described["properties"]["labels"]) == list("0123456789")
    assert client.get(f"{MODEL}/versions/1").json() == described
    for path in (f"{MODEL}/ready", f"{MODEL}/versions/1/ready"):
        assert client.get(path).json() == {"name": "mnist-mlp", "ready": True}


@pytest.mark.parametrize("path", ["", "/ready", "/infer"])
@pytest.mark.parametrize("model", ["nobody", "mnist-mlp/versions/2", "%2e%2e", "A", "x" * 300, "x%00"])
def test_models_and_versions_that_are_not_there_are_404(client, path, model):
    method = "POST" if path == "/infer" else "GET"
    is_an_error(client.request(method, f"/v2/models/{model}{path}", content=json.dumps({"inputs": [tensor()]})), 404)


def test_a_server_without_a_model_is_live_and_not_ready(client, monkeypatch):
    from app.models import Predictors, UnknownModelError

    def none(self, name=None):
        raise UnknownModelError("there is none")

    monkeypatch.setattr(Predictors, "get", none)
    assert client.get("/v2/health/live").json() == {"live": True, "ready": False}
    response = client.get("/v2/health/ready")
    assert (response.status_code, response.json()["ready"]) == (503, False)


def test_images_are_read_as_predict_reads_them(client):
    answer = ask(client, {"inputs": [tensor()]}).json()
    assert (answer["model_name"], answer["model_version"]) == ("mnist-mlp", "1")
    uuid.UUID(answer["id"])
    found = outputs(answer)
    assert found["label"] == {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["3", "7"]}
    assert (found["probabilities"]["datatype"], found["probabilities"]["shape"]) == ("FP32", [2, 10])
    for row, image in zip(np.reshape(found["probabilities"]["data"], (2, 10)), IMAGES, strict=True):
        said = client.post("/predict", json={"pixels": image.ravel().tolist()}).json()
        assert row == pytest.approx(list(said["probabilities"].values()), abs=1e-6)


@pytest.mark.parametrize(
    "kind", ["application/json", "application/octet-stream", "application/json; charset=utf-8", ""]
)
def test_any_type_of_the_protocol_or_none_is_taken(client, kind):
    headers = {"content-type": kind} if kind else {}
    assert ask(client, {"inputs": [tensor()]}, **headers).status_code == 200
    assert "got 'text/plain'" in is_an_error(ask(client, {"inputs": [tensor()]}, **{"content-type": "text/plain"}), 415)


@pytest.mark.parametrize("binary_data", [False, True])
def test_a_body_that_is_packed_with_gzip_is_read_and_another_is_415(client, binary_data):
    asked, headers = {"inputs": [tensor()]}, {}
    if binary_data:
        blob = IMAGES.astype("<f4").tobytes()
        sent = {"name": "input", "shape": [2, 784], "datatype": "FP32", "parameters": {"binary_data_size": len(blob)}}
        asked, headers = binary({"inputs": [sent]}, blob)
    body = asked if binary_data else json.dumps(asked).encode()
    packed = ask(client, gzip.compress(body), **{"content-encoding": "gzip"}, **headers)
    assert outputs(packed.json())["label"]["data"] == ["3", "7"]
    is_an_error(ask(client, body, **{"content-encoding": "gzip"}, **headers), 400)
    refused = ask(client, body, **{"content-encoding": "br"}, **headers)
    is_an_error(refused, 415)
    assert refused.headers["accept-encoding"] == "gzip, identity"


@pytest.mark.parametrize("shape", [[2, 784], [2, 1, 28, 28]])
@pytest.mark.parametrize("datatype", ["FP32", "UINT8"])
@pytest.mark.parametrize("form", ["flat", "nested", "binary"])
def test_every_shape_and_datatype_is_read_flat_nested_and_binary(client, shape, datatype, form):
    images = np.rint(IMAGES * 255).astype(np.uint8) if datatype == "UINT8" else IMAGES
    sent = {"name": "input", "shape": shape, "datatype": datatype}
    if form == "binary":
        blob = images.astype("<f4" if datatype == "FP32" else "u1").tobytes()
        body, headers = binary({"inputs": [{**sent, "parameters": {"binary_data_size": len(blob)}}]}, blob)
    else:
        data = images.reshape(shape).tolist() if form == "nested" else images.ravel().tolist()
        body, headers = {"inputs": [{**sent, "data": data}]}, {}
    assert outputs(ask(client, body, **headers).json())["label"]["data"] == ["3", "7"]


def test_outputs_are_chosen_and_binary_where_asked(client):
    body = {"id": "mine", "inputs": [tensor()], "parameters": {"binary_data_output": True}}
    response = ask(client, body)
    split = int(response.headers[LENGTH])
    assert response.headers["content-type"] == "application/octet-stream"
    answer = json.loads(response.content[:split])
    assert answer["id"] == "mine"
    sizes = [output["parameters"]["binary_data_size"] for output in answer["outputs"]]
    assert sizes == [2 * 10 * 4, 2 * (4 + 1)]
    assert response.content[split + sizes[0] :] == struct.pack("<I", 1) + b"3" + struct.pack("<I", 1) + b"7"
    rows = np.frombuffer(response.content[split : split + sizes[0]], "<f4").reshape(2, 10)
    assert rows.argmax(axis=1).tolist() == [3, 7]
    only = ask(client, {**body, "outputs": [{"name": "label", "parameters": {"binary_data": False}}]}).json()
    assert [output["name"] for output in only["outputs"]] == ["label"]
    mixed = ask(
        client, {"inputs": [tensor()], "outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}
    )
    assert LENGTH in mixed.headers


def test_no_ink_has_no_label(client):
    found = outputs(ask(client, {"inputs": [tensor(np.zeros((1, 784)))]}).json())
    assert found["label"]["data"] == [""]
    assert sum(found["probabilities"]["data"]) == pytest.approx(1, abs=1e-5)


def test_256_images_are_read_at_once_and_257_are_not(client):
    images = np.zeros((256, 784))
    assert len(outputs(ask(client, {"inputs": [tensor(images)]}).json())["label"]["data"]) == 256
    assert "N from 1 to 256" in is_an_error(ask(client, {"inputs": [tensor(np.zeros((257, 784)))]}), 400)


BLOB = IMAGES.astype("<f4").tobytes()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "expected an object with inputs"),
        ({}, "inputs: expected a list of tensors; got null"),
        ({"inputs": []}, "expected one tensor named input; got []"),
        ({"inputs": [1]}, "inputs: expected a list of tensors"),
        ({"inputs": [tensor(), tensor()]}, "expected one tensor named input; got ['input', 'input']"),
        ({"inputs": [tensor(), tensor(name="mask")]}, "got ['input', 'mask']"),
        ({"inputs": [tensor(name="image")]}, "got ['image']"),
        ({"inputs": [tensor(name=["input"])]}, "expected one tensor named input"),
        ({"inputs": [tensor(datatype="FP64")]}, "inputs[0].datatype: expected one of FP32, UINT8; got 'FP64'"),
        ({"inputs": [tensor(datatype=None)]}, "datatype: expected"),
        ({"inputs": [tensor(datatype=["FP32"])]}, "datatype: expected"),
        ({"inputs": [tensor(shape=[2, 783])]}, "shape: expected [N, 784]"),
        ({"inputs": [tensor(shape=[-1, 784])]}, "got [-1, 784]"),
        ({"inputs": [tensor(shape=[0, 784], data=[])]}, "got [0, 784]"),
        ({"inputs": [tensor(shape=[2, -784])]}, "shape: expected"),
        ({"inputs": [tensor(shape=[2**62, 784])]}, "shape: expected"),
        ({"inputs": [tensor(shape=[2**64, 2**64])]}, "shape: expected"),
        ({"inputs": [tensor(shape=[True, 784])]}, "shape: expected"),
        ({"inputs": [tensor(shape=[2.0, 784])]}, "shape: expected"),
        ({"inputs": [tensor(shape="2,784")]}, "shape: expected"),
        ({"inputs": [tensor(shape=[])]}, "shape: expected"),
        ({"inputs": [tensor(data=None)]}, "data: expected a list of numbers"),
        ({"inputs": [tensor(data=[0] * 783)]}, "expected 1568 numbers for the shape [2, 784]; got 783"),
        ({"inputs": [tensor(data=[[0] * 784, [0] * 783])]}, "nested as the shape [2, 784] says"),
        ({"inputs": [tensor(data=[[[0]] * 784] * 2)]}, "expected numbers; got [0] at position 0"),
        ({"inputs": [tensor(data=["0"] * 1568)]}, "expected numbers; got '0' at position 0"),
        ({"inputs": [tensor(data=[True] * 1568)]}, "expected numbers; got true"),
        ({"inputs": [tensor(data=[0] * 1567 + [2])]}, "from 0 to 1; got 2 at position 1567"),
        ({"inputs": [tensor(data=[-0.5] * 1568)]}, "got -0.5"),
        ({"inputs": [tensor(data=[0] * 1567 + [10**400])]}, "data: expected"),
        ({"inputs": [tensor(datatype="UINT8", data=[256] * 1568)]}, "whole numbers from 0 to 255"),
        ({"inputs": [tensor(datatype="UINT8", data=[0.5] * 1568)]}, "expected whole numbers; got 0.5"),
        ({"inputs": [tensor(parameters=5)]}, "inputs[0].parameters: expected an object"),
        ({"inputs": [tensor(parameters={"shared_memory_region": "x"})]}, "not supported here"),
        ({"inputs": [tensor(parameters={"binary_data_size": 6272})]}, "in JSON or binary_data_size, not both"),
        ({"inputs": [tensor()], "outputs": [{"name": "logits"}]}, "outputs[0].name: expected probabilities and label"),
        ({"inputs": [tensor()], "outputs": [{"name": "label"}, {"name": "label"}]}, "each at most once"),
        ({"inputs": [tensor()], "outputs": {"name": "label"}}, "outputs: expected a list"),
        ({"inputs": [tensor()], "outputs": [{"name": "label", "parameters": {"binary_data": 1}}]}, "binary_data"),
        ({"inputs": [tensor()], "parameters": {"binary_data_output": "yes"}}, "expected true or false; got 'yes'"),
        ({"inputs": [tensor()], "parameters": {"classification": 3}}, "not supported"),
        ({"inputs": [tensor()], "id": 7}, "id: expected a string"),
        ({"inputs": [tensor()], "id": "x" * 1001}, "id: expected a string"),
        (b"{", "not valid JSON"),
        (b"", "expected JSON in the body; got nothing"),
        (b'{"inputs": [{"name": "input", "shape": [1, 784], "datatype": "FP32", "data": [NaN]}]}', "not valid JSON"),
        (json.dumps({"inputs": [tensor()]}).encode() + BLOB, "not valid JSON"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_no_request_gets_a_clear_error(client, body, message):
    assert message in is_an_error(ask(client, body), 400)


@pytest.mark.parametrize(
    ("size", "blob", "length", "message"),
    [
        (6271, BLOB, None, "binary_data_size: expected 6272"),
        (2**70, BLOB, None, "binary_data_size: expected 6272"),
        (-1, BLOB, None, "binary_data_size: expected 6272"),
        ("6272", BLOB, None, "binary_data_size: expected 6272"),
        (True, BLOB, None, "binary_data_size: expected 6272"),
        (6272, BLOB[:-1], None, "expected 6272 bytes after the JSON, as binary_data_size says; got 6271"),
        (6272, BLOB + b"x", None, "got 6273"),
        (6272, b"", None, "got 0"),
        (None, BLOB, None, "expected nothing after the JSON"),
        (6272, np.full(1568, np.nan, "<f4").tobytes(), None, "expected numbers from 0 to 1; got nan"),
        (6272, BLOB, "-1", "Inference-Header-Content-Length: expected"),
        (6272, BLOB, "0", "Inference-Header-Content-Length: expected"),
        (6272, BLOB, "9999999", "Inference-Header-Content-Length: expected"),
        (6272, BLOB, "9" * 30, "Inference-Header-Content-Length: expected"),
        (6272, BLOB, "ten", "Inference-Header-Content-Length: expected"),
        (6272, BLOB, "5", "not valid JSON"),
    ],
)
def test_binary_sizes_that_lie_get_a_clear_error(client, size, blob, length, message):
    sent = tensor() if size is None else {**tensor(), "parameters": {"binary_data_size": size}}
    if size is not None:
        del sent["data"]
    body, headers = binary({"inputs": [sent]}, blob)
    assert message in is_an_error(ask(client, body, **(headers if length is None else {LENGTH: length})), 400)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, marks=pytest.mark.slow),
        {"DIGITPAD_TOKEN": "x" * 20, "DIGITPAD_PREDICT_TOKEN": "only-predict"},
    ],
)
def test_the_real_clients_read_with_their_defaults(tmp_path, settings):
    if not CLIENTS.exists() and not os.environ.get("CI"):
        pytest.skip("needs the protocol's clients: make clients")
    np.save(tmp_path / "images.npy", IMAGES)
    with serve(tmp_path / "home", **settings) as server:
        arguments = [server.url, "mnist-mlp", str(tmp_path / "images.npy"), settings.get("DIGITPAD_PREDICT_TOKEN", "")]
        script = REPOSITORY / "tests" / "web" / "api" / "inference_v2_clients.py"
        ended = subprocess.run([CLIENTS, script, *arguments], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    read = json.loads(ended.stdout)
    assert read == {key: ["3", "7"] for key in ("tritonclient", "kserve", "open-inference-openapi")}
