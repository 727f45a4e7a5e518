"""Files of other programs are named for what they are, with the way to bring their model."""

import io
import json
import pickle
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save

from app.models import ModelStore
from app.models.formats.archive import check
from app.models.formats.incoming import read_model
from app.models.formats.registry import exported
from app.settings import SHIPPED_MODELS
from tests.support.errors import is_an_error

STORE = ModelStore(SHIPPED_MODELS)


def zipped(*names):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, b"content")
    return packed.getvalue()


def npz():
    packed = io.BytesIO()
    np.savez(packed, w=np.zeros(3))
    return packed.getvalue()


TORCH = ["data.pkl", "byteorder", "version", ".data/serialization_id", *(f"data/{index}" for index in range(8))]
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"1" * 64 + b"\nsize 9\n"
TFJS = {"format": "layers-model", "modelTopology": {}, "weightsManifest": [{"paths": ["group1-shard1of1.bin"]}]}
LEGACY_TORCH = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2)
FILES = {
    "a Git LFS pointer": (POINTER, "Git LFS pointer.*`git lfs pull`"),
    "a page": (b"\xef\xbb\xbf\n<!DOCTYPE HTML>\n<html>", "an HTML page: download the file itself"),
    "a page without a doctype": (b"<html lang=en>", "an HTML page"),
    ".h5": (b"\x89HDF\r\n\x1a\n" + bytes(200), r"HDF5.*Keras.*format='onnx'"),
    ".keras": (zipped("metadata.json", "config.json", "model.weights.h5"), r"a \.keras file.*format='onnx'"),
    ".pt": (zipped(*(f"model/{name}" for name in TORCH)), r"PyTorch.*`torch\.onnx\.export`"),
    ".pt of few arrays": (zipped("model/data.pkl", "model/version"), "PyTorch"),
    ".pth of old": (LEGACY_TORCH, "PyTorch"),
    ".pkl": (pickle.dumps({"w": [1.0]}), "a Python pickle.*skl2onnx"),
    ".safetensors": (save({"w": np.zeros(3, np.float32)}), "safetensors.*weights alone.*zip with their card"),
    ".tflite": (b"\x1c\0\0\0TFL3" + bytes(50), "TFLite.*--tflite"),
    "saved_model.pb": (b"\x08\x01\x12\x80\x02" + bytes(50), "SavedModel.*--saved-model"),
    "a zip of a SavedModel": (
        zipped("m/saved_model.pb", "m/fingerprint.pb", *(f"m/variables/{index}" for index in range(9))),
        "SavedModel.*--saved-model",
    ),
    "model.json of TensorFlow.js": (json.dumps(TFJS).encode(), r"TensorFlow\.js.*--tfjs"),
    "a zip of TensorFlow.js": (zipped("model.json", "group1-shard1of1.bin"), r"TensorFlow\.js"),
    "a card": ((SHIPPED_MODELS / "mnist-mlp" / "model.json").read_bytes(), "JSON, such as a model card"),
    "a zip of ONNX": (zipped("mnist.onnx"), "zip with an ONNX file in it: unpack it"),
    ".npz": (npz(), "arrays of NumPy"),
    ".npy": (b"\x93NUMPY\x01\0", "an array of NumPy"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "packed with gzip: unpack it"),
    "nothing": (b"", "empty"),
}


@pytest.mark.parametrize("is_onnx", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_kind_is_named_whatever_it_is_called(name, is_onnx):
    data, reason = FILES[name]
    with pytest.raises(ValueError, match=reason):
        read_model(data, is_onnx=is_onnx)


@pytest.mark.parametrize("is_onnx", [True, False])
@pytest.mark.parametrize("format_", ["zip", "onnx"])
def test_a_model_is_read_whatever_it_is_called(format_, is_onnx):
    assert check(*read_model(exported(STORE, "mnist-mlp", format_), is_onnx=is_onnx)).card.name == "mnist-mlp"


def test_the_server_names_it_in_the_language_of_the_caller(shared_client):
    for name in ("model.onnx", "keras.h5", "model"):
        refused = shared_client.post("/api/models", files={"file": (name, FILES[".h5"][0])})
        assert "HDF5" in is_an_error(refused, 422)
    japanese = shared_client.post(
        "/api/models", content=POINTER, headers={"content-type": "application/onnx", "accept-language": "ja"}
    )
    assert "Git LFS" in is_an_error(japanese, 422)
    assert "expected" not in japanese.json()["error"]


def test_a_kind_is_named_without_the_package_onnx_too(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ValueError, match="HDF5"):
        read_model(FILES[".h5"][0], is_onnx=True)
