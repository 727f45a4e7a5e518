"""Unix's compressed form, bounded: what `compress` writes is read, and what unpacks to too much is not."""

import re

import pytest

from app.data.sources.lzw import decompress
from tests.hostile.costs import lzw_bomb, lzw_of_one_byte

HEAD = b"\x1f\x9d\x90"


def codes(*numbers: int, bits: int = 9) -> bytes:
    value = sum(number << bits * place for place, number in enumerate(numbers))
    return value.to_bytes(-(-bits * len(numbers) // 8), "little")


def compressed(data: bytes, last_bits: int = 16) -> bytes:
    """What compress(1) makes of data, by the paper's algorithm, without a clear code."""
    table, out, group, bits, word, size = {bytes([i]): i for i in range(256)}, bytearray(), [], 9, b"", 257
    numbers = []
    for byte in data:
        if word + bytes([byte]) in table:
            word += bytes([byte])
            continue
        numbers.append(table[word])
        if len(table) + 1 < 1 << last_bits:
            table[word + bytes([byte])] = len(table) + 1
        word = bytes([byte])
    numbers.append(table[word])
    for place, number in enumerate(numbers):
        group.append(number)
        size = min(size + (place > 0), 1 << last_bits)  # of the reader's table
        if size >= 1 << bits and bits < last_bits:
            out += codes(*group, *[0] * (-len(group) % 8), bits=bits)
            group, bits = [], bits + 1
    return b"\x1f\x9d" + bytes([0x80 | last_bits]) + bytes(out + codes(*group, bits=bits))


@pytest.mark.parametrize("last_bits", [10, 12, 16])
def test_what_was_compressed_comes_back(last_bits):
    data = b"".join(b"%d %d\n" % (number % 97, number * number % 89) for number in range(20_000))
    assert decompress(compressed(data, last_bits), len(data)) == data
    with pytest.raises(ValueError, match=re.escape(f"at most {len(data) - 1:,} bytes")):
        decompress(compressed(data, last_bits), len(data) - 1)


def test_a_table_is_cleared_and_a_word_may_be_the_one_just_begun():
    assert decompress(HEAD + codes(97, 257, 258), 100) == b"aaaaaa"
    cleared = codes(97, 98, 256) + bytes(9 - 4) + codes(99, 257)  # codes come in groups of eight, in 9 bytes
    assert decompress(HEAD + cleared, 100) == b"abccc"


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\x1f", b"\x1f\x9d", b"PK\x03\x04", b"\x1f\x8b\x90abc", b"\x1f\x9d\x88abc", b"\x1f\x9d\x91abc"),
        *(HEAD + codes(256 + 1), HEAD + codes(97, 259), HEAD + codes(97, 256, 0, 0, 0, 0, 0, 0, 300), lzw_bomb()),
    ],
)
def test_what_is_damaged_is_refused(data):
    with pytest.raises(ValueError, match="got a damaged file"):
        decompress(data, 1000)


def test_a_megabyte_that_holds_gigabytes_is_refused_at_the_bound():
    assert len(lzw_of_one_byte()) == 1 << 20
    with pytest.raises(ValueError, match="at most 4,000,000 bytes"):
        decompress(lzw_of_one_byte(), 4_000_000)
