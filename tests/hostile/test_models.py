"""Models that are none, are damaged, or mean harm, and names that lead out of the store."""

import json
import struct
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load, save

from app.errors import InputError
from app.models.formats.archive import check
from tests.hostile.images import BOUNDARY, PNG
from tests.hostile.models import CARD, PICKLE, WEIGHTS, ZIPS, card, pair, zipped
from tests.support.hostile import refused

ARRAYS = load(WEIGHTS)
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def form(**files: bytes) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files.items()
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


FLIPPED = WEIGHTS[:-100] + bytes([WEIGHTS[-100] ^ 1]) + WEIGHTS[-99:]


def header(length: int, text: bytes = b"{}") -> bytes:
    return struct.pack("<Q", length) + text


HUGE = {name: array * 1e30 if name.endswith("weight") else array for name, array in ARRAYS.items()}
NAN = {name: array * float("nan") for name, array in ARRAYS.items()}
LIES = header(64, json.dumps({"0.weight": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}).encode()[:64])

NO_WEIGHTS = {
    "truncated": WEIGHTS[: len(WEIGHTS) // 2],
    "nothing": b"",
    "a pickle": PICKLE,
    "a zip of a pickle": zipped(**{"archive__data.pkl": PICKLE}),
    "a PNG": PNG,
    "a header of 2^63 bytes": header(2**63),
    "a header that is no JSON": header(2, b"xx"),
    "shapes that lie": LIES,
    "NaN": save(NAN),
    "numbers that overflow": save(HUGE),
    "other arrays": save({"x": next(iter(ARRAYS.values()))}),
    "half of the arrays": save(dict(list(ARRAYS.items())[:1])),
    "integers": save({name: array.astype("int32") for name, array in ARRAYS.items()}),
    "other shapes": save({name: array.reshape(-1) for name, array in ARRAYS.items()}),
}


@pytest.mark.parametrize("weights", NO_WEIGHTS.values(), ids=NO_WEIGHTS.keys())
def test_weights_that_are_none(target, weights):
    """Even with a card that describes them."""
    refused(target.send("POST", "/api/models", form(card=card(weights), weights=weights), content_type=FORM), 422)
    sent = zipped(**pair(card(weights), weights))
    refused(target.send("POST", "/api/models", sent, content_type="application/zip"), 422)


def test_a_flipped_byte(target):
    sent = form(card=json.dumps(CARD).encode(), weights=FLIPPED)
    assert "another SHA-256" in refused(target.send("POST", "/api/models", sent, content_type=FORM), 422)


@pytest.mark.parametrize(
    "changes",
    [
        *({"name": name} for name in ("../x", "/etc/x", "x/y", "", "X", ".x", "x" * 65, "x\0", "%2e%2e", None, 5)),
        *(
            {"labels": labels}
            for labels in ([], ["a"], ["a"] * 10, ["x" * 65, *"123456789"], ["\n", *"123456789"], [1] * 10)
        ),
        *({"network": network} for network in ({}, [], None, {"layers": []}, {"layers": "x", "input_shape": [784]})),
        {"network": {"layers": [{"type": "dense", "units": 10}], "input_shape": [10**6]}},
        {"network": {"layers": [{"type": "dense", "units": 10}], "input_shape": [-28, -28]}},
        {"network": {"layers": [{"type": "dense", "units": 10}] * 10_000, "input_shape": [784]}},
        {"network": {"layers": [{"type": "dense", "units": 10**9}], "input_shape": [784]}},
        {"network": {"layers": [{"type": "conv2d", "filters": 10**6, "kernel_size": 1}], "input_shape": [1, 28, 28]}},
        {"network": {"layers": [{"type": "__import__"}], "input_shape": [784]}},
        *({"dtype": dtype} for dtype in ("object", "O8", "float16", None)),
        *({"input_scale": scale} for scale in (0, -1, "x", 1e-300)),
        {"sha256": "0" * 64},
        {"sha256": "../x"},
        {"metrics": {"test_accuracy": "<script>"}},
        {"calibration": {"temperature": 0}},
        {"calibration": None, "padding": "x" * 2**20},
    ],
    ids=lambda value: str(value)[:60],
)
def test_cards_that_mean_harm(target, changes):
    refused(target.send("POST", "/api/models", form(card=card(**changes), weights=WEIGHTS), content_type=FORM), 422)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"a":' * 100_000, PICKLE])
def test_cards_that_are_none(target, data):
    refused(target.send("POST", "/api/models", form(card=data, weights=WEIGHTS), content_type=FORM), 422)


@pytest.mark.parametrize("name", ZIPS)
def test_zips_that_are_no_model(target, name):
    data = ZIPS[name]()
    for sent, kind in ((data, "application/zip"), (form(file=data), FORM)):
        refused(target.send("POST", "/api/models", sent, content_type=kind), 422)


@pytest.mark.parametrize(
    ("sent", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (WEIGHTS[:100], "application/octet-stream", 415),
        (b"{}", "", 415),
        (form(), FORM, 422),
        (form(weights=b"x"), FORM, 422),
        (form(card=b"x"), FORM, 422),
        (form(file=b"x", card=b"x"), FORM, 422),
        (form(other=b"x"), FORM, 422),
    ],
    ids=str,
)
def test_other_bodies_are_no_import(target, sent, kind, status):
    refused(target.send("POST", "/api/models", sent[:1000], content_type=kind), status)


NAMES = [
    *(
        "../x",
        "..",
        ".",
        "%2e%2e",
        "%2e%2e%2fx",
        "..%2f..%2fetc%2fpasswd",
        "%252e%252e",
        "/etc/passwd",
        "%2fetc%2fpasswd",
    ),
    *(
        "C:%5Cx",
        "..%5Cx",
        "x" * 300,
        "x" * 5000,
        "x%00",
        "%00",
        "x%0d%0aa:b",
        "%FF",
        "%C3%28",
        "X",
        "-x",
        ".hidden",
        "default",
    ),
    *(
        "mnist-mlp%00",
        "mnist-mlp/",
        "mnist-mlp/..",
        "./mnist-mlp",
        "con",
        "%20",
        "~root",
        "$HOME",
        "*",
        "{}",
        "mnist-mlp%2f",
    ),
]


SLASHED = ("mnist-mlp/", "mnist-mlp%2f")
"""Names that are sent to the address without the slash."""


def ask_by_name(target, name: str, calls: list[tuple[int, str, str]]) -> None:
    for status, method, path in calls:
        answer = target.send(method, path, b"{}" if method == "POST" else None)
        assert b"root:" not in answer.body
        if answer.status != 307 or name not in SLASHED:
            refused(answer, status, longest=6000)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:40])
def test_names_that_lead_out(target, name):
    calls = [
        *((404, "GET", f"/api/models/{name}"), (404, "DELETE", f"/api/models/{name}")),
        *((404, "GET", f"/api/models/{name}/download?format=zip"), (404, "POST", f"/predict?model={name}")),
        *((404, "GET", f"/static/{name}"), (404, "DELETE", f"/api/drawings/{name}")),
    ]
    if name not in ("default", "con"):  # sets may have these names
        calls.append((422, "GET", f"/api/drawings?set={name}"))
    ask_by_name(target, name, calls)


@pytest.mark.parametrize(
    ("status", "name"),
    [(404, "..%2f..%2fetc%2fpasswd"), (422, "%2e%2e"), (422, "x" * 5000), (422, "x%00")],
)
def test_names_that_lead_out_at_the_other_calls(target, status, name):
    calls = [
        *((404, "POST", f"/api/models/{name}/default"), (404, "GET", f"/api/models/{name}/download")),
        *((404, "GET", f"/v2/models/{name}/ready"), (404, "POST", f"/v2/models/{name}/infer")),
        *((404, "GET", f"/static-offline-docs/{name}"), (status, "GET", f"/runs/{name}")),
        *((status, "GET", f"/api/runs/{name}"), (status, "DELETE", f"/api/runs/{name}")),
    ]
    ask_by_name(target, name, calls)


@pytest.mark.parametrize("label", ["../x", "", "x" * 65, "\0", 5, None, ["1"]], ids=str)
@pytest.mark.parametrize("field", ["label", "set"])
def test_drawings_with_such_names(target, field, label):
    body = {"label": "1", "set": "mine", "strokes": [[[0, 0], [1, 1]]], field: label}
    answer = target.send("POST", "/api/drawings", json.dumps(body))
    if (field, label) != ("label", "../x"):  # a label is no name of a file
        refused(answer, 422)
    else:
        assert answer.status == 201
        made = json.loads(answer.body)["id"]
        assert target.send("DELETE", f"/api/drawings/{made}").status == 204


def test_a_card_is_not_copied_for_each_field_that_it_lacks():
    data = b'{"config":{"a":[' + b"{}," * 100_000 + b"{}]}}"
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="is not a model card: name: missing"):
            check(data, WEIGHTS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_thousands_of_unknown_weights_are_not_all_named():
    arrays = {f"{index}": np.zeros(1, np.float32) for index in range(5000)}
    weights = save(arrays)
    with pytest.raises(ValueError, match="weights: expected the arrays") as error:
        check(card(weights, calibration=None), weights)
    assert len(str(error.value)) < 500


def test_a_list_of_weights_of_more_than_a_megabyte_is_refused_unread(monkeypatch):
    weights = (2**20 + 1).to_bytes(8, "little") + bytes(2**20 + 1)
    monkeypatch.setattr("app.models.formats.archive.load", lambda _: pytest.fail("it was read"))
    with pytest.raises(InputError, match=r"model.safetensors: expected a header of at most 1 MB"):
        check(card(weights), weights)


def test_a_network_that_costs_too_much_is_refused(monkeypatch):
    cost = 784 * 900 + 900 * 400 + 400 * 10
    monkeypatch.setattr("app.models.formats.archive.LARGEST_PREDICTION", cost)
    with pytest.raises(InputError, match="network: expected a network of at most 1,069,600 multiplications per image"):
        check(card(), WEIGHTS)
