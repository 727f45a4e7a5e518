"""The sheet of digits, and the user's own drawings as images to test on."""

import numpy as np
import pytest

from app.data.dataset import sample_per_label
from app.data.drawings import rendered
from app.data.drawings.rendered import DrawingRenderer
from app.data.drawings.store import DrawingStore
from app.data.preprocessing.prepare import from_strokes


def test_a_sheet_has_two_of_each_of_ten_labels_label_by_label():
    labels = np.arange(100) % 10
    found = sample_per_label(labels, 10)
    assert labels[found].tolist() == [label for label in range(10) for _ in range(2)]
    assert found[:4].tolist() == [0, 10, 1, 11]


@pytest.mark.parametrize(
    ("labels", "kinds", "counts"),
    [
        ([0, 1, 2] * 50, 3, {0: 7, 1: 7, 2: 6}),
        ([0] * 100 + [1] * 3, 2, {0: 17, 1: 3}),
        (list(range(62)) * 3, 62, None),
        ([0, 0, 2], 3, {0: 2, 2: 1}),
        ([], 2, {}),
    ],
)
def test_a_sheet_is_spread_over_whatever_labels_there_are(labels, kinds, counts):
    labels = np.array(labels, np.int64)
    found = sample_per_label(labels, kinds)
    chosen = labels[found].tolist()
    assert len(set(found.tolist())) == len(found) == min(20, len(labels))
    if counts is None:
        assert len(set(chosen)) == 20
        assert (chosen[0], chosen[-1]) == (0, kinds - 1)
    else:
        assert {label: chosen.count(label) for label in set(chosen)} == counts


def test_own_drawings_of_known_labels_become_images_newest_first(tmp_path):
    store = DrawingStore(tmp_path / "drawings")
    for place, (label, name) in enumerate([("7", "mine"), ("x", "mine"), ("1", "more"), ("7", "more")]):
        store.add(label, [[[0, 0], [10 + place, 40]]], name)
    own = DrawingRenderer(store)
    found = own.get(["1", "7"])
    assert [(drawing.label, drawing.set) for drawing in found.drawings] == [("7", "more"), ("1", "more"), ("7", "mine")]
    assert found.labels.tolist() == [1, 0, 1]
    expected = from_strokes(found.drawings[0].strokes).pixels
    assert np.abs(found.images[0] / 255 - expected).max() <= 0.5 / 255 + 1e-6
    assert len(own.get(["1", "7"], most=2)) == 2
    assert len(own.get(["q"])) == 0


def test_a_drawing_is_rendered_once(tmp_path, monkeypatch):
    store = DrawingStore(tmp_path / "drawings")
    store.add("1", [[[0, 0], [10, 40]]])
    own = DrawingRenderer(store)
    first = own.get(["1"]).images
    monkeypatch.setattr("app.data.drawings.rendered.from_strokes", None)
    assert np.array_equal(own.get(["1"]).images, first)


def test_no_drawings_at_all_are_no_error(tmp_path):
    assert len(DrawingRenderer(DrawingStore(tmp_path / "none")).get(["1"])) == 0


def test_only_what_is_shown_is_read_and_each_set_is_looked_at_once(tmp_path, monkeypatch):
    store = DrawingStore(tmp_path / "drawings")
    line = [[[0, 0], [5, 5]]]
    kept = [store.add(label, line, name) for name in ("a", "b") for label in ("3", "x", "3", "3", "3")]
    assert [one.id for one in DrawingRenderer(store).get(["3"]).drawings] == [
        d.id for d in kept[::-1] if d.label == "3"
    ]
    read, looked = [], []
    whole, look = rendered.read_drawing, store._index
    monkeypatch.setattr(rendered, "read_drawing", lambda path, name: read.append(path) or whole(path, name))
    monkeypatch.setattr(store, "_index", lambda name: looked.append(name) or look(name))
    assert len(DrawingRenderer(store).get(["3"], most=5)) == 5
    assert len(read) == 5
    assert sorted(looked) == ["a", "a", "b", "b"]  # however many drawings there are
