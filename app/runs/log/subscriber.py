"""Following the log live: many readers of a run share one look at the database."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from app.errors import MessageError, localized
from app.runs.log.event_log import EventLog, UnknownRunError
from app.runs.log.state import ENDED, RunState
from app.runs.log.views import results

LOOK_SECONDS = 0.05
PAGE = 1000
"""Events that are read at a time."""
BACKLOG = 1000
"""Messages that wait for one reader; one that lets more pile up is dropped."""


class Message(NamedTuple):
    """What readers are told, as JSON: an event under its `seq`, or anything else under None."""

    seq: int | None
    text: str
    content: Mapping[str, Any]
    """What `text` says; messages of errors in it can be put into a reader's language."""

    def localized(self, gettext: Callable[[str], str]) -> str:
        """The text in the language of `gettext`."""
        if self.content["type"] not in _WORDED:
            return self.text
        return message(localized(self.content, gettext)).text


_WORDED = frozenset({"failed", "cancelled", "hello", "queue", "run"})
"""Types of what has words for people in it."""


def message(content: Mapping[str, Any]) -> Message:
    """The message that says `content`."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Message(content.get("seq"), text, content)


def _row_message(row: Mapping[str, Any]) -> Message:
    return message({"type": "run", "run": row})


def _queue_message(fault: str | None) -> Message:
    return message({"type": "queue", "fault": fault})


async def read_events(log: EventLog, run: int, after: int, last: int) -> AsyncIterator[dict[str, Any]]:
    """The events of `run` from `seq` `after` + 1 to `last`, all of which are committed.

    Raises UnknownRunError where the run was deleted meanwhile.
    """
    while after < last:
        events = await asyncio.to_thread(log.events, run, after=after, limit=min(PAGE, last - after))
        if not events:
            raise UnknownRunError("there is no run {run}", run=run)
        for event in events:
            yield event
        after = events[-1]["seq"]


class SlowReaderError(MessageError):
    """The reader did not keep up; it may come back with the last `seq` that it saw."""

    code = "slow_reader"


class Broadcaster:
    """Follows runs for the readers of one server; belongs to one event loop."""

    def __init__(self, log: EventLog, fault: Callable[[], str | None] = lambda: None) -> None:
        """`fault` tells what keeps the queue from being looked after, if anything does."""
        self._log, self._fault = log, fault
        self._watches: dict[int, _Watch] = {}

    @asynccontextmanager
    async def follow(self, run: int) -> AsyncIterator["Subscriber"]:
        """A reader that is told the run's row, as it is now, and then all that changes.

        The events that a row counts come before it, but for those that the first row counts: they are in the log for
        the reader to read, and a part of them may come through the reader as well.
        """
        watch = self._watches.get(run)
        if watch is None or watch.over:
            watch = self._watches[run] = _Watch(self._log, run, self._fault)
        reader = Subscriber()
        watch.add(reader)
        try:
            yield reader
        finally:
            watch.readers.discard(reader)
            if not watch.readers:
                if self._watches.get(run) is watch:
                    del self._watches[run]
                await watch.close()

    def delivered(self) -> dict[int, int]:
        """The runs that are followed, and the last `seq` of each that its readers were handed."""
        return {run: watch.seq for run, watch in self._watches.items() if watch.row is not None}

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
            self.fail(SlowReaderError("the client did not keep up"))

    def fail(self, failure: Exception) -> None:
        """Let the reader hear of this next; what waits for it is dropped."""
        self._failure = failure
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)
        self.failed.set()


class _Watch:
    """Looks at one run in turns, and hands what is new to its readers."""

    def __init__(self, log: EventLog, run: int, fault: Callable[[], str | None]) -> None:
        self.readers: set[Subscriber] = set()
        self.row: dict[str, Any] | None = None
        """The run's row, as a new reader is told it; the others are told the events that it counts first."""
        self.seq = 0
        """Of the last event that was handed on, or that was there before the first look."""
        self._log, self._run, self._fault = log, run, fault
        self._told_fault: str | None = None
        self._task = asyncio.create_task(self._look())

    @property
    def over(self) -> bool:
        return self._task.done()

    def add(self, reader: Subscriber) -> None:
        self.readers.add(reader)
        if self.row is not None:
            reader.put(_row_message(self.row))
        if self._told_fault is not None:
            reader.put(_queue_message(self._told_fault))

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))  # raises only what ends the one that closes it

    async def _look(self) -> None:
        try:
            row = self.row = await asyncio.to_thread(self._log.run, self._run)
            self.seq = row["last_seq"]
            self._tell(_row_message(row))
            while row["state"] not in ENDED:
                fault = self._fault() if row["state"] == RunState.QUEUED else None
                if fault != self._told_fault:
                    self._told_fault = fault
                    self._tell(_queue_message(fault))
                await asyncio.sleep(LOOK_SECONDS)
                status = await asyncio.to_thread(self._log.status, self._run)
                if status is None:
                    raise UnknownRunError("there is no run {run}", run=self._run)
                changed = {name for name, value in status.items() if value != row[name]}
                row = self.row = {**row, **status}
                if changed == {"progress"}:
                    self._tell(message({"type": "progress", "data": row["progress"]}))
                elif changed:
                    async for event in read_events(self._log, self._run, self.seq, row["last_seq"]):
                        self._tell(message(event))
                        self.seq = event["seq"]
                        row |= results(event["type"], event["data"])
                    self._tell(_row_message(row))
            self._tell(None)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # a reader must hear of it, whatever it is
            for reader in list(self.readers):
                reader.fail(error)

    def _tell(self, found: Message | None) -> None:
        for reader in list(self.readers):
            reader.put(found)
