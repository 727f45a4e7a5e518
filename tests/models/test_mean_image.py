"""The mean of a label's training images."""

import numpy as np
import pytest

from app.data.cache import DatasetCache
from app.data.catalog import DatasetCatalog
from app.data.dataset import DatasetUnavailable
from app.errors import InputError
from app.models import mean_image as module
from app.models.mean_image import mean_image
from tests.models.test_store import card

LABELS = ("a", "b")
RNG = np.random.default_rng(4)
IMAGES = RNG.integers(0, 256, (40, 28, 28), dtype=np.uint8) * (RNG.random((40, 28, 28)) < 0.2)
OF = np.arange(40) % 2


@pytest.fixture
def mean(tmp_path):
    """`mean(dataset, label)` with the images of two labels in an npz, and one of them with a third in another."""
    everything = {"x_train": IMAGES, "y_train": OF, "x_test": IMAGES, "y_test": OF, "labels": LABELS}
    np.savez(tmp_path / "both.npz", **everything)
    other = {"x_train": IMAGES[:10], "y_train": OF[:10], "x_test": IMAGES, "y_test": OF, "labels": ["c", "b"]}
    np.savez(tmp_path / "one.npz", **other)
    catalog = DatasetCatalog(tmp_path / "cache", tmp_path)
    datasets = DatasetCache(catalog)
    return lambda dataset, label: mean_image(card(dataset=dataset, labels=list(LABELS)), catalog, datasets, label)


def test_it_is_the_mean_of_the_label_s_images(mean):
    for index, label in enumerate(LABELS):
        found = mean("npz:both.npz", label)
        assert found.count == 20
        np.testing.assert_allclose(found.pixels, IMAGES[index == OF].mean(axis=0) / 255)


def test_a_mixture_counts_the_images_of_its_parts_and_names_those_that_have_some(mean):
    found = mean("npz:both.npz + npz:one.npz + npz:gone.npz", "b")
    assert (found.count, len(found.datasets)) == (25, 2)
    both = np.concatenate([IMAGES[OF == 1], IMAGES[OF == 1][:5]])
    np.testing.assert_allclose(found.pixels, both.mean(axis=0) / 255)
    assert len(mean("npz:both.npz + npz:one.npz", "a").datasets) == 1


def test_the_sample_is_bounded(mean, monkeypatch):
    monkeypatch.setattr(module, "MOST_IMAGES", 4)
    assert mean("npz:both.npz", "a").count == 4


def test_an_unknown_label_and_images_that_are_not_here_are_refused(mean):
    with pytest.raises(InputError, match="labels of the model"):
        mean("npz:both.npz", "x")
    with pytest.raises(DatasetUnavailable, match=r"gone\.npz"):
        mean("npz:gone.npz", "a")
    with pytest.raises(DatasetUnavailable):
        mean("npz:one.npz", "a")
