"""A look through an upload: counts, what is not read, and samples before and after the preprocessing."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.data.images import preview as preview_module
from app.data.images.archive import UnreadFile
from app.data.images.preview import MOST_SAMPLES, label_in_name, preview_images
from app.data.preprocessing import decode
from app.errors import InputError, Message
from tests.support.zips import bar_files, bars_csv, png


@pytest.fixture
def preview(tmp_path):
    """The preview of these files by path."""

    def previewed(files, unread=()):
        for name, data in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return preview_images(tmp_path, unread)

    return previewed


def test_images_are_counted_by_label_and_some_of_each_are_shown(preview):
    found = preview(bar_files(7, "letters/"))
    assert (found.counts, found.train, found.test) == ({"flat": 7, "up": 7}, 12, 2)
    assert [sample.label for sample in found.samples] == ["flat"] * 3 + ["up"] * 3
    first = found.samples[-3]
    assert first.name == "0.png"
    assert first.original is not None
    assert (first.original.shape, first.original[0, 0], first.original.min()) == ((40, 40), 255, 0)
    assert first.pixels.shape == (28, 28)
    assert first.pixels[14, 14] > 200  # through the one preprocessing
    assert (found.unread, found.notes, first.remarks) == ((), [], ())


def test_what_was_done_to_an_image_is_said(preview):
    inverted = preview({f"{label}/{n}.png": _inverted(label, n) for label in ("up", "flat") for n in range(6)})
    assert inverted.samples[0].remarks == ("the ink is lighter than the paper, so the image is inverted",)


def _inverted(label, number):
    packed = io.BytesIO()
    ImageOps.invert(Image.open(io.BytesIO(png(label, number)))).save(packed, "PNG")
    return packed.getvalue()


def test_a_blank_image_is_told(preview):
    packed = io.BytesIO()
    Image.fromarray(np.full((40, 40), 255, np.uint8)).save(packed, "PNG")
    found = preview({**bar_files(7), "flat/0.png": packed.getvalue()})
    assert found.samples[0].remarks == ("there is no ink: nothing to read",)


def test_images_that_cannot_be_read_are_removed_and_named(preview, tmp_path):
    files = {**bar_files(7), "up/x.png": b"no image", "flat/y.jpg": png()[:80], "flat/z.png": b"%PDF-1.4"}
    other = UnreadFile("notes.txt", Message("it is no image"))
    found = preview(files, [other])
    assert {file.name: str(file.reason) for file in found.unread} == {
        "flat/y.jpg": "expected a complete image; got a PNG that is damaged or truncated",
        "flat/z.png": "expected a PNG, JPEG, BMP, GIF, WebP or TIFF image; got PDF",
        "up/x.png": "expected a PNG, JPEG, BMP, GIF, WebP or TIFF image; got another file",
        "notes.txt": "it is no image",
    }
    assert found.counts == {"flat": 7, "up": 7}
    assert not (tmp_path / "up" / "x.png").exists()


def test_a_label_none_of_whose_images_can_be_read_is_none(preview):
    files = {**bar_files(7), "o/1.png": b"?", "o/2.png": b"?"}
    found = preview(files)
    assert list(found.counts) == ["flat", "up"]
    assert {file.name for file in found.unread} == {"o/1.png", "o/2.png"}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a/1.png": png(), "a/2.png": png()}, "got 1 in a folder with a/"),
        ({"1.png": png(), "2.png": png()}, "got 2 images in no such folder"),
        ({"a/1.png": png(), "b/1.png": png()}, "expected at least 6 images of a label"),
        ({"a/1.png": b"?", "b/1.png": b"?"}, "2 images could not be read, such as a/1.png: expected a PNG"),
        ({**bar_files(7), "a\u202e/1.png": png()}, "expected no control characters"),
        ({"t.csv": bars_csv(header=False)[:-50]}, "t.csv: line 24: expected 785 columns"),
        ({"images.csv": b"label,pixels\n1,2\n"}, "^line 2: expected 785 columns"),
        ({"images.csv": bars_csv().replace(b"7,0", b"7,dark", 1)}, "^line 3, column 2: expected a number from 0 to"),
        ({"images.csv": bars_csv(3)}, "expected at least 6 images of a label"),
        ({"images.npz": b"PK"}, "expected a complete NumPy .npz file"),
        ({"a.csv": bars_csv(), "b.csv": bars_csv()}, r"expected one table or file of arrays to train on; got a\.csv"),
    ],
)
def test_what_is_no_set_is_refused_in_words(files, message, preview):
    with pytest.raises(InputError, match=message):
        preview(files)


@pytest.mark.parametrize("header", [True, False])
def test_a_table_is_read_with_its_samples(header, preview):
    found = preview({"images.csv": bars_csv(24, header=header)})
    assert (found.counts, found.train, found.test) == ({"3": 12, "7": 12}, 20, 4)
    assert [sample.label for sample in found.samples] == ["3"] * 3 + ["7"] * 3
    assert found.samples[0].original is None


def test_kaggle_s_tables_are_found_by_what_they_hold(preview):
    unlabelled = b"\n".join(line.partition(b",")[2] for line in bars_csv().split(b"\n"))
    found = preview(
        {
            "digits/train.csv": bars_csv(),
            "digits/test.csv": unlabelled,
            "digits/sample_submission.csv": b"ImageId,Label\n",
        }
    )
    assert (found.counts, found.notes) == ({"3": 12, "7": 12}, ("test.csv has no labels and is not read.",))


def test_labels_are_taken_from_names_that_begin_with_them(preview):
    names = [f"{label}{form}" for label in ("3", "あ") for form in ("_0001.png", "-2.png", " (3).png", "(4).png")]
    names += [f"{label}_{n}.png" for label in ("3", "あ") for n in range(5, 8)]
    found = preview({f"all/{name}": png() for name in names})
    assert (found.counts, found.notes) == (
        {"3": 7, "あ": 7},
        ["The labels are those with which the names of the files begin."],
    )


@pytest.mark.parametrize("name", ["IMG_0001.png", "Screenshot 2024.png"])
def test_names_that_do_not_tell_labels_are_none(name, preview):
    with pytest.raises(InputError, match="images in no such folder"):
        preview({name: png(), name.replace(".", "b."): png()})


@pytest.mark.parametrize(
    ("name", "label"),
    [("3_1.png", "3"), ("3-1.png", "3"), ("3 (2).png", "3"), ("cat_3.png", "cat"), ("3.png", None), ("_3.png", None)],
)
def test_the_label_in_a_name(name, label):
    assert label_in_name(name) == label


def test_of_very_many_labels_some_are_shown(preview):
    files = {f"{label}/{n}.png": png() for label in range(50) for n in range(6)}
    found = preview(files)
    assert len(found.counts) == 50
    assert len(found.samples) == MOST_SAMPLES


def test_images_of_too_many_pixels_together_are_refused(preview, monkeypatch):
    monkeypatch.setattr(preview_module, "MOST_PIXELS", 10 * 40 * 40)
    with pytest.raises(InputError, match=r"expected images of at most .* megapixels in total; got more"):
        preview(bar_files(7))


def test_images_that_are_not_shown_are_decoded_and_not_prepared(preview, monkeypatch):
    made = []
    to_grey = decode.to_grey
    monkeypatch.setattr(decode, "to_grey", lambda image: made.append(image) or to_grey(image))
    found = preview({**bar_files(40), "up/x.png": png()[:-30]})
    assert (sum(found.counts.values()), [file.name for file in found.unread]) == (80, ["up/x.png"])
    assert len(made) == len(found.samples) == 6


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "I;16"])
def test_an_image_is_checked_as_it_is_decoded(mode):
    packed = io.BytesIO()
    Image.new(mode, (30, 20)).save(packed, "PNG")
    assert decode.check_image(packed.getvalue()) == 600
    for data in (packed.getvalue()[:-25], packed.getvalue()[:20], b"", b"x"):
        with pytest.raises(ValueError, match="expected") as checked:
            decode.check_image(data)
        with pytest.raises(ValueError, match="expected") as decoded:
            decode.decode_image(data)
        assert str(checked.value) == str(decoded.value)
