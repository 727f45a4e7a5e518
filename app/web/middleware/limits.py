"""Limits on what requests may take of the server: each is checked before the memory is spent."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import LimitError, QueueFullError
from app.runs.log.event_log import EventLog

MEGABYTE = 2**20

BODIES_LIMIT = 64 * MEGABYTE
"""Bytes of all bodies that are held at one time; JSON takes up to twenty times as much once it is parsed."""

BODY_SECONDS = 60.0
"""The longest time for a body to arrive."""

DRAINED = 16 * MEGABYTE
"""Bytes of a body over its limit that are read and dropped, so that a client that still sends can read the answer."""

UPLOADS = 4
"""Uploads of data sets that are received and looked through at one time; they are not held in memory."""

SOCKETS = 2000
"""Web sockets that are open at one time."""

HELD = "digitpad.held"
"""Where a request's scope has the `BodyReservation` of its body, if the server counts them."""

QUEUED_RUNS = 100
"""Runs that wait at one time."""


class Capacity:
    """The room that one server has left. Belongs to one event loop."""

    def __init__(self, *, bodies: int = BODIES_LIMIT, sockets: int = SOCKETS, uploads: int = UPLOADS) -> None:
        self.bodies, self.sockets, self.uploads = bodies, sockets, uploads

    @contextmanager
    def receive_upload(self) -> Iterator[None]:
        """Take the room of one upload. Raises LimitError."""
        if self.uploads <= 0:
            raise LimitError("too many uploads at once; try again in a moment", retry_after=10)
        self.uploads -= 1
        try:
            yield
        finally:
            self.uploads += 1


class BodyReservation:
    """The bytes that one request holds of the room for bodies."""

    __slots__ = ("_bytes", "_room")

    def __init__(self, room: Capacity) -> None:
        self._room, self._bytes = room, 0

    def take(self, count: int) -> None:
        """Hold `count` bytes more. Raises LimitError."""
        if count > self._room.bodies:
            raise LimitError("too many or too large requests at once; try again in a moment", retry_after=1)
        self._room.bodies -= count
        self._bytes += count

    def release(self) -> None:
        """Give back what is held."""
        self._room.bodies += self._bytes
        self._bytes = 0


def check_queue(log: EventLog, count: int = 1) -> None:
    """Raise QueueFullError where no `count` more runs may wait."""
    waiting = log.waiting()
    if waiting + count > QUEUED_RUNS:
        raise QueueFullError(
            "expected at most {most} waiting runs; {count} are waiting: cancel some, or try again later",
            most=QUEUED_RUNS,
            count=waiting,
            retry_after=60,
        )
