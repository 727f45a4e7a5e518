"""Augmented images: what each change does, that they depend on seed and epoch alone, and where they are made."""

import os
import signal

import numpy as np
import pytest

from app.data import make_strokes
from app.data.augmentation.augment import (
    CHUNK,
    RANGES,
    Augmentation,
    Augmenter,
    change_width,
    make_augmentation,
    smoothed,
)
from app.data.augmentation.warp import Warp
from app.data.augmentation.worker import AugmentedEpochs
from app.nn import WorkerLostError
from app.nn.arrays import Buffers
from tests.support.waiting import until

EVERYTHING = Augmentation(
    share=0.9,
    rotation=15,
    scale=0.2,
    stretch=0.2,
    shear=0.2,
    shift=2,
    elastic=1.2,
    thicken=1,
    thin=0.5,
    blur=0.5,
    cutout=0.3,
    noise=0.1,
)


@pytest.fixture(scope="module")
def images():
    return make_strokes(train=CHUNK + 37, test=1).train.images


def rng_of(seed):
    return np.random.default_rng(seed)


def changed(images, augmentation, seed=1, epoch=1):
    return Augmenter(augmentation).epoch(images, seed, epoch, np.empty_like(images))


def centre(image):
    """Centre of mass (row, column)."""
    return np.array([(image.sum(axis=1 - axis) * np.arange(28)).sum() / image.sum() for axis in (0, 1)])


def test_without_any_amount_images_stay_as_they_are(images):
    np.testing.assert_array_equal(changed(images, Augmentation()), images)


def test_images_depend_on_seed_and_epoch_and_on_nothing_else(images):
    first = changed(images, EVERYTHING)
    augmenter = Augmenter(EVERYTHING)
    augmenter.epoch(images, 5, 9, np.empty_like(images))  # leaves its buffers full of something else
    np.testing.assert_array_equal(augmenter.epoch(images, 1, 1, np.empty_like(images)), first)
    for seed, epoch in ((2, 1), (1, 2)):
        other = changed(images, EVERYTHING, seed, epoch)
        assert (other != first).any(axis=(1, 2)).mean() > 0.9
    assert 0.05 < (first == images).all(axis=(1, 2)).mean() < 0.2


def test_an_affine_map_moves_a_point_where_the_map_says():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 5:8, 19:22] = 1
    warp = Warp(28, 0, 4)
    middle = np.array([13.5, 13.5])
    for matrix, shift in (([[1, 0], [0, 1]], [3, -2]), ([[0, -1], [1, 0]], [0, 0]), ([[0.8, 0.1], [0, 1.2]], [0, 0])):
        # from the result's place to the source's: the source's x is the first row
        moved = warp(image, np.array([matrix], np.float32), np.array([shift], np.float32), rng_of(0))[0]
        row, column = centre(moved.astype(float)) - middle
        x, y = np.array(matrix) @ [column, row] + shift
        np.testing.assert_allclose([y, x], np.array([6, 20]) - middle, atol=0.15)


def test_what_is_moved_in_from_beyond_the_edge_is_paper():
    image = np.ones((1, 28, 28), np.float32)
    unturned = np.eye(2, dtype=np.float32)[None]
    for shift in (40, -40):
        assert not Warp(28, 0, 4)(image, unturned, np.full((1, 2), shift, np.float32), rng_of(0)).any()


def test_elastic_moves_have_the_deviation_and_the_smoothness_that_were_asked_for():
    elastic, smoothness, count = 1.5, 4.0, 2000
    basis = Warp(28, elastic, smoothness)._basis[3:]
    fields = (rng_of(1).standard_normal((count, len(basis)), np.float32) @ basis).reshape(count, 28, 28)
    assert fields.std() == pytest.approx(elastic, rel=0.03)
    assert fields.std(axis=0).min() > 0.9 * elastic
    for distance in (1, 4, 8):
        expected = np.exp(-(distance**2) / (4 * smoothness**2))
        measured = (fields[:, :, distance:] * fields[:, :, :-distance]).mean() / elastic**2
        assert measured == pytest.approx(expected, abs=0.04)


def test_rotation_scale_and_shift_stay_within_what_was_asked_for(images):
    scaled = changed(images, Augmentation(scale=0.2)).sum(axis=(1, 2), dtype=float) / images.sum(axis=(1, 2))
    assert 0.9 / 1.2**2 < scaled.min() < 0.75
    assert 1.3 < scaled.max() < 1.1 * 1.2**2
    moved = changed(images, Augmentation(shift=2))
    offsets = np.array([centre(after) - centre(before) for after, before in zip(moved, images, strict=True)])
    assert np.abs(offsets).max() <= 2.1
    assert (offsets.max(axis=0) > 1.5).all()
    assert (offsets.min(axis=0) < -1.5).all()


def test_a_whole_pixel_of_width_is_a_dilation_or_an_erosion_with_a_cross():
    image = np.zeros((3, 28, 28), np.float32)
    image[:, 10:15, 10:15] = 200
    wide = image.copy()
    change_width(wide, np.array([1, -1, 0.5], np.float32), Buffers())
    assert (wide[0] > 0).sum() == 25 + 4 * 5
    assert (wide[1] > 0).sum() == 9
    assert set(np.unique(wide[2])) == {0, 100, 200}
    assert wide[0, 9, 9] == 0


def test_blur_keeps_the_ink_and_spreads_it():
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 14, 14] = 160
    result = np.empty_like(image)
    smoothed(image, np.empty_like(image), result)
    np.testing.assert_array_equal(result[0, 13:16, 13:16], [[10, 20, 10], [20, 40, 20], [10, 20, 10]])
    assert result.sum() == 160


def test_a_cutout_is_a_square_of_paper():
    images = np.full((200, 28, 28), 255, np.uint8)
    cut = changed(images, Augmentation(cutout=0.5, cutout_size=6)) == 0
    found = cut.any(axis=(1, 2))
    assert 0.35 < found.mean() < 0.65
    for image in cut[found]:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        assert image[np.ix_(rows, columns)].all()
        assert max(len(rows), len(columns)) <= 6


def test_noise_is_never_stronger_than_was_asked_for():
    images = np.full((100, 28, 28), 128, np.uint8)
    spread = changed(images, Augmentation(noise=0.1)).std(axis=(1, 2))
    assert spread.max() < 0.1 * 255 * 1.1
    assert spread.max() > 0.08 * 255


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("strong", "augmentation: expected an object or null; got 'strong'"),
        ({"rotate": 5}, "augmentation.rotate: unknown field; expected some of share, rotation"),
        ({"rotation": 181}, "augmentation.rotation: expected a number from 0 to 180; got 181"),
        ({"shift": -1}, "augmentation.shift: expected a number from 0 to 14; got -1"),
        ({"smoothness": 0}, "augmentation.smoothness: expected a number from 1.5 to 14; got 0"),
        ({"noise": True}, "augmentation.noise: expected a number from 0 to 1; got true"),
        ({"noise": float("nan")}, "augmentation.noise: expected a number from 0 to 1; got nan"),
        ({"blur": None}, "augmentation.blur: expected a number from 0 to 1; got null"),
    ],
)
def test_a_wrong_augmentation_is_refused_by_its_field(spec, message):
    with pytest.raises(ValueError, match="augmentation") as error:
        make_augmentation(spec)
    assert str(error.value).startswith(message)


def test_the_ends_of_all_ranges_work(images):
    assert make_augmentation(None) is None
    for end in (0, 1):
        augmentation = make_augmentation({name: bounds[end] for name, bounds in RANGES.items()})
        assert changed(images[:20], augmentation).shape == (20, 28, 28)


def test_a_process_makes_each_epoch_s_images_ahead_and_in_any_order(images):
    with AugmentedEpochs(images, EVERYTHING, 3, epochs=5) as ahead:
        made = {epoch: ahead(epoch).copy() for epoch in (1, 2, 3, 4, 5)}
    with AugmentedEpochs(images, EVERYTHING, 3, epochs=5) as another:
        for epoch in (3, 4, 4, 1, 5, 2):
            np.testing.assert_array_equal(another(epoch), made[epoch])
    with AugmentedEpochs(images, EVERYTHING, 3, epochs=5, ahead=False) as here:
        for epoch in made:
            # BLAS with another number of threads may differ in a last bit, and a pixel by a step then
            assert np.abs(here(epoch).astype(int) - made[epoch]).max() <= 1


def test_images_stay_as_they_are_while_the_next_ones_are_made(images):
    with AugmentedEpochs(images, EVERYTHING, 3, epochs=5) as ahead:
        first = ahead(1)
        copy = first.copy()
        ahead._wait(2)
        np.testing.assert_array_equal(first, copy)


def test_a_process_that_died_is_noticed(images):
    with AugmentedEpochs(images, EVERYTHING, 3, epochs=5) as epochs:
        epochs(1)
        os.kill(epochs._process.pid, signal.SIGKILL)
        with pytest.raises(WorkerLostError, match="augmentation process died"):
            [epochs(epoch) for epoch in range(2, 6)]


def test_the_process_ends_with_the_training(images):
    with AugmentedEpochs(images, EVERYTHING, 3, epochs=5) as epochs:
        epochs(1)
        process = epochs._process
    until(lambda: process.poll() is not None)
