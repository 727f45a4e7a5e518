"""Following the log live: many readers of a run share one look at the database."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from app.errors import MessageError
from app.runs.log.event_log import EventLog
from app.runs.log.state import ENDED

LOOK_SECONDS = 0.05
BACKLOG = 1000
"""Messages that wait for one reader; one that lets more pile up is dropped."""


class Message(NamedTuple):
    """What readers are told, as JSON: an event under its `seq`, or anything else under None."""

    seq: int | None
    text: str


def message(content: Mapping[str, Any]) -> Message:
    """The message that says `content`."""
    return Message(content.get("seq"), json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False))


class SlowReaderError(MessageError):
    """The reader did not keep up; it may come back with the last `seq` that it saw."""

    code = "slow_reader"


class Broadcaster:
    """Follows runs for the readers of one server; belongs to one event loop."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._watches: dict[int, _Watch] = {}

    @asynccontextmanager
    async def follow(self, run: int) -> AsyncIterator["Subscriber"]:
        """A reader of what `run` says from now on.

        What was committed before is in the log for it to read, and a part of it may come through the reader as well:
        skip a `seq` that was seen.
        """
        watch = self._watches.get(run)
        if watch is None or watch.over:
            watch = self._watches[run] = _Watch(self._log, run)
        reader = Subscriber()
        watch.readers.add(reader)
        try:
            await watch.ready.wait()
            yield reader
        finally:
            watch.readers.discard(reader)
            if not watch.readers:
                if self._watches.get(run) is watch:
                    del self._watches[run]
                await watch.close()

    def delivered(self) -> dict[int, int]:
        """The runs that are followed, and the last `seq` of each that its readers were handed."""
        return {run: watch.seq for run, watch in self._watches.items() if watch.ready.is_set()}

    def backlog(self) -> int:
        """How many messages wait for the reader that is furthest behind."""
        return max((reader.waiting for watch in self._watches.values() for reader in watch.readers), default=0)

    async def close(self) -> None:
        """Stop following."""
        for watch in list(self._watches.values()):
            await watch.close()


class Subscriber:
    """One reader's queue of messages; `None` in it is the end."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(BACKLOG)
        self._failure: Exception | None = None
        self.failed = asyncio.Event()

    def __aiter__(self) -> "Subscriber":
        return self

    @property
    def waiting(self) -> int:
        """How many messages it has not taken yet."""
        return self._queue.qsize()

    async def __anext__(self) -> Message:
        """The next message. Raises SlowReaderError, or what ended the following of the log."""
        if self._failure is not None:
            raise self._failure
        found = await self._queue.get()
        if self._failure is not None:
            raise self._failure
        if found is None:
            raise StopAsyncIteration
        return found

    def put(self, found: Message | None) -> None:
        if self._failure is not None:
            return
        try:
            self._queue.put_nowait(found)
        except asyncio.QueueFull:
            self.fail(SlowReaderError("the reader did not keep up"))

    def fail(self, failure: Exception) -> None:
        """Let the reader hear of this next; what waits for it is dropped."""
        self._failure = failure
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)
        self.failed.set()


class _Watch:
    """Looks at one run in turns, and hands what is new to its readers."""

    def __init__(self, log: EventLog, run: int) -> None:
        self.readers: set[Subscriber] = set()
        self.ready = asyncio.Event()
        self.seq = 0
        """Of the last event that was handed on, or that was there before the first look."""
        self._log, self._run = log, run
        self._task = asyncio.create_task(self._look())

    @property
    def over(self) -> bool:
        return self._task.done()

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))  # raises only what ends the one that closes it

    async def _look(self) -> None:
        try:
            status = await asyncio.to_thread(self._log.status, self._run)
            self.seq, progress = status["last_seq"] if status else 0, None
            self.ready.set()
            while True:
                # the status first: what it counts is then there to be read
                status = await asyncio.to_thread(self._log.status, self._run)
                if status is None:
                    break
                while self.seq < status["last_seq"]:
                    events = await asyncio.to_thread(self._log.events, self._run, after=self.seq)
                    for event in events:
                        self._tell(message(event))
                    if not events:
                        break
                    self.seq = events[-1]["seq"]
                if status["state"] in ENDED:
                    break
                if status["progress"] != progress:
                    progress = status["progress"]
                    self._tell(message({"type": "progress", "data": progress}))
                await asyncio.sleep(LOOK_SECONDS)
            self._tell(None)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # a reader must hear of it, whatever it is
            for reader in list(self.readers):
                reader.fail(error)
        finally:
            self.ready.set()

    def _tell(self, found: Message | None) -> None:
        for reader in list(self.readers):
            reader.put(found)
