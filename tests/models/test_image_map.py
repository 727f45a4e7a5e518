"""The map of a model: principal components of its last hidden layer for test images, and a drawing's place."""

import numpy as np
import pytest

from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.dataset import DatasetUnavailable
from app.models import ModelStore, image_map, image_samples
from app.models.cost import TooLargeError
from app.models.image_map import ImageMaps, principal_directions
from app.nn import Network
from tests.models.test_store import card

LABELS = ("a", "b", "c")
RNG = np.random.default_rng(6)
IMAGES = RNG.integers(0, 256, (90, 28, 28), dtype=np.uint8) * (RNG.random((90, 28, 28)) < 0.2)  # ink on paper


@pytest.fixture
def made(tmp_path):
    """Maps of a store, and a function that saves a model of a data set."""
    data = tmp_path / "data"
    data.mkdir()
    labels = np.repeat(np.arange(3), 30)
    np.savez(data / "shapes.npz", x_train=IMAGES, y_train=labels, x_test=IMAGES, y_test=labels, labels=LABELS)
    few = slice(0, None, 6)
    np.savez(data / "few.npz", x_train=IMAGES, y_train=labels, x_test=IMAGES[few], y_test=labels[few], labels=LABELS)
    store, catalog = ModelStore(tmp_path / "home"), DatasetCatalog(tmp_path / "cache", data)

    def save(dataset="npz:shapes.npz", layers=(12,)):
        hidden = [layer for units in layers for layer in ({"type": "dense", "units": units}, {"type": "relu"})]
        network = Network.from_spec({"layers": [*hidden, {"type": "dense", "units": 3}]}, input_shape=(28, 28))
        network.initialize(3)
        made_card = card(name="shapes", dataset=dataset, labels=list(LABELS))
        store.save(made_card.model_copy(update={"network": network.spec()}), network)
        return network

    return ImageMaps(store, catalog, DatasetCache(catalog)), save


@pytest.mark.parametrize("layers", [(), (5,), (40, 12), (300,)], ids=str)
def test_places_are_numpys_principal_components(made, layers):
    maps, save = made
    network = save(layers=layers)
    found = maps.get("shapes")
    features = network.infer((IMAGES / 255).astype(np.float32)).features.astype(np.float64)
    centred = features - features.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * singular[:2]
    expected /= np.abs(expected).max()
    assert found.points.shape == (90, 2)
    for axis in range(2):
        sign = np.sign(np.vdot(expected[:, axis], found.points[:, axis]))
        np.testing.assert_allclose(found.points[:, axis], sign * expected[:, axis], atol=2e-4)
    shares = singular**2 / (singular**2).sum()
    assert found.variance == pytest.approx(tuple(shares[:2]), rel=1e-4)
    np.testing.assert_array_equal(found.said, network.infer((IMAGES / 255).astype(np.float32)).logits.argmax(axis=1))


def test_a_test_image_lies_where_it_lies_and_is_its_own_nearest(made):
    maps, save = made
    save()
    found = maps.get("shapes")
    for index in (0, 41, 89):
        place = maps.place("shapes", found.sample.images[index] / 255)
        assert [place.x, place.y] == pytest.approx(found.points[index].tolist(), abs=1e-4)
        assert place.nearest[0] == index
        assert place.said == LABELS[found.said[index]]


def test_a_map_is_computed_once_and_does_not_turn_over(made, monkeypatch):
    maps, save = made
    save()
    first = maps.get("shapes")
    monkeypatch.setattr(image_map, "make_map", lambda *_: pytest.fail("it was computed again"))
    assert maps.get("shapes") is first
    directions, _ = principal_directions(RNG.normal(size=(30, 7)))
    assert (directions[np.abs(directions).argmax(axis=0), [0, 1]] > 0).all()


def test_where_nothing_varies_all_lie_in_one_place():
    directions, shares = principal_directions(np.zeros((20, 4)))
    assert not directions.any()
    assert shares == (0, 0)
    one, shares = principal_directions(np.outer(np.arange(20) - 9.5, [1.0, 0, 0]))  # along a single line
    assert shares == pytest.approx((1, 0))
    assert not one[:, 1].any()


def test_too_few_images_and_too_large_a_network_are_refused(made, monkeypatch):
    maps, save = made
    save("npz:few.npz")
    with pytest.raises(DatasetUnavailable, match=r"at least 20 test images for a map; .* has 15"):
        maps.get("shapes")
    save()
    monkeypatch.setattr(image_samples, "MOST_WORK", 100)
    with pytest.raises(TooLargeError, match="too large for a map"):
        maps.get("shapes")
