"""The OpenAPI document describes every answer, also of the routes that answer without FastAPI's own check."""

import pytest
from pydantic import BaseModel, TypeAdapter

from app.web.api import diagnose, explain_responses, health, inference_v2, predict
from tests.support.drawings import recorded

DRAWING = {"strokes": recorded()["digit 3"]["strokes"]}


def test_every_answer_has_a_schema_of_its_own(shared_client):
    document = shared_client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                for kind, content in answer.get("content", {}).items():
                    schema = content["schema"]
                    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
                    is_told = bool(schemas[name].get("properties")) if name else "anyOf" in schema
                    is_file = kind != "application/json" or path.endswith(("/export", "/download"))
                    assert is_told or is_file, (method, path, status, kind, schema)


def test_no_two_schemas_have_one_name_which_would_show_their_modules(shared_client):
    names = shared_client.get("/openapi.json").json()["components"]["schemas"]
    assert not [name for name in names if "__" in name]


def test_every_body_has_a_schema(shared_client):
    for path, operations in shared_client.get("/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            assert ("requestBody" in operation) == _takes_a_body(path, method), (method, path)


def test_every_example_of_a_body_is_accepted(client):
    document = client.get("/openapi.json").json()
    assert client.put("/api/drawings/sets/mine", json={"labels": ["7", "8"]}).status_code < 300
    answered = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").removeprefix("#/components/schemas/")
            for example in document["components"]["schemas"].get(name, {}).get("examples", ()):
                response = client.request(method, path.replace("{name}", "mine"), json=example)
                answered.append((path, response.status_code, response.text if response.is_error else ""))
    for run in client.get("/api/runs").json()["runs"]:
        client.post(f"/api/runs/{run['id']}/cancel")
    calls = ("/api/runs", "/api/drawings", "/api/drawings/sets/{name}/drawings")
    assert sorted(answered) == sorted((path, 201, "") for path in calls)


def _takes_a_body(path: str, method: str) -> bool:
    if method in ("put", "patch"):
        return True
    bodiless = ("/fetch", "/pause", "/resume", "/again", "/default", "/invitation")
    return method == "post" and not path.endswith(bodiless)


SGD = {"type": "sgd", "learning_rate": 0.1}
EXPLAINED = [
    ("forward", {}, explain_responses.ForwardPass),
    ("layer", {"layer": 0}, explain_responses.LayerPicture),
    *(("neuron", {"layer": layer, "unit": 3}, explain_responses.Neuron) for layer in range(8)),
    ("backward", {"label": "7"}, explain_responses.BackwardPass),
    *(("delta", {"label": "7", "layer": layer, "unit": 3}, explain_responses.Delta) for layer in range(8)),
    ("numerical", {"label": "7", "layer": 0}, explain_responses.NumericalGradient),
    ("step", {"label": "7", "optimizer": SGD}, explain_responses.OptimizerSteps),
    ("step", {"label": "7", "optimizer": SGD, "layer": 0, "unit": 1}, explain_responses.OptimizerSteps),
    ("step", {"label": "7", "optimizer": SGD, "layer": 1, "unit": 1}, explain_responses.OptimizerSteps),
    ("gradient", {}, explain_responses.InputGradient),
    ("occlusion", {}, explain_responses.Occlusion),
    ("toward", {"label": "3"}, explain_responses.Counterfactual),
]


@pytest.mark.parametrize(("path", "body", "model"), EXPLAINED)
def test_what_is_explained_is_as_the_document_says(shared_client, path, body, model: type[BaseModel]):
    answer = shared_client.post(f"/api/explain/{path}", json={"drawing": DRAWING, **body})
    assert answer.status_code == 200, answer.text
    model.model_validate(answer.json())


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("/predict?input=true", DRAWING, predict.Answer | list[predict.Answer]),
        ("/predict", [DRAWING, {"pixels": [0] * 784}], predict.Answer | list[predict.Answer]),
        ("/api/doctor", DRAWING, diagnose.Findings),
    ],
)
def test_what_is_read_is_as_the_document_says(shared_client, path, body, model):
    answer = shared_client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    TypeAdapter(model).validate_python(answer.json())


def test_the_protocol_s_answers_are_as_the_document_says(shared_client):
    tensor = {"name": "input", "datatype": "UINT8", "shape": [1, 784], "data": [0] * 784}
    for parameters in ({}, {"parameters": {"binary_data_output": False}}):
        answer = shared_client.post("/v2/models/mnist-mlp/infer", json={"inputs": [tensor], **parameters})
        inference_v2.InferenceResponse.model_validate(answer.json())
    inference_v2.ServerHealth.model_validate(shared_client.get("/v2/health/ready").json())
    health.Health.model_validate(shared_client.get("/health").json())


def test_every_call_says_in_short_what_it_does(shared_client):
    calls = [call for path in shared_client.get("/openapi.json").json()["paths"].values() for call in path.values()]
    for call in calls:
        assert call["description"].replace("`", "").split()[0] == call["summary"].split()[0]
        assert len(call["summary"].split()) > 1, call["summary"]
        assert "`" not in call["summary"]


def test_the_page_of_the_calls_is_one_of_the_app_and_every_page_leads_to_it(shared_client):
    page = shared_client.get("/docs", headers={"accept-language": "ja"})
    assert 'class="masthead"' in page.text
    assert 'lang="ja"' in page.text
    assert 'href="/docs"' in shared_client.get("/models").text
