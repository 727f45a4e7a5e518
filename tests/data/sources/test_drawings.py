"""The user's own drawings as a data set."""

import numpy as np
import pytest

from app.data import DatasetCatalog, DatasetUnavailable, from_strokes
from app.data.cache import DatasetCache
from app.data.drawings.store import DrawingStore
from app.data.sources import drawings as module
from app.data.sources.drawings import load_drawing_set, size_of
from tests.support.symbols import draw_symbol

LABELS = ("×", "△", "○")  # in the order of their code points


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A set "shapes" with six drawings of each label; few images of each are rendered."""
    monkeypatch.setattr(module, "TRAIN_IMAGES", 90)
    monkeypatch.setattr(module, "TEST_IMAGES", 30)
    monkeypatch.setattr(module, "LEAST_IMAGES", {90: 1, 30: 1})
    made, rng = DrawingStore(tmp_path / "drawings"), np.random.default_rng(1)
    for label in LABELS:
        for _ in range(6):
            made.add(label, draw_symbol(label, rng), "shapes")
    return made


def test_each_label_has_its_share_and_the_labels_are_in_a_stable_order(store):
    dataset = load_drawing_set(store, "shapes")
    assert (dataset.name, dataset.labels) == ("drawings:shapes", LABELS)
    for split, share in ((dataset.train, 30), (dataset.test, 10)):
        assert np.bincount(split.labels).tolist() == [share] * 3
        assert split.images.shape == (3 * share, 28, 28)
        assert split.images.dtype == np.uint8
        assert split.labels[:3].tolist() == [0, 1, 2]  # mixed, as the last part may be taken for validation


def test_no_drawing_is_in_both_splits(store, monkeypatch):
    monkeypatch.setattr(module, "jitter_strokes", lambda strokes, rng: (strokes, module.STROKE_WIDTH))
    dataset = load_drawing_set(store, "shapes")
    train, test = ({image.tobytes() for image in split.images} for split in (dataset.train, dataset.test))
    assert (len(train), len(test)) == (15, 3)
    assert not train & test
    seen = {np.rint(from_strokes(one.strokes).pixels * 255).astype(np.uint8).tobytes() for one in store.each("shapes")}
    assert train | test == seen  # unwarped, each is what the pad would send


def test_a_drawing_kept_twice_is_in_one_split_under_its_newest_label(store):
    before = load_drawing_set(store, "shapes")
    for one in store.load("shapes")[:6]:
        store.add("○", one.strokes, "shapes")
    dataset = load_drawing_set(store, "shapes")
    assert dataset.labels == ("△", "○")  # there is no × left
    assert dataset.version != before.version


def test_the_same_drawings_give_the_same_images_and_other_seeds_others(store):
    first, second, other = (load_drawing_set(store, "shapes", seed=seed) for seed in (1, 1, 2))
    assert first.version == second.version
    assert np.array_equal(first.train.images, second.train.images)
    assert np.array_equal(first.test.images, second.test.images)
    assert other.version != first.version
    assert not np.array_equal(first.train.images, other.train.images)


def test_what_is_rendered_of_a_drawing_does_not_change_when_another_is_added(store):
    before = {image.tobytes() for image in load_drawing_set(store, "shapes").train.images}
    store.add("○", draw_symbol("○", np.random.default_rng(9)), "shapes")
    dataset = load_drawing_set(store, "shapes")
    kept = sum(image.tobytes() in before for image in dataset.train.images)
    assert kept >= 60  # of the two labels that nothing was added to


@pytest.mark.parametrize(
    "strokes",
    [[[[3, 3]]], [[[0, 0], [1e308, -1e308]]], [[[5, 5]] * 400], [[[0, 0], [1e-300, 0]]], [[[0, y]] for y in range(9)]],
)
def test_odd_drawings_are_rendered_as_well(strokes):
    paths = [np.array(stroke, np.float64) for stroke in strokes]
    warped, width = module.jitter_strokes(paths, np.random.default_rng(0))
    image = module.rasterize_batch([(warped, width)])[0]
    assert image.max() > 128


def test_too_few_drawings_are_named(store):
    store.add("○", [[[1, 2]]], "few")
    with pytest.raises(DatasetUnavailable, match="at least 2 labels; got 1"):
        load_drawing_set(store, "few")
    store.add("new", [[[1, 2], [5, 5]]], "shapes")
    with pytest.raises(DatasetUnavailable, match="at least 5 drawings of each label; got new: 1"):
        load_drawing_set(store, "shapes")
    with pytest.raises(ValueError, match="set: expected"):
        load_drawing_set(store, "../x")


def test_the_catalogue_lists_own_sets_as_they_will_be_loaded(store, tmp_path):
    store.add("a", [[[1, 2]]], "few")
    listed = {info.name: info for info in DatasetCatalog(tmp_path, None, store).list()}
    few, info = listed["drawings:few"], listed["drawings:shapes"]
    dataset = DatasetCatalog(tmp_path, None, store).load("drawings:shapes")
    assert (info.state, info.labels, info.title) == ("ready", dataset.labels, dataset.title)
    assert (info.train, info.test) == (len(dataset.train), len(dataset.test))
    assert few.state == "too-few"
    assert "at least 2 labels" in few.note
    assert "drawings:shapes" not in {info.name for info in DatasetCatalog(tmp_path).list()}
    with pytest.raises(DatasetUnavailable, match="no drawings left in the set “none”"):
        DatasetCatalog(tmp_path, None, store).load("drawings:none")
    with pytest.raises(ValueError, match="expected a data set"):
        DatasetCatalog(tmp_path).load("drawings:shapes")


def test_a_thousand_labels_and_a_label_with_many_drawings_keep_their_sizes():
    assert size_of(dict.fromkeys(map(str, range(1000)), 10)).train == 100_000
    assert size_of({"a": 90_000, "b": 10}).train == 72_000 + 1_500
    assert "at most 1000 labels" in (size_of(dict.fromkeys(map(str, range(1001)), 10)).problem or "")


def test_loaded_sets_are_kept_until_a_drawing_changes_or_memory_is_short(store, tmp_path, cache_dir):
    loaded = DatasetCache(DatasetCatalog(cache_dir, drawings=store), most_bytes=20_000_000)
    first = loaded.get("drawings:shapes")
    assert loaded.get("drawings:shapes") is first
    store.relabel(store.load("shapes")[0].id, "○")
    second = loaded.get("drawings:shapes")
    assert second.version != first.version
    strokes = loaded.get("strokes")  # 17 MB
    assert loaded.get("drawings:shapes") is second
    tight = DatasetCache(DatasetCatalog(cache_dir, drawings=store), most_bytes=1000)
    own = tight.get("drawings:shapes")
    assert len(tight.get("strokes").train) == len(strokes.train)
    assert tight.get("drawings:shapes") is not own
    with pytest.raises(DatasetUnavailable, match="not on this machine yet"):
        loaded.get("mnist")
