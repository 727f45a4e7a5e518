"""The training images most similar to a drawing, by the last hidden layer."""

import numpy as np
import pytest

from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.dataset import DatasetUnavailable
from app.errors import InputError
from app.models import ModelStore, image_samples, nearest_images
from app.models.cost import TooLargeError
from app.models.nearest_images import NearestImages
from app.nn import Network
from tests.models.test_store import card

LABELS = ("a", "b", "c")
RNG = np.random.default_rng(5)
IMAGES = {
    label: RNG.integers(0, 256, (30, 28, 28), dtype=np.uint8) * (RNG.random((30, 28, 28)) < 0.2) for label in LABELS
}


@pytest.fixture
def made(tmp_path):
    """A store with a model of the images in an npz, and what finds them."""
    data = tmp_path / "data"
    data.mkdir()
    images, labels = np.concatenate([*IMAGES.values()]), np.repeat(np.arange(3), 30)
    np.savez(data / "shapes.npz", x_train=images, y_train=labels, x_test=images, y_test=labels, labels=LABELS)
    store = ModelStore(tmp_path / "home")
    layers = [{"type": "dense", "units": 12}, {"type": "relu"}, {"type": "dense", "units": 3}]
    network = Network.from_spec({"layers": layers}, input_shape=(28, 28))
    network.initialize(3)

    def save(name, dataset):
        network_card = card(name=name, dataset=dataset, labels=list(LABELS))
        store.save(network_card.model_copy(update={"network": network.spec()}), network)
        return name

    catalog = DatasetCatalog(tmp_path / "cache", data)
    return NearestImages(store, catalog, DatasetCache(catalog)), save, network


def test_a_training_image_itself_is_the_nearest(made):
    nearest, save, _ = made
    name = save("shapes", "npz:shapes.npz")
    for label in LABELS:
        for image in (IMAGES[label][0], IMAGES[label][17]):
            found = nearest.find(name, image / 255, list(LABELS), 3)
            assert [len(found[one]) for one in LABELS] == [3, 3, 3]
            np.testing.assert_array_equal(found[label][0].pixels, image)
            assert found[label][0].similarity == pytest.approx(1, abs=1e-5)
            for near in found.values():
                assert sorted((one.similarity for one in near), reverse=True) == [one.similarity for one in near]


def test_similarity_is_the_cosine_of_the_last_hidden_layer(made):
    nearest, save, network = made
    name, drawing = save("shapes", "npz:shapes.npz"), RNG.integers(0, 256, (28, 28)) / 255
    features = [
        network.infer((np.round(image.reshape(1, 28, 28) * 255) / 255).astype(np.float32)).features[0]
        for image in (drawing, *(IMAGES["b"] / 255))
    ]
    cosines = [float(features[0] @ one / np.linalg.norm(features[0]) / np.linalg.norm(one)) for one in features[1:]]
    found = nearest.find(name, drawing, ["b"], 2)["b"]
    assert [one.similarity for one in found] == pytest.approx(sorted(cosines, reverse=True)[:2], abs=1e-4)


def test_parts_of_a_mixture_that_are_missing_are_passed_over(made):
    nearest, save, _ = made
    name = save("mixed", "npz:shapes.npz + 2*npz:gone.npz")
    found = nearest.find(name, IMAGES["a"][3] / 255, ["a"], 1)["a"]
    np.testing.assert_array_equal(found[0].pixels, IMAGES["a"][3])
    with pytest.raises(DatasetUnavailable, match=r"gone\.npz"):
        nearest.find(save("gone", "npz:gone.npz"), IMAGES["a"][3] / 255, ["a"], 1)


def test_the_sample_is_bounded_kept_and_even(made, monkeypatch):
    nearest, save, _ = made
    monkeypatch.setattr(nearest_images, "LEAST_IMAGES", 1)
    monkeypatch.setattr(nearest_images, "MOST_IMAGES", 12)
    passes, infer = [], Network.infer
    monkeypatch.setattr(Network, "infer", lambda self, x: passes.append(len(x)) or infer(self, x))
    name = save("shapes", "npz:shapes.npz")
    found = nearest.find(name, IMAGES["a"][1] / 255, list(LABELS), 10)
    assert [len(found[label]) for label in LABELS] == [4, 4, 4]
    nearest.find(name, IMAGES["b"][1] / 255, list(LABELS), 10)
    assert passes == [12, 1, 1]


def test_what_cannot_be_looked_for_is_refused(made, monkeypatch):
    nearest, save, _ = made
    name = save("shapes", "npz:shapes.npz")
    with pytest.raises(InputError, match="labels of the model"):
        nearest.find(name, np.zeros((28, 28)), ["x"], 1)
    monkeypatch.setattr(image_samples, "MOST_WORK", 100)
    with pytest.raises(TooLargeError, match="too large"):
        nearest.find(name, np.zeros((28, 28)), ["a"], 1)


def test_a_blank_drawing_is_like_none_more_than_another_and_no_number_is_lost(made):
    nearest, save, network = made
    network.params[:] = 0
    found = nearest.find(save("zero", "npz:shapes.npz"), np.zeros((28, 28)), ["a"], 3)["a"]
    assert [one.similarity for one in found] == [0, 0, 0]
