"""The data set `pendigits`: read as it was published, refused by line where it is damaged, and found or downloaded."""

import hashlib
import io
import zipfile

import numpy as np
import pytest

from app.data import DatasetCatalog, DatasetUnavailable, from_strokes
from app.data.sources import pendigits
from app.data.sources.pendigits import FILE, parse_unipen

HEAD = '.INCLUDE        dene.doc\n\n.LEXICON "0" "1"\n.HIERARCHY      DIGIT\n\n'


def segment(label="7", writer=3, points=((10, 90), (60, 90), (30, 10))):
    lines = "\n".join(f" {x}  {y}" for x, y in points)
    return f'.SEGMENT DIGIT    0 ? "{label}"\n.COMMENT {label} {writer}  1\n.PEN_DOWN\n{lines}\n.PEN_UP\n.DT 100\n\n'


@pytest.fixture
def three(monkeypatch):
    """A file of three digits, which is taken for the published one."""
    monkeypatch.setattr(pendigits, "DIGITS", 3)
    content = (HEAD + segment("7", 3) + segment("1", 25, ((5, 90), (5, 10))) + segment("0", 26)).encode()
    monkeypatch.setattr(pendigits, "SHA256", hashlib.sha256(content).hexdigest())
    pendigits._problem.cache_clear()
    return content


def put(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(content)


def test_a_digit_has_its_label_its_writer_and_its_strokes_upright(three):
    seven, one, zero = parse_unipen(three)
    assert [(digit.label, digit.writer) for digit in (seven, one, zero)] == [("7", 3), ("1", 25), ("0", 26)]
    assert seven.strokes == [[(10, -90), (60, -90), (30, -10)]]


@pytest.mark.parametrize("folder", ["data", "data/pendigits", "cache/pendigits"])
def test_the_writers_are_split_and_strokes_are_prepared_as_drawings_are(three, folder, tmp_path):
    put(tmp_path / folder, three)
    catalog = DatasetCatalog(tmp_path / "cache", tmp_path / "data")
    assert catalog.info("pendigits").state == "ready"
    found = catalog.load("pendigits", download=False)
    assert (found.train.labels.tolist(), found.test.labels.tolist()) == ([7, 1], [0])
    drawn = from_strokes([[[10, -90], [60, -90], [30, -10]]]).pixels
    assert np.array_equal(found.train.images[0], np.rint(drawn * 255).astype(np.uint8))
    assert (found.grouped_by, [found.groups[i] for i in found.train.groups]) == ("writer", ["3", "25"])
    again = catalog.load("pendigits")  # from the cache
    assert np.array_equal(again.train.images, found.train.images)
    assert np.array_equal(again.train.groups, found.train.groups)


BAD = {
    "cut short within a digit": (lambda text: text[:-60], "line 24: expected a writer"),
    "cut short between digits": (
        lambda text: text[: text.rindex(".SEGMENT")],
        "digits; the file ends after 2",
    ),
    "another label": (lambda text: text.replace('"1"\n', '"x"\n'), "expected a digit"),
    "no label": (lambda text: text.replace(' ? "7"', ""), "line 6: expected a digit"),
    "a point that is no number": (lambda text: text.replace(" 60  90", " 60  nan"), "line 10: expected x and y"),
    "a point of three numbers": (lambda text: text.replace(" 60  90", " 60  90 1"), "line 10: expected x and y"),
    "a point far away": (lambda text: text.replace(" 60  90", " 60  20000"), "line 10: expected x and y"),
    "a point of very many figures": (lambda text: text.replace(" 60  90", " 60  " + "9" * 4000), "line 10: expected x"),
    "a writer of very many figures": (lambda text: text.replace("T 7 3", "T 7 " + "9" * 5000), "a writer from 1 to 30"),
    "an empty stroke": (lambda text: text.replace(" 5  90\n 5  10\n", ""), "expected points between"),
    "an empty digit": (lambda text: text.replace(".PEN_DOWN\n 5  90\n 5  10\n.PEN_UP\n", ""), "the digit is cut short"),
    "a writer that is none": (lambda text: text.replace(".COMMENT 7 3", ".COMMENT 7 31"), "a writer from 1 to 30"),
    "no writer": (lambda text: text.replace(".COMMENT 7 3  1\n", ""), "expected .COMMENT"),
    "another encoding": (lambda text: text.encode("utf-16"), "line 1: expected ASCII"),
    "nothing": (lambda text: "", "the file ends after 0"),
}


@pytest.mark.parametrize(("damage", "words"), BAD.values(), ids=BAD)
def test_a_damaged_file_is_refused_by_line_and_the_other_sets_are_there(three, damage, words, tmp_path, cache_dir):
    damaged = damage(three.decode())
    put(tmp_path, damaged if isinstance(damaged, bytes) else damaged.encode())
    catalog = DatasetCatalog(cache_dir, tmp_path)
    infos = {info.name: info for info in catalog.list()}
    assert (infos["pendigits"].state, words in infos["pendigits"].note) == ("damaged", True), infos["pendigits"].note
    assert infos["strokes"].state == "ready"
    with pytest.raises(DatasetUnavailable, match="is damaged") as error:
        catalog.load("pendigits", download=False)
    assert words in str(error.value)


def test_a_stroke_of_one_point_is_a_dot(three):
    dotted = three.replace(b" 5  90\n 5  10\n", b" 5  90\n")
    assert parse_unipen(dotted)[1].strokes == [[(5, -90)]]


def packed(content):
    """A zip with a short file in Unix's compressed form, as the repository has it, and that form alone."""
    assert len(content) < 255  # then the codes become longer
    bits, out = 0, 0
    for byte in content:
        out |= byte << bits
        bits += 9
    body = b"\x1f\x9d\x89" + out.to_bytes((bits + 7) // 8, "little")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(f"{FILE}.Z", body)
    return archive.getvalue(), body


def test_it_is_downloaded_from_the_first_address_that_has_it(tmp_path, monkeypatch):
    short = '.SEGMENT DIGIT 0 ? "{0}"\n.COMMENT {0} {1} 1\n.PEN_DOWN\n1 2\n.PEN_UP\n'
    three = "".join(short.format(label, writer) for label, writer in (("7", 1), ("1", 2), ("0", 30))).encode()
    monkeypatch.setattr(pendigits, "DIGITS", 3)
    sha256 = hashlib.sha256(three).hexdigest()
    archive, body = packed(three)
    served = {"http://a/x.zip": b"damaged", "http://b/x.zip": archive, "http://c/x.Z": body}
    asked = []

    def download(url, path, check, **_):
        asked.append(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(served[url])
        return check(path)

    monkeypatch.setattr(pendigits.net, "download", download)
    for mirrors in (("http://a/x.zip", "http://b/x.zip"), ("http://c/x.Z",)):
        home = tmp_path / mirrors[-1][7]
        found = pendigits.load_pendigits(data_dir=None, cache_dir=home, mirrors=mirrors, sha256=sha256)
        assert (len(found.train), len(found.test)) == (2, 1)
        assert (home / "pendigits" / FILE).read_bytes() == three
    assert asked == ["http://a/x.zip", "http://b/x.zip", "http://c/x.Z"]


def damaged_downloads():
    archive, body = packed(b"short")
    encrypted = bytearray(archive)
    encrypted[archive.index(b"PK\x01\x02") + 8] |= 1
    return {
        "nothing": b"",
        "a page": b"<html>",
        "a cut zip": archive[:-9],
        "another zip": archive.replace(b"tra", b"tes"),
        "an encrypted zip": bytes(encrypted),
        "a cut file": body[:2],
        "another file": body,
    }


@pytest.mark.parametrize("content", damaged_downloads().values(), ids=damaged_downloads())
def test_a_damaged_download_is_told_and_not_kept(content, tmp_path, monkeypatch):
    def download(url, path, check, **_):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(content)
        try:
            return check(part)
        finally:
            part.unlink()

    monkeypatch.setattr(pendigits.net, "download", download)
    with pytest.raises(DatasetUnavailable, match=r"could not be downloaded\. Tried http://a: "):
        pendigits.load_pendigits(data_dir=None, cache_dir=tmp_path, mirrors=["http://a"])
    assert list((tmp_path / "pendigits").iterdir()) == []


def test_a_file_that_is_far_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(pendigits, "LARGEST_FILE", 1 << 20)
    put(tmp_path, b" " * ((1 << 20) + 1))
    info = DatasetCatalog(tmp_path / "cache", tmp_path).info("pendigits")
    assert (info.state, "at most 1 MB" in info.note) == ("damaged", True)


def test_offline_it_says_what_to_do(tmp_path):
    with pytest.raises(DatasetUnavailable, match=r"nor in the cache.*folder pendigits.*`strokes`"):
        DatasetCatalog(tmp_path).load("pendigits", download=False)


def test_the_published_file_is_read(pendigits_dir, tmp_path):
    found = DatasetCatalog(tmp_path, pendigits_dir).load("pendigits", download=False)
    assert (len(found.train), len(found.test)) == (pendigits.TRAIN_SIZE, pendigits.TEST_SIZE)
    assert set(found.test.labels.tolist()) == set(range(10))
    assert DatasetCatalog(tmp_path, pendigits_dir).info("pendigits").state == "ready"
    mixed = DatasetCatalog(tmp_path, pendigits_dir).info("strokes + 0.5*pendigits")
    assert mixed.train == 20_000 + pendigits.TRAIN_SIZE // 2


def test_a_file_of_more_lines_than_the_published_one_is_refused_before_they_are_read(three, monkeypatch):
    monkeypatch.setattr(pendigits, "MOST_LINES", 30)
    with pytest.raises(ValueError, match="expected at most 30 lines; got more"):
        parse_unipen(three)
