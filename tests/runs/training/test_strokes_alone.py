"""What a network learns from digits that digitpad draws itself it can use on digits that people wrote."""

import pytest

from app.data import Dataset, DatasetCatalog
from app.recipes import get_recipe
from app.runs.config.run_config import parse_config
from app.runs.training.run_training import Training


@pytest.mark.slow
def test_a_network_trained_on_strokes_alone_reads_mnist(mnist_dir, cache_dir):
    drawn = DatasetCatalog(cache_dir).load("strokes")
    written = DatasetCatalog(cache_dir, mnist_dir).load("mnist", download=False)
    config = parse_config({**get_recipe("batchnorm-mlp").config, "dataset": "strokes"})
    training = Training(config, Dataset("strokes", drawn.title, drawn.labels, drawn.train, written.test))
    for _ in training.run():
        pass
    assert training.metrics["test_accuracy"] >= 0.93
