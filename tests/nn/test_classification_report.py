"""The report on a classifier, worked out by hand."""

import numpy as np
import pytest

from app.nn import Network, classification_report, infer_all, infer_batches, predict

LOGITS = np.log(
    np.array(
        [
            [0.7, 0.2, 0.1, 1e-9],  # 0, right
            [0.1, 0.8, 0.1, 1e-9],  # 1, right
            [0.6, 0.3, 0.1, 1e-9],  # 1 taken for 0, its label at 0.3
            [0.9, 0.05, 0.05, 1e-9],  # 2 taken for 0, its label at 0.05
            [0.1, 0.1, 0.8, 1e-9],  # 2, right
        ]
    )
)
LABELS = np.array([0, 1, 1, 2, 2])


@pytest.fixture
def copying():
    """A network whose outputs are its inputs."""
    net = Network.from_spec({"layers": ["identity"]}, input_shape=(4,), dtype="float64")
    net.initialize(0)
    return net


def test_confusion_precision_recall_and_the_worst_mistakes_first(copying):
    found = classification_report(copying, LOGITS, LABELS)
    assert found.confusion.tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert found.precision == (pytest.approx(1 / 3), 1, 1, None)
    assert found.recall == (1, 0.5, 0.5, None)
    assert [(m.index, m.label, m.said) for m in found.mistakes] == [(3, 2, 0), (2, 1, 0)]
    assert found.mistakes[0].probability == pytest.approx(0.9)
    assert found.mistakes[0].label_probability == pytest.approx(0.05)
    assert [m.index for m in classification_report(copying, LOGITS, LABELS, mistakes=1).mistakes] == [3]


def test_a_set_longer_than_a_batch_is_counted_whole(copying, monkeypatch):
    whole = classification_report(copying, LOGITS, LABELS)
    monkeypatch.setattr("app.nn.evaluation.EVALUATION_BATCH", 2)
    parts = classification_report(copying, LOGITS, LABELS)
    assert np.array_equal(parts.confusion, whole.confusion)
    assert parts.mistakes == whole.mistakes


def test_values_and_samples_that_do_not_fit_are_refused(copying):
    with pytest.raises(ValueError, match="expected integer labels"):
        classification_report(copying, LOGITS, LOGITS)
    with pytest.raises(ValueError, match="labels from 0 to 3"):
        classification_report(copying, LOGITS, LABELS + 2)


def test_all_outputs_and_features_are_those_of_the_batches(copying, monkeypatch):
    monkeypatch.setattr("app.nn.evaluation.EVALUATION_BATCH", 2)
    whole = infer_all(copying, LOGITS, input_scale=2)
    assert np.array_equal(whole.outputs, LOGITS / 2)
    assert np.array_equal(whole.features, LOGITS / 2)
    assert np.array_equal(predict(copying, LOGITS, input_scale=2), whole.outputs)
    rows = [list(range(5))[part] for part, _ in infer_batches(copying, LOGITS, batch_size=3)]
    assert rows == [[0, 1, 2], [3, 4]]
    assert infer_all(copying, LOGITS[:0]).outputs.shape == (0, 4)
