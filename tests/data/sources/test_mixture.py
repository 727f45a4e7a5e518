"""Mixtures: what they mean, what is in them, and what is refused."""

import numpy as np
import pytest

from app.data import DatasetCatalog, catalog, split_validation
from app.data.dataset import Dataset, Split
from app.data.sources import synthetic
from app.data.sources.mixture import Term, mix, mixed_size, parse_mixture, write_mixture
from app.data.sources.synthetic import load_strokes


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("mnist", [Term("mnist")]),
        ("mnist + 0.5*strokes", [Term("mnist"), Term("strokes", 0.5)]),
        ("mnist+.5*strokes+20 * drawings:mine", [Term("mnist"), Term("strokes", 0.5), Term("drawings:mine", 20)]),
        (" 2*mnist ", [Term("mnist", 2)]),
        ("0.000001*a + 1000*folder:x/y.z", [Term("a", 1e-6), Term("folder:x/y.z", 1000)]),
    ],
)
def test_a_mixture_parses_to_its_terms_and_back(text, terms):
    assert parse_mixture(text) == tuple(terms)
    assert parse_mixture(write_mixture(terms)) == tuple(terms)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "term 1: expected a data set"),
        ("mnist +", "term 2: expected a data set"),
        ("+ mnist", "term 1: expected a data set"),
        ("mnist ++ strokes", "term 2: expected a data set"),
        ("3*", "term 1: expected a data set"),
        ("*mnist", "term 1: expected a weight above 0 and at most 1000 before `[*]`; got ''"),
        ("mnist + 0*strokes", "term 2: expected a weight above 0.*; got '0'"),
        ("mnist + -1*strokes", "term 2: expected a weight.*; got '-1'"),
        ("1001*mnist", "expected a weight.*; got '1001'"),
        ("nan*mnist", "got 'nan'"),
        ("1e3*mnist", "got '1e3'"),
        ("٣*mnist", "expected a weight"),
        ("2*3*mnist", r"got '2\*3'"),
        ("mnist + 2*mnist", "each data set once, with a weight; got 'mnist' twice"),
        (" + ".join("abcdefghi"), "at most 8 data sets in a mixture; got 9"),
    ],
)
def test_what_is_no_mixture_is_refused_at_its_place(text, message):
    with pytest.raises(ValueError, match=message):
        parse_mixture(text)


def numbered(name, count, labels, base=0):
    """A set whose image i is full of base + i."""
    images = np.full((count, 28, 28), base, np.uint8) + np.arange(count, dtype=np.uint8)[:, None, None]
    train = Split(images, (np.arange(count) % len(labels)).astype(np.uint8))
    return Dataset(name, name, tuple(labels), train, Split(images[:3], train.labels[:3]))


SETS = {"a": numbered("a", 10, "01"), "b": numbered("b", 8, "10", 100), "c": numbered("c", 5, "012", 200)}


def mixed(text):
    return mix(parse_mixture(text), lambda term: (SETS[term.name], term.weight))


def test_a_weight_is_a_share_or_so_many_times():
    whole = mixed("a + 0.5*b")
    values = whole.train.images[:, 0, 0]
    assert len(whole.train) == 14
    assert sorted(values[values < 100]) == list(range(10))
    assert len(set(values[values >= 100])) == 4
    values = mixed("a + 2.5*b").train.images[:, 0, 0]
    times = np.unique(values[values >= 100], return_counts=True)[1]
    assert sorted(times.tolist()) == [2] * 4 + [3] * 4
    assert mixed_size(10, 0.001) == 1
    assert mixed_size(10, 0.25) == 3


def test_labels_go_by_their_names_and_the_test_images_are_the_firsts():
    dataset = mixed("a + b")
    assert dataset.labels == ("0", "1")
    assert dataset.name == "a + b"
    first = dataset.train.images[:, 0, 0].tolist().index(100)
    assert dataset.train.labels[first] == 1  # b's first label is "1"
    assert dataset.test is SETS["a"].test


def test_a_set_with_labels_that_the_first_has_not_is_refused():
    assert len(mixed("c + a").train) == 15
    with pytest.raises(ValueError, match="with the labels of a in a mixture; c also has '2'"):
        mixed("a + c")


def test_one_mixture_is_always_the_same_images():
    first, again = mixed("a + 0.5*b"), mixed("a + 0.5*b")
    assert np.array_equal(first.train.images, again.train.images)
    assert first.version is None


@pytest.mark.parametrize("text", ["a + 3*b", "2.5*a + b"])
def test_some_of_each_set_is_held_out_for_validation_and_not_trained_on(text):
    dataset = mixed(text)
    assert (dataset.grouped_by, dataset.groups) == ("source", ("a", "b"))
    train, held = split_validation(dataset.train, 0.25, of_each_group=True)
    known, unseen = set(train.images[:, 0, 0].tolist()), set(held.images[:, 0, 0].tolist())
    assert min(unseen) < 100 <= max(unseen)
    assert not known & unseen, "all copies of an image are on one side"
    assert len(train) + len(held) == len(dataset.train)


def test_a_mixture_has_the_test_images_of_each_set():
    tests = mixed("a + b").tests
    assert list(tests) == ["a", "b"]
    assert tests["a"] is SETS["a"].test
    assert tests["b"].labels.tolist() == (1 - SETS["b"].test.labels).tolist()  # numbered as a's labels are


def test_a_version_of_a_part_is_in_the_version_of_the_mixture():
    changed = Dataset("b", "b", SETS["b"].labels, SETS["b"].train, SETS["b"].test, "v2")
    dataset = mix(parse_mixture("a+b"), lambda term: ({**SETS, "b": changed}[term.name], term.weight))
    assert dataset.version is not None


def test_mixtures_are_in_the_catalogue_by_name(tmp_path, monkeypatch):
    info = DatasetCatalog(tmp_path).info("strokes+0.5*mnist")
    assert info.name == "strokes + 0.5*mnist"
    assert (info.train, info.test, info.labels) == (50_000, 2_000, tuple("0123456789"))
    assert (info.state, info.note.split(":")[0]) == ("download", "MNIST")
    with pytest.raises(ValueError, match=r"expected a data set: .*got 'cats'"):
        DatasetCatalog(tmp_path).info("mnist + cats")
    with pytest.raises(ValueError, match="with the labels of mnist in a mixture; kmnist also has 'お', 'き', 'す' and"):
        DatasetCatalog(tmp_path).info("mnist + kmnist")
    with pytest.raises(ValueError, match="at most 1,000,000 training images; got 60,0"):
        DatasetCatalog(tmp_path).info("strokes + 1000*mnist")


def test_more_strokes_than_there_are_are_drawn_and_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "TRAIN_SIZE", 40)
    monkeypatch.setattr(
        catalog.synthetic,
        "load_strokes",
        lambda *, cache_dir, train=40: load_strokes(cache_dir=cache_dir, train=train, test=10),
    )
    dataset = DatasetCatalog(tmp_path).load("2.5*strokes")
    assert len({image.tobytes() for image in dataset.train.images}) == 100
