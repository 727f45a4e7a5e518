import gzip
import hashlib
import struct
import tracemalloc

import numpy as np
import pytest

from app.data.sources import idx
from app.data.sources.idx import GZIP_MEMBERS, read_idx
from tests.support.idx import write_idx

CUBE = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
CUBE_BYTES = bytes.fromhex("00000803 00000002 00000003 00000004") + bytes(range(24))


def test_a_written_array_is_the_format_byte_for_byte(tmp_path):
    write_idx(tmp_path / "cube", CUBE)
    assert (tmp_path / "cube").read_bytes() == CUBE_BYTES


@pytest.mark.parametrize("compress", [False, True])
def test_what_is_written_is_read_back_with_the_hash_of_the_unpacked_bytes(tmp_path, compress):
    write_idx(tmp_path / "cube", CUBE, compress=compress)
    array, digest = read_idx(tmp_path / "cube", rank=3)
    assert np.array_equal(array, CUBE)
    assert array.dtype == np.uint8
    assert digest == hashlib.sha256(CUBE_BYTES).hexdigest()


def test_gzip_is_told_by_content_and_not_by_name(tmp_path):
    (tmp_path / "plain.gz").write_bytes(CUBE_BYTES)
    (tmp_path / "packed").write_bytes(gzip.compress(CUBE_BYTES))
    assert np.array_equal(read_idx(tmp_path / "plain.gz", rank=3)[0], CUBE)
    assert np.array_equal(read_idx(tmp_path / "packed", rank=3)[0], CUBE)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"expected an IDX header of 4 bytes; got 0"),
        (b"\x00\x00\x08", r"expected an IDX header of 4 bytes; got 3"),
        (b"\x01" + CUBE_BYTES[1:], r"begins with 0000; got 0100"),
        (b"\0\0\x0d\x03" + CUBE_BYTES[4:], r"type code 0x08; got 0x0d"),
        (b"\0\0\x08\x01" + CUBE_BYTES[4:], r"expected 3 dimensions; got 1"),
        (CUBE_BYTES[:10], r"expected 12 bytes of dimensions; got 6"),
        (CUBE_BYTES + b"\0", r"expected 24 values; got more bytes after them"),
        (CUBE_BYTES[:4] + struct.pack(">3I", 2**31, 2**31, 2**31), r"got a file too small"),
    ],
)
def test_a_malformed_file_is_refused_by_name(tmp_path, data, message, packed):
    (tmp_path / "bad").write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(ValueError, match=f"^bad: .*{message}") as error:
        read_idx(tmp_path / "bad", rank=3)
    assert str(tmp_path) not in str(error.value)


def test_a_short_file_is_refused(tmp_path):
    (tmp_path / "short").write_bytes(CUBE_BYTES[:-1])
    with pytest.raises(ValueError, match="short: expected 24 values; got"):
        read_idx(tmp_path / "short", rank=3)
    (tmp_path / "short").write_bytes(gzip.compress(CUBE_BYTES[:-1]))
    with pytest.raises(ValueError, match="short: expected 24 values; got"):
        read_idx(tmp_path / "short", rank=3)


@pytest.mark.parametrize("cut", [5, 12, -9, -1])
def test_a_gzip_file_that_is_cut_short_is_refused(tmp_path, cut):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(CUBE_BYTES)[:cut])
    with pytest.raises(ValueError, match=r"^cut\.gz: expected"):
        read_idx(tmp_path / "cut.gz", rank=3)


def test_a_gzip_file_with_a_wrong_checksum_is_refused(tmp_path):
    packed = bytearray(gzip.compress(CUBE_BYTES))
    packed[-8] ^= 1
    (tmp_path / "sum.gz").write_bytes(packed)
    with pytest.raises(ValueError, match=r"^sum\.gz: expected a complete gzip file"):
        read_idx(tmp_path / "sum.gz", rank=3)


def test_reading_holds_one_copy_of_the_data(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (8000, 28, 28), dtype=np.uint8)
    write_idx(tmp_path / "images", array, compress=True)
    tracemalloc.start()
    try:
        read_idx(tmp_path / "images", rank=3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < array.nbytes * 1.5 + 2**20


def test_dimensions_that_lie_allocate_nothing(tmp_path):
    (tmp_path / "liar").write_bytes(gzip.compress(CUBE_BYTES[:4] + struct.pack(">3I", 500, 1000, 1000)))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="too small"):
            read_idx(tmp_path / "liar", rank=3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**20


def test_a_gzip_file_of_several_parts_and_zeros_at_its_end_is_read(tmp_path):
    parts = [gzip.compress(CUBE_BYTES[:7]), gzip.compress(b""), gzip.compress(CUBE_BYTES[7:])]
    (tmp_path / "parts.gz").write_bytes(b"".join(parts) + b"\0" * 5000)
    assert np.array_equal(read_idx(tmp_path / "parts.gz", rank=3)[0], CUBE)
    (tmp_path / "parts.gz").write_bytes(b"".join(parts) + b"x")
    with pytest.raises(ValueError, match=r"^parts\.gz: expected a complete gzip file"):
        read_idx(tmp_path / "parts.gz", rank=3)


def test_a_gzip_file_of_very_many_empty_parts_is_refused(tmp_path):
    (tmp_path / "parts.gz").write_bytes(gzip.compress(b"") * (GZIP_MEMBERS + 1) + gzip.compress(CUBE_BYTES))
    with pytest.raises(ValueError, match=r"^parts\.gz: expected a complete gzip file"):
        read_idx(tmp_path / "parts.gz", rank=3)


def test_a_packed_file_holds_ten_times_its_size_and_some_more(tmp_path, monkeypatch):
    monkeypatch.setattr(idx, "FREE_BYTES", 100)
    write_idx(tmp_path / "zeros.gz", np.zeros((50, 28, 28), np.uint8), compress=True)
    with pytest.raises(ValueError, match=r"^zeros\.gz: expected 39200 values; got a file too small to hold them"):
        read_idx(tmp_path / "zeros.gz", rank=3)
