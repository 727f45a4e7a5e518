"""Zips from elsewhere: read in bounded pieces, or refused in words that name the file."""

import io
import tracemalloc
import zipfile
from contextlib import suppress

import pytest

from app.errors import InputError
from app.storage.zip_file import open_zip, read_entry, read_pieces


def packed(content=b"digit", method=zipfile.ZIP_DEFLATED, name="a.bin"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def read(data, most=1000, **options):
    with open_zip(io.BytesIO(data), **options) as archive:
        return read_entry(archive, archive.infolist()[0], most)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_stored_and_deflated_files_are_read(method):
    assert read(packed(method=method)) == b"digit"


@pytest.mark.parametrize(("method", "name"), [(zipfile.ZIP_BZIP2, "bzip2"), (zipfile.ZIP_LZMA, "LZMA")])
def test_other_methods_are_refused_before_anything_is_unpacked(method, name):
    data = packed(bytes(50 << 20), method)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=f"^a.bin: expected a zip packed with Deflate; got {name}: pack it again$"):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def with_flags(data, flags):
    data = bytearray(data)
    data[6] |= flags
    data[data.index(b"PK\x01\x02") + 8] |= flags
    return bytes(data)


def test_an_encrypted_file_is_refused():
    with pytest.raises(InputError, match="a zip without a password; got an encrypted file"):
        read(with_flags(packed(), 1))


def test_more_than_asked_for_is_refused_whatever_the_header_says():
    data = bytearray(packed(bytes(10**7)))
    with pytest.raises(InputError, match="at most 1,000 bytes; got more"):
        read(data)
    for place in (data.index(b"PK\x03\x04") + 22, data.index(b"PK\x01\x02") + 24):
        data[place : place + 4] = (5).to_bytes(4, "little")  # the size that it says to have
    with pytest.raises(InputError):
        read(data)


def test_more_files_than_expected_are_refused_before_they_are_listed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for index in range(12):
            archive.writestr(f"{index}", b"")
    with pytest.raises(InputError, match="expected a zip of at most 11 files; got more"):
        read(file.getvalue(), entries=11)
    assert read(file.getvalue(), entries=12) == b""


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"digit" * 100, packed()[:-30], packed()[40:]],
    ids=["empty", "short", "text", "no end", "no beginning"],  # the bytes hold the time
)
def test_what_is_no_zip_is_said_to_be_damaged(data):
    with pytest.raises(InputError, match="expected a complete zip file; got one that is damaged, or another file"):
        read(data)


def test_a_damaged_file_in_a_zip_is_named_damaged_however_it_is_damaged():
    sound = packed(bytes(range(256)) * 20)
    for place in range(30, len(sound) - 22, 3):
        data = bytearray(sound)
        data[place] ^= 0xFF
        with suppress(InputError):
            assert read(data, most=10**5) == bytes(range(256)) * 20


def test_a_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError), open_zip(tmp_path / "none.zip"):
        pass


def test_a_file_comes_in_pieces_and_a_damaged_one_is_refused():
    content = bytes(range(256)) * 1000
    with open_zip(io.BytesIO(packed(content, zipfile.ZIP_STORED))) as archive:
        pieces = list(read_pieces(archive, archive.infolist()[0]))
    assert b"".join(pieces) == content
    assert len(pieces) > 1
    damaged = bytearray(packed(content, zipfile.ZIP_STORED))
    damaged[1000] ^= 1
    with open_zip(io.BytesIO(damaged)) as archive, pytest.raises(InputError, match="expected a complete zip file"):
        list(read_pieces(archive, archive.infolist()[0]))


def test_an_error_of_the_disk_is_no_fault_of_the_zip():
    with pytest.raises(OSError, match="No space left"), open_zip(io.BytesIO(packed())):
        raise OSError(28, "No space left on device")
