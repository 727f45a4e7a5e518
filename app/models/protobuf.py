"""Reading the wire format of Protocol Buffers, bounded: a message as its fields, whose meaning the caller knows.

https://protobuf.dev/programming-guides/encoding. Nothing is made of a message but views of its own bytes, so that a
file of a stranger takes no more memory than it is long.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_FIELDS = 50_000
"""Fields that are looked at in one file; a network of 200 layers has some thousand."""
VARINT_BYTES = 10
_FIXED = {1: 8, 5: 4}
_BYTES = 2


@dataclass
class Budget:
    """How many fields of a file may still be read."""

    left: int = MOST_FIELDS


@dataclass(frozen=True)
class Message:
    """One message: the fields by their number, in the order in which they came.

    A varint is an int; what has a length, and numbers of 4 and 8 bytes, are views of their bytes.
    """

    budget: Budget
    fields: dict[int, list[int | memoryview]] = field(default_factory=dict)

    @classmethod
    def read(cls, data: memoryview, budget: Budget) -> "Message":
        """Raises ValueError where the bytes are no message, or one of too many fields."""
        message = cls(budget)
        for number, value in _fields(data):
            budget.left -= 1
            if budget.left < 0:
                raise ValueError(f"expected at most {MOST_FIELDS:,} fields; got more")
            message.fields.setdefault(number, []).append(value)
        return message

    def messages(self, number: int) -> list["Message"]:
        """The messages in a field. Raises ValueError."""
        return [Message.read(view, self.budget) for view in self.views(number)]

    def views(self, number: int) -> list[memoryview]:
        """The bytes of every value of a field. Raises ValueError where it has numbers."""
        found = self.fields.get(number, [])
        if any(isinstance(value, int) for value in found):
            raise ValueError(f"expected bytes in field {number}; got a number")
        return [value for value in found if isinstance(value, memoryview)]

    def view(self, number: int) -> memoryview:
        """The bytes of the last value of a field, or none."""
        return next(reversed(self.views(number)), memoryview(b""))

    def text(self, number: int) -> str:
        """A field as text, "" where there is none."""
        return bytes(self.view(number)).decode("utf-8", "replace")

    def texts(self, number: int) -> list[str]:
        return [bytes(view).decode("utf-8", "replace") for view in self.views(number)]

    def integer(self, number: int, default: int = 0) -> int:
        """A field as a signed whole number of 64 bits. Raises ValueError where it has bytes."""
        values = self.fields.get(number)
        if not values:
            return default
        if not isinstance(values[-1], int):
            raise ValueError(f"expected a number in field {number}; got bytes")
        return signed(values[-1])

    def integers(self, number: int) -> list[int]:
        """A repeated field of whole numbers, packed or not."""
        found = []
        for value in self.fields.get(number, []):
            if isinstance(value, int):
                found.append(signed(value))
                continue
            place = 0
            while place < len(value):
                one, place = _varint(value, place)
                found.append(signed(one))
                self.budget.left -= 1
                if self.budget.left < 0:
                    raise ValueError(f"expected at most {MOST_FIELDS:,} fields and numbers; got more")
        return found


def signed(value: int) -> int:
    """A varint as the signed number of 64 bits that it stands for."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise ValueError("expected a field's number above 0")
        if kind == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if kind == _BYTES:
            length, place = _varint(data, place)
        elif kind in _FIXED:
            length = _FIXED[kind]
        else:
            raise ValueError(f"expected a known kind of field; got {kind}")
        if length > len(data) - place:
            raise ValueError("expected a whole message; it ends in the middle of a field")
        yield number, data[place : place + length]
        place += length


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    """The number that begins at `place`, and where the next begins."""
    value = 0
    for count, byte in enumerate(data[place : place + VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, place + count + 1
    raise ValueError("expected a whole message; a number in it does not end")
