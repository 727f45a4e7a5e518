import numpy as np
import pytest

from app.data import Split, split_validation


def numbered(count: int) -> Split:
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(count)
    return Split(images, np.arange(count, dtype=np.uint8))


def test_validation_is_the_last_part_as_in_keras():
    train, validation = split_validation(numbered(10), 0.25)
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert validation.labels.tolist() == [7, 8, 9]
    assert validation.images[:, 0, 0].tolist() == [7, 8, 9]


def test_splitting_copies_nothing():
    whole = numbered(10)
    for part in split_validation(whole, 0.2):
        assert np.shares_memory(part.images, whole.images)
        assert np.shares_memory(part.labels, whole.labels)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_fraction_outside_0_and_1_is_refused(fraction):
    with pytest.raises(ValueError, match="between 0 and 1, both excluded; got"):
        split_validation(numbered(10), fraction)


@pytest.mark.parametrize(("count", "fraction"), [(1, 0.5), (0, 0.5), (3, 0.9)])
def test_a_split_that_would_leave_a_part_empty_is_refused(count, fraction):
    with pytest.raises(ValueError, match=f"got {fraction} of {count} images"):
        split_validation(numbered(count), fraction)


def test_images_and_labels_must_be_as_many():
    with pytest.raises(ValueError, match="got 3 and 2"):
        Split(np.zeros((2, 28, 28), np.uint8), np.zeros(3, np.uint8))


def test_a_split_knows_its_length():
    assert len(numbered(7)) == 7
