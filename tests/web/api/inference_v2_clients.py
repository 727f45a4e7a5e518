"""Run with `.venv-clients`, where the real clients are: asks the server at argv[1], by the model argv[2], through each.

argv[3] names a file of images, float32 (N, 28, 28), and argv[4] the token, or is empty. It prints what each read.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from open_inference.openapi.client import OpenInferenceClient
from open_inference.openapi.types import InferenceRequest, RequestInput
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException


@contextmanager
def refused(message: str) -> Iterator[None]:
    """Expects the status 400 and that message."""
    said = None
    try:
        yield
    except InferenceServerException as error:
        said = error
    assert said is not None
    assert said.status() == "400"
    assert message in said.message()


# Some clients keep what they add to the headers they are given, so that each call gets its own.
def by_triton(url: str, model: str, images: np.ndarray, headers: dict[str, str]) -> list[str]:
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    assert client.is_server_live(headers)
    assert client.is_server_ready(headers)
    assert client.is_model_ready(model, headers=dict(headers))
    assert client.is_model_ready(model, "1", headers=dict(headers))
    assert not client.is_model_ready("nobody", headers=dict(headers))
    assert client.get_server_metadata(headers)["name"] == "digitpad"
    described = client.get_model_metadata(model, headers=dict(headers))
    assert (described["name"], described["inputs"][0]["name"]) == (model, "input")
    tensor = triton.InferInput("input", [len(images), 784], "FP32")
    tensor.set_data_from_numpy(images.reshape(-1, 784))
    result = client.infer(model, [tensor], headers=dict(headers), request_id="mine")
    assert result.get_response()["id"] == "mine"
    probabilities, labels = result.as_numpy("probabilities"), result.as_numpy("label")
    assert probabilities.shape == (len(images), 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    # The same as bytes 0 to 255, in JSON, with one output asked for, of a version, and by another thread.
    bytes_ = triton.InferInput("input", [len(images), 1, 28, 28], "UINT8")
    bytes_.set_data_from_numpy(np.rint(images * 255).astype(np.uint8).reshape(-1, 1, 28, 28), binary_data=False)
    wanted = [triton.InferRequestedOutput("label", binary_data=False)]
    waiting = client.async_infer(model, [bytes_], model_version="1", outputs=wanted, headers=dict(headers))
    assert waiting.get_result().as_numpy("label").tolist() == [label.decode() for label in labels]
    wrong = triton.InferInput("input", [1, 783], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 783), np.float32))
    with refused("shape: expected"):
        client.infer(model, [wrong], headers=dict(headers))
    client.close()
    return [label.decode() for label in labels]


async def by_kserve(url: str, model: str, images: np.ndarray, headers: dict[str, str]) -> list[str]:
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(url, headers=dict(headers))
    assert await client.is_server_ready(url, headers=dict(headers))
    assert await client.is_model_ready(url, model, headers=dict(headers))
    tensor = InferInput("input", [len(images), 784], "FP32")
    tensor.set_data_from_numpy(images.reshape(-1, 784))
    binary = await client.infer(url, InferRequest(model, [tensor], request_id="mine"), model, headers=dict(headers))
    assert binary.id == "mine"
    labels = next(output for output in binary.outputs if output.name == "label").as_numpy()
    plain = InferInput("input", [len(images), 784], "FP32")
    plain.set_data_from_numpy(images.reshape(-1, 784), binary_data=False)
    again = await client.infer(url, InferRequest(model, [plain]), model, headers=dict(headers))
    read = [str(label, "utf-8") if isinstance(label, bytes) else str(label) for label in labels.tolist()]
    assert again.outputs[1].data == read, (again.outputs[1].data, read)
    await client.close()
    return read


def by_openapi(url: str, model: str, images: np.ndarray, headers: dict[str, str]) -> list[str]:
    client = OpenInferenceClient(base_url=url)
    client._client_wrapper.httpx_client.headers.update(headers)
    assert client.check_server_liveness() is None
    assert client.check_server_readiness() is None
    assert client.check_model_readiness(model) is None
    assert client.check_model_version_readiness(model, "1") is None
    assert client.read_server_metadata().name == "digitpad"
    described = client.read_model_metadata(model)
    assert len(json.loads(described.properties["labels"])) == described.outputs[0].shape[1] == 10
    assert client.read_model_version_metadata(model, "1") == described
    tensor = RequestInput(name="input", shape=[len(images), 784], datatype="FP32", data=images.ravel().tolist())
    answer = client.model_infer(model, request=InferenceRequest(inputs=[tensor], id="mine"))
    assert (answer.id, answer.model_name) == ("mine", model)
    versioned = client.model_version_infer(model, "1", request=InferenceRequest(inputs=[tensor]))
    assert versioned.outputs == answer.outputs
    labels = next(output for output in answer.dict()["outputs"] if output["name"] == "label")["data"]
    return [f"{label:g}" for label in labels]  # it takes all that looks like a number for one


def main() -> None:
    url, model, path, token = sys.argv[1:]
    images = np.load(path)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    read = {
        "tritonclient": by_triton(url, model, images, headers),
        "kserve": asyncio.run(by_kserve(url, model, images, headers)),
        "open-inference-openapi": by_openapi(url, model, images, headers),
    }
    sys.stdout.write(json.dumps(read))


if __name__ == "__main__":
    main()
