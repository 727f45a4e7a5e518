"""Uploads: what is unpacked, what is left out with a reason, and what is refused before anything is written."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.data.images import archive
from app.data.images.archive import place_upload
from app.errors import InputError
from app.storage import zip_file
from tests.support.zips import bars_csv, png, zip_of


@pytest.fixture
def place(tmp_path):
    """Places an upload with this content; gives the files that were left out by name, and the paths of the others."""

    def placed(data):
        folder = tmp_path / "files"
        folder.mkdir()
        (tmp_path / "body").write_bytes(data)
        unread = {file.name: str(file.reason) for file in place_upload(tmp_path / "body", folder)}
        return unread, sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    return placed


def test_a_zip_is_unpacked_and_what_is_no_data_is_named(place):
    files = {"a/1.png": png(), "a/2.PNG": b"x", "b/notes.txt": b"text", "train-images-idx3-ubyte.gz": b"", "t.csv": b""}
    assert place(zip_of(files)) == (
        {"b/notes.txt": "it is no image, CSV table, .npz or IDX file"},
        ["a/1.png", "a/2.PNG", "t.csv", "train-images-idx3-ubyte.gz"],
    )


def test_files_of_systems_are_passed_over(place):
    names = ("__MACOSX/a/._1.png", "a/._1.png", "a/.DS_Store", "Thumbs.db", "a/desktop.ini", ".git/x.png")
    assert place(zip_of({"a/1.png": b"x", **dict.fromkeys(names, b"x")})) == ({}, ["a/1.png"])


def test_backslashes_dots_and_doubled_slashes_are_those_of_folders(place):
    assert place(zip_of({"./a//1.png": b"x", "b\\2.png": b"y"})) == ({}, ["a/1.png", "b/2.png"])


@pytest.mark.parametrize(
    "name", ["../x.png", "a/../../x.png", "a\\..\\..\\x.png", "/etc/x.png", "\\x.png", "C:/x.png", "c:\\x.png"]
)
def test_a_path_that_leads_out_is_refused_and_nothing_written(name, place, tmp_path):
    with pytest.raises(InputError, match=r"expected paths in one folder; got '"):
        place(zip_of({"a/1.png": b"x", name: b"x"}))
    assert not list((tmp_path / "files").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"body", "files"}


def test_names_are_composed_and_of_two_that_are_equal_then_the_second_is_left_out(place):
    unread, found = place(zip_of({"が/1.png": b"x", "か\u3099/1.png": b"y", "か\u3099/2.png": b"z"}))
    assert (unread, found) == ({"が/1.png": "another file has this name"}, ["が/1.png", "が/2.png"])


def test_names_that_differ_by_case_alone_are_two_where_the_disk_tells_them_apart(place):
    unread, found = place(zip_of({"A/1.png": b"x", "a/1.png": b"y"}))
    assert len(unread) + len(found) == 2  # and none replaces another
    assert "A/1.png" in found


def test_a_file_that_is_also_a_folder_is_left_out(place):
    unread, found = place(zip_of({"a.png": b"x", "a.png/1.png": b"y", "b/1.png": b"z"}))
    assert (unread, found) == ({"a.png/1.png": "another file has this name"}, ["a.png", "b/1.png"])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a/" + "x" * 300 + ".png", "its name is too long"),
        ("a/\x07.png", "its name has control characters"),
        ("1/2/3/4/5/6/7/8/1.png", "it lies more than 7 folders deep"),
    ],
)
def test_an_odd_name_is_left_out_with_the_reason(name, reason, place):
    assert place(zip_of({"a/1.png": b"x", name: b"y"})) == ({name: reason}, ["a/1.png"])


@pytest.mark.parametrize(("encoding", "same_length"), [("cp932", "\x80"), ("utf-8", "\u0800")])
def test_names_without_the_flag_of_unicode_are_read_as_they_were_written(encoding, same_length, place):
    data = zip_of({f"{same_length}/1.png": b"x", "b/1.png": b"y"}).replace(same_length.encode(), "丸".encode(encoding))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        data = data[:at] + b"\0\0" + data[at + 2 :]
    assert place(data)[1] == ["b/1.png", "丸/1.png"]


def test_a_link_is_left_out(place):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        link = zipfile.ZipInfo("a/1.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
        made.writestr("a/2.png", b"x")
    assert place(packed.getvalue()) == ({"a/1.png": "it is a link to another file"}, ["a/2.png"])


def test_a_damaged_entry_is_left_out(place):
    data = zip_of({"a/1.png": png("up", 1), "a/2.png": png("up", 2)}, zipfile.ZIP_STORED)
    at = data.index(png("up", 1)) + 60
    data = data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]
    assert place(data) == ({"a/1.png": "it is damaged in the zip"}, ["a/2.png"])


def encrypted():
    data = bytearray(zip_of({"a/1.png": b"x"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "expected a zip, a CSV table or an .npz file; got an empty file"),
        (png(), "expected a zip, a CSV table or an .npz file; got PNG"),
        (b"\x1f\x8b\x08 packed", "got gzip"),
        (b"%PDF-1.7", "got PDF"),
        (b"Rar!\x1a\x07\x01\0", "got another file"),
        (zip_of({}), "in the zip; got nothing"),
        (zip_of({"__MACOSX/._a.png": b"x"}), "in the zip; got nothing"),
        (zip_of({"a.doc": b"", "b.txt": b""}), r"in the zip; got a\.doc, b\.txt"),
        (zip_of({"a/1.png": png()})[:-30], "expected a complete zip file; got one that is damaged, or another file"),
        (zip_of({"a/1.png": png(size=200)})[:100], "expected a complete zip"),
        (b"PK\x03\x04" + b"\0" * 100, "expected a complete zip"),
        (encrypted(), r"a/1\.png: expected a zip without a password; got an encrypted file"),
        (zip_of({"a/1.png": b"x"}, zipfile.ZIP_BZIP2), "expected a zip packed with Deflate; got bzip2: pack it again"),
        (zip_of({"a/1.png": b"x"}, zipfile.ZIP_LZMA), "expected a zip packed with Deflate; got LZMA"),
    ],
)
def test_what_is_no_usable_upload_is_refused_in_words(data, message, place):
    with pytest.raises(InputError, match=message):
        place(data)


def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(place, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MOST_UNPACKED_BYTES", 3 << 20)
    with pytest.raises(InputError, match="expected at most 3 MB in all files; got more"):
        place(zip_of({f"{n}.csv": bytes(1 << 20) for n in range(4)}))
    assert not list((tmp_path / "files").iterdir())


def test_an_entry_that_is_longer_than_it_says_is_not_unpacked_further(place):
    data = zip_of({"a/1.png": bytes(5 << 20), "a/2.png": b"x"})
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(signature) + offset
        data = data[:at] + struct.pack("<I", 1000) + data[at + 4 :]
    assert place(data) == ({"a/1.png": "it is damaged in the zip"}, ["a/2.png"])


def test_a_picture_that_is_too_large_is_left_out(place):
    unread, _ = place(zip_of({"a/1.png": bytes(archive.MOST_PICTURE_BYTES + 1), "a/2.png": b"x"}))
    assert unread == {"a/1.png": "expected at most 20 MB; got more"}


def test_millions_of_entries_are_counted_and_not_read(place, monkeypatch):
    entry = b"PK\x01\x02" + b"\0" * 42
    count = zip_file.ENTRIES + 1
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, count * len(entry), 10, 0)
    monkeypatch.setattr(zip_file.zipfile, "ZipFile", None)
    with pytest.raises(InputError, match="expected a zip of at most 100,000 files; got more"):
        place(b"PK\x03\x04" + b"\0" * 6 + entry * count + end)


def test_a_table_and_arrays_are_taken_as_they_are(place, tmp_path):
    assert place(bars_csv()) == ({}, ["images.csv"])
    packed = io.BytesIO()
    np.savez(packed, x_train=np.zeros(3), y_train=np.zeros(3))
    (tmp_path / "files").rename(tmp_path / "first")
    assert place(packed.getvalue()) == ({}, ["images.npz"])


def test_a_full_disk_is_no_fault_of_the_zip(place, monkeypatch):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode="r": Full() if mode == "xb" else opened(self, mode))
    with pytest.raises(OSError, match="No space"):
        place(zip_of({"a/1.png": b"x"}))


def test_a_zip_holds_ten_times_its_size_and_some_more(place, monkeypatch):
    monkeypatch.setattr(archive, "FREE_BYTES", 1 << 20)
    with pytest.raises(InputError, match="expected at most 1 MB in all files; got more"):
        place(zip_of({f"{n}.csv": bytes(1 << 20) for n in range(4)}, zipfile.ZIP_DEFLATED))


def test_paths_of_thousands_of_characters_are_left_out_and_named_in_short(place):
    unread, found = place(zip_of({"a/" * 3000 + "1.png": b"x", "a/1.png": png()}))
    assert (list(unread.values()), found) == (["its name is too long"], ["a/1.png"])
    assert max(map(len, unread)) < 100
