"""`csv:PATH`: tables of labels and pixels as Kaggle has them, and every bad cell by its line and column."""

import tracemalloc

import numpy as np
import pytest

from app.data import DatasetUnavailable
from app.data.sources import csv_file
from tests.support.own_sets import bar_images, info, load

HEADER = ["label", *(f"pixel{i}" for i in range(784))]


def rows(count, images=None):
    images = bar_images(count) if images is None else images
    return [[str(i % 2), *map(str, image.ravel().tolist())] for i, image in enumerate(images)]


def save(tmp_path, lines, name="mine.csv", delimiter=",", end="\n", encoding="utf-8"):
    (tmp_path / "data").mkdir(exist_ok=True)
    text = end.join(delimiter.join(line) for line in lines) + end
    (tmp_path / "data" / name).write_bytes(text.encode(encoding))


@pytest.mark.parametrize(
    ("lines", "options"),
    [
        ([HEADER, *rows(24)], {}),
        (rows(24), {}),
        ([HEADER, *rows(24), [""], [""]], {"end": "\r\n", "encoding": "utf-8-sig"}),
        ([HEADER, *rows(24)], {"delimiter": ";"}),
        ([HEADER, *rows(24)], {"delimiter": "\t"}),
        ([[f'"{cell}"' for cell in line] for line in [HEADER, *rows(24)]], {}),
        ([[*line[1:], line[0]] for line in [["Class", *HEADER[1:]], *rows(24)]], {}),
        ([HEADER, *([line[0], *(f"{cell}.0" for cell in line[1:])] for line in rows(24))], {}),
        ([HEADER, *([line[0], *(f"{int(cell) / 255:.6f}" for cell in line[1:])] for line in rows(24))], {}),
    ],
    ids=["header", "none", "Windows", "semicolons", "tabs", "quoted", "label last", "floats", "0 to 1"],
)
def test_a_table_is_a_set_in_all_its_usual_forms(lines, options, tmp_path):
    save(tmp_path, lines, **options)
    dataset = load("csv:mine.csv", tmp_path)
    assert (dataset.labels, dataset.notes) == (("0", "1"), ())
    assert np.array_equal(dataset.test.images, bar_images(24)[[10, 11, 22, 23]])  # every sixth of a label
    assert dataset.train.labels.tolist() == [0, 1] * 10


def test_a_table_to_test_with_lies_beside_it(tmp_path):
    save(tmp_path, [HEADER, *rows(4)], "Mnist_Train.csv")
    save(tmp_path, [HEADER, *rows(6)], "Mnist_Test.csv")
    dataset = load("csv:Mnist_Train.csv", tmp_path)
    assert (len(dataset.train), len(dataset.test)) == (4, 6)
    save(tmp_path, [HEADER, *rows(8)], "Mnist_Test.csv")
    changed = load("csv:Mnist_Train.csv", tmp_path)
    assert (len(changed.test), changed.version == dataset.version) == (8, False)


def test_a_table_to_test_with_that_has_no_labels_is_not_read_and_named(tmp_path):
    save(tmp_path, [HEADER, *rows(24)], "train.csv")
    save(tmp_path, [HEADER[1:], *(line[1:] for line in rows(6))], "test.csv")
    line = info("csv:train.csv", tmp_path)
    assert (line.train, line.test) == (20, 4)
    assert line.note == "Ready to use. test.csv has no labels and is not read."


def test_letters_are_labels_and_white_paper_becomes_black(tmp_path):
    lines = rows(24, 255 - bar_images(24))
    save(tmp_path, [["ab"[int(line[0])], *line[1:]] for line in lines])
    dataset = load("csv:mine.csv", tmp_path)
    assert dataset.labels == ("a", "b")
    assert np.array_equal(dataset.test.images, bar_images(24)[[10, 11, 22, 23]])
    assert "inverted" in info("csv:mine.csv", tmp_path).note


def with_cell(line, column, cell):
    lines = [HEADER, *rows(24)]
    lines[line - 1][column - 1] = cell
    return lines


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (with_cell(5, 9, "x"), "line 5, column 9: expected a number from 0 to 255; got 'x'"),
        (with_cell(25, 785, ""), "line 25, column 785: expected a number from 0 to 255; got ''"),
        (with_cell(2, 3, "256"), "line 2, column 3: expected a number from 0 to 255; got '256'"),
        (with_cell(2, 3, "-1"), "line 2, column 3: expected a number from 0 to 255; got '-1'"),
        (with_cell(2, 3, "nan"), "line 2, column 3: expected a number from 0 to 255; got 'nan'"),
        (with_cell(2, 3, "1_0"), "line 2, column 3: expected a number from 0 to 255; got '1_0'"),
        (with_cell(2, 3, "1e999"), "line 2, column 3: expected a number from 0 to 255; got '1e999'"),
        (with_cell(4, 1, " "), "line 4, column 1: expected a label; got ''"),
        (with_cell(4, 1, "a" * 65), "line 4, column 1: expected a label; got 'aaa"),
        (with_cell(7, 1, "1,2"), "line 7: expected 785 columns, a label and 784 pixels; got 786"),
        (with_cell(7, 1, "1" * 66_000), "line 7: expected at most 32768 bytes"),
        ([HEADER[1:], *(line[1:] for line in rows(3))], "line 2: expected 785 columns, .*; got 784"),
        ([HEADER], "expected a label and 784 pixels in each line; got no line"),
        ([[""]], "expected a label and 784 pixels in each line; got no line"),
        (rows(4), None),
    ],
)
def test_what_is_wrong_in_a_table_is_named_by_line_and_column(lines, message, tmp_path):
    save(tmp_path, lines)
    expected = "expected at least 6 images of a label" if message is None else f"mine.csv: {message}"
    with pytest.raises(DatasetUnavailable, match=f"^csv:mine.csv: {expected}"):
        load("csv:mine.csv", tmp_path)


def test_a_number_above_one_among_floats_up_to_one_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("app.data.sources.csv_file.LINES", 4)
    lines = [[line[0], *(f"{int(cell) / 255:.3f}" for cell in line[1:])] for line in rows(24)]
    lines[9][3] = "2"
    save(tmp_path, lines)
    with pytest.raises(DatasetUnavailable, match=r"line 10, column 4: expected a number from 0 to 1; got '2'"):
        load("csv:mine.csv", tmp_path)


def test_utf_16_and_what_is_no_text_are_refused(tmp_path):
    save(tmp_path, [HEADER, *rows(2)], encoding="utf-16")
    with pytest.raises(DatasetUnavailable, match=r"mine\.csv: expected a table in UTF-8; got UTF-16"):
        load("csv:mine.csv", tmp_path)
    (tmp_path / "data" / "mine.csv").write_bytes(np.random.default_rng(1).bytes(200_000))
    with pytest.raises(DatasetUnavailable, match=r"mine\.csv: line \d+: expected"):
        load("csv:mine.csv", tmp_path)


def test_a_table_is_read_in_pieces(tmp_path):
    lines = rows(2) * 3_000
    save(tmp_path, lines)
    tracemalloc.start()
    try:
        load("csv:mine.csv", tmp_path)
        assert (
            tracemalloc.get_traced_memory()[1] < 6_000 * 784 * 2.5
        )  # two copies of the pixels, when the pieces are joined
    finally:
        tracemalloc.stop()


def test_a_table_of_empty_lines_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "MOST_LINES", 1000)
    save(tmp_path, [*rows(24), *([[""]] * 1000)])
    with pytest.raises(DatasetUnavailable, match="expected at most 1,000 lines; got more"):
        load("csv:mine.csv", tmp_path)


@pytest.mark.parametrize("encoding", ["shift-jis", "latin-1"])
def test_a_table_in_another_encoding_is_refused_with_what_to_do(tmp_path, encoding):
    label = "あ" if encoding == "shift-jis" else "é"
    lines = [f"{label if number == 3 else 'a'}," + ",".join(["0"] * 784) for number in range(12)]
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "mine.csv").write_text("\n".join(lines), encoding=encoding)
    with pytest.raises(DatasetUnavailable, match="line 4: expected UTF-8; got another encoding: save the table as CSV"):
        load("csv:mine.csv", tmp_path)
