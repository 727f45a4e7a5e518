"""The compressed form of Unix's `compress`: LZW in codes of 9 to 16 bits.

T. A. Welch, "A technique for high-performance data compression", Computer 17 (6), 1984; the header and the order of the
bits are those of compress(1). The output is bounded, as a megabyte can hold gigabytes.
"""

from app.errors import InputError

_MAGIC = b"\x1f\x9d"
_CLEAR = 256
_FIRST_BITS, _LAST_BITS = 9, 16


def decompress(data: bytes, most: int) -> bytes:
    """Unpack data to at most `most` bytes. Raises ValueError if they are damaged or unpack to more."""
    if len(data) < 3 or not data.startswith(_MAGIC) or not _FIRST_BITS <= data[2] & 0x1F <= _LAST_BITS:
        raise _damaged()
    last_bits, has_clear = max(data[2] & 0x1F, 10), bool(data[2] & 0x80)  # compress(1) takes 9 for 10
    table = [bytes([value]) for value in range(256)] + [b""] * has_clear
    output, before = bytearray(), b""
    bits, begin, place = _FIRST_BITS, 24, 24  # the first bit of the codes of this width, and that of the next code
    while place + bits <= 8 * len(data):
        code = int.from_bytes(data[place >> 3 : (place >> 3) + 4], "little") >> (place & 7) & (1 << bits) - 1
        place += bits
        is_clear = has_clear and code == _CLEAR
        if is_clear:
            del table[_CLEAR + 1 :]
            before = b""
        else:
            entry = table[code] if code < len(table) else before + before[:1]
            if not entry or code > len(table):
                raise _damaged()
            output += entry
            if len(output) > most:
                raise InputError("expected at most {most} bytes; got more", most=f"{most:,}")
            if before and len(table) < 1 << last_bits:
                table.append(before + entry[:1])
            before = entry
        width = _FIRST_BITS if is_clear else bits + (len(table) >= 1 << bits and bits < last_bits)
        if is_clear or width != bits:  # codes of one width come in groups of eight
            place += -(place - begin) % (8 * bits)
            bits, begin = width, place
    return bytes(output)


def _damaged() -> InputError:
    return InputError("expected data in Unix's compressed form; got a damaged file")
