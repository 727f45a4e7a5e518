"""A model for NumPy alone, for Keras, and from scikit-learn."""

import ast
import io
import json
import os
import sys
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec, module_from_spec, spec_from_file_location

import numpy as np
import pytest

from app.models import DamagedModelError, ModelStore, UnknownModelError, from_sklearn
from app.models.formats.keras import translate
from app.models.formats.registry import FORMATS, export_model, exported
from app.nn import Network
from app.settings import SHIPPED_MODELS
from tests.support.networks import NETWORKS, make, said

SHIPPED = ModelStore(SHIPPED_MODELS)
RNG = np.random.default_rng(3)
IMAGES = RNG.random((60, 28, 28)).astype(np.float32) * (RNG.random((60, 28, 28)) > 0.7)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_is_written_whole_and_twice_the_same(format_, tmp_path):
    path = export_model(SHIPPED, "mnist-mlp", format_, tmp_path)
    assert path == tmp_path / f"mnist-mlp{FORMATS[format_].ending}"
    assert path.read_bytes() == exported(SHIPPED, "mnist-mlp", format_)
    assert export_model(SHIPPED, "mnist-mlp", format_, tmp_path / "other").name == "other"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="one of zip, safetensors, card, onnx, npz, keras, html, js; got 'pickle'"):
        export_model(SHIPPED, "mnist-mlp", "pickle", tmp_path)
    with pytest.raises(UnknownModelError):
        export_model(SHIPPED, "nothing", "npz", tmp_path)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "model.json").write_text("{}")
    with pytest.raises(DamagedModelError):
        export_model(ModelStore(tmp_path), "bad", "html", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bad"]


def test_a_model_of_other_inputs_is_for_no_program_that_sends_pixels(tmp_path):
    card, _ = make("softmax at the end")
    network = Network.from_spec({"layers": [{"type": "dense", "units": 10}]}, input_shape=(4,))
    ModelStore(tmp_path).save(card.model_copy(update={"network": network.spec()}), network)
    for format_ in ("onnx", "npz", "keras", "html", "js"):
        with pytest.raises(ValueError, match=r"reads 28×28 pixels; got inputs of \(4,\)"):
            exported(ModelStore(tmp_path), "made", format_)


def test_the_server_offers_every_format_and_names_them_where_it_has_none(client):
    for name, kind in FORMATS.items():
        answer = client.get(f"/api/models/mnist-mlp/download?format={name}")
        assert answer.status_code == 200
        assert answer.headers["content-disposition"] == f'attachment; filename="mnist-mlp{kind.ending}"'
        assert answer.headers["content-type"].partition(";")[0] == kind.media_type
    for bad in ("pickle", "", "../card"):
        refused = client.get("/api/models/mnist-mlp/download", params={"format": bad})
        assert (refused.status_code, "expected one of zip" in refused.json()["error"]) == (422, True)
    assert client.get("/api/models/nothing/download?format=html").status_code == 404


def test_numpy_alone_reads_it_and_computes_the_same():
    card, network = SHIPPED.load("mnist-mlp")
    with np.load(io.BytesIO(exported(SHIPPED, "mnist-mlp", "npz")), allow_pickle=False) as file:
        arrays = dict(file)
    model = json.loads(str(arrays.pop("model")))
    assert model["labels"] == card.labels
    x = IMAGES.reshape(-1, 784) * (255 / model["input_scale"])
    for index, layer in enumerate(model["network"]["layers"]):
        own = {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{index}.")}
        if layer["type"] == "dense":
            x = x @ own["weight"] + own["bias"]
        elif layer["type"] == "batch_norm":
            scale = own["gamma"] / np.sqrt(own["running_variance"] + layer["epsilon"])
            x = (x - own["running_mean"]) * scale + own["beta"]
        elif layer["type"] == "relu":
            x = np.maximum(x, 0)
        else:
            assert layer["type"] == "dropout"
    powers = np.exp(x / model["calibration"]["temperature"])
    assert np.abs(powers / powers.sum(axis=1, keepdims=True) - said(card, network, IMAGES)).max() < 1e-5


def unpacked(tmp_path, name="made", store=None):
    with zipfile.ZipFile(io.BytesIO(exported(store or ModelStore(tmp_path), name, "keras"))) as archive:
        archive.extractall(tmp_path)
        assert sorted(archive.namelist()) == ["model.py", "weights.npz"]
    return tmp_path / "model.py"


def test_the_program_for_keras_has_the_very_labels(tmp_path):
    card, network = make("softmax at the end")
    labels = ["\N{GRINNING FACE}", "\U00020bb7", "é'\"", "\\", *card.labels[4:]]
    ModelStore(tmp_path).save(card.model_copy(update={"labels": labels}), network)
    with zipfile.ZipFile(io.BytesIO(exported(ModelStore(tmp_path), "made", "keras"))) as archive:
        (line,) = [line for line in archive.read("model.py").decode().splitlines() if line.startswith("LABELS = ")]
    assert ast.literal_eval(line.removeprefix("LABELS = ")) == labels


def test_a_file_that_a_person_named_stays_what_it_is(tmp_path):
    """A link stays a link, and a pipe, which nobody could put in its place again, is written into."""
    data = exported(SHIPPED, "mnist-mlp", "card")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    export_model(SHIPPED, "mnist-mlp", "card", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_bytes() == data
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:  # a pipe holds less than the card
        came = pool.submit(pipe.read_bytes)
        export_model(SHIPPED, "mnist-mlp", "card", pipe)
        assert came.result(timeout=60) == data
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(OSError, match="symbolic links"):
        export_model(SHIPPED, "mnist-mlp", "card", tmp_path / "circle")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["circle", "link", "pipe", "there"]


def test_the_arrays_for_keras_have_its_shapes_in_its_order():
    _, network = make("lenet")
    lines, arrays = translate(network)
    assert [array.shape for array in arrays[:5]] == [(5, 5, 1, 6), (6,), (5, 5, 6, 16), (16,), (400, 120)]
    kernel, own = arrays[4].reshape(5, 5, 16, 120), network.weights()["6.weight"].reshape(16, 5, 5, 120)
    assert np.array_equal(kernel, own.transpose(1, 2, 0, 3))
    assert np.array_equal(arrays[2], network.weights()["3.weight"].transpose(2, 3, 1, 0))
    assert "keras.layers.Flatten()" in lines


def test_a_convolution_in_keras_order_computes_the_same():
    """Channels last, by NumPy: LeNet's layers on the arrays that `set_weights` would take."""
    card, network = make("lenet", temperature=None)
    arrays = iter(translate(network)[1])
    x = np.pad(IMAGES[:20, :, :, None], ((0, 0), (2, 2), (2, 2), (0, 0)))
    for _ in range(2):
        kernel, bias = next(arrays), next(arrays)
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], (1, 2))
        x = np.maximum(np.einsum("nhwcij,ijcf->nhwf", windows, kernel) + bias, 0)
        x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2, -1).max(axis=(2, 4))
    x = x.reshape(len(x), -1)
    for index in range(3):
        x = x @ next(arrays) + next(arrays)
        x = np.maximum(x, 0) if index < 2 else x
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    assert np.abs(powers / powers.sum(axis=1, keepdims=True) - said(card, network, IMAGES[:20])).max() < 1e-5


@pytest.mark.skipif(find_spec("keras") is None, reason="needs Keras: pip install keras and one of its backends")
@pytest.mark.parametrize("name", ["mnist-mlp", *NETWORKS])
def test_keras_itself_says_the_same(name, tmp_path, monkeypatch):
    for backend in ("jax", "torch", "tensorflow"):
        if "KERAS_BACKEND" not in os.environ and find_spec(backend) is not None:
            monkeypatch.setenv("KERAS_BACKEND", backend)
    store = SHIPPED if name == "mnist-mlp" else ModelStore(tmp_path)
    if store is not SHIPPED:
        store.save(*make(name, input_scale=100.0))
    path = unpacked(tmp_path, "mnist-mlp" if store is SHIPPED else "made", store)
    spec = spec_from_file_location("exported_model", path)
    program = module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras' and its backends' own
        spec.loader.exec_module(program)
        found = np.asarray(program.build().predict(IMAGES, verbose=0))
    card, network = store.load("mnist-mlp" if store is SHIPPED else "made")
    assert card.labels == program.LABELS
    assert np.abs(found - said(card, network, IMAGES)).max() < 1e-5


def multilayer_perceptron(*arguments, **options):
    """One of scikit-learn, which takes two seconds to import: not at each collection."""
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(*arguments, **options)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("classes", [2, 4])
def test_a_classifier_of_scikit_learn_says_the_same_here(activation, classes, tmp_path):
    labels = np.array(["a", "b", "c", "d"])[np.arange(len(IMAGES)) % classes]
    rows = IMAGES.reshape(len(IMAGES), -1)
    classifier = multilayer_perceptron((9, 5), activation=activation, max_iter=3, random_state=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged, which nobody asked for
        classifier.fit(rows.astype(np.float64), labels)
    store = ModelStore(tmp_path)
    card = store.save(*from_sklearn(classifier, name="theirs", dataset="noise"))
    assert (card.labels, card.recipe, card.dataset) == (["a", "b", "c", "d"][:classes], "sklearn", "noise")
    wanted = classifier.predict_proba(rows.astype(np.float64))
    assert np.abs(said(*store.load("theirs"), IMAGES) - wanted).max() < 1e-6
    named = from_sklearn(classifier, labels=[f"sign {index}" for index in range(classes)], input_scale=1.0)[0]
    assert (named.labels[1], named.input_scale) == ("sign 1", 1.0)


class Fake:
    coefs_, intercepts_ = (np.zeros((784, 3)),), (np.zeros(3),)
    activation, out_activation_, classes_ = "relu", "softmax", (0, 1, 2)

    def __init__(self, **changes):
        self.__dict__.update(changes)


@pytest.mark.parametrize(
    ("classifier", "options", "error", "reason"),
    [
        ("text", {}, TypeError, "got str"),
        (Fake(activation="swish"), {}, ValueError, "activation: expected one of identity"),
        (Fake(out_activation_="logistic"), {}, ValueError, "one label per sample"),
        (Fake(coefs_=(np.zeros((64, 3)),)), {}, ValueError, "784 features, 28×28 pixels; got 64"),
        (Fake(coefs_=(np.full((784, 3), np.nan),)), {}, ValueError, "finite"),
        (Fake(), {"labels": ["a"]}, ValueError, "one for each of the 3 classes; got 1"),
        (Fake(), {"name": "../x"}, ValueError, "expected up to 64 characters"),
        (Fake(), {"input_scale": 0}, ValueError, "input_scale"),
    ],
)
def test_what_is_no_such_classifier_is_refused(classifier, options, error, reason):
    with pytest.raises(error, match=reason):
        from_sklearn(classifier, **options)


def test_a_classifier_that_is_not_fitted_is_refused():
    with pytest.raises(TypeError, match="expected a fitted MLPClassifier; got MLPClassifier"):
        from_sklearn(multilayer_perceptron())


def test_scikit_learn_is_not_needed():
    assert "sklearn" not in sys.modules["app.models.formats.sklearn"].__dict__
