"""Live events: all readers of a run share one poll of the database."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from app.errors import MessageError, localized
from app.runs.log.event_log import EventLog, Look, UnknownRunError
from app.runs.log.state import ENDED, RunState
from app.runs.log.views import results

POLL_SECONDS, SERVER_POLL_SECONDS = 0.05, 0.25
"""The interval of looks at the database, and at one that is a server."""
PAGE = 1000
"""Events read at a time."""
BACKLOG = 1000
"""The most messages waiting for a reader; a slower reader is dropped."""


class StreamMessage(NamedTuple):
    """A message to readers, as JSON: an event with its `seq`, or another message with None."""

    seq: int | None
    text: str
    content: Mapping[str, Any]
    """The content of `text`, which may have translatable messages."""

    def localized(self, gettext: Callable[[str], str]) -> str:
        """The text in the language of `gettext`."""
        if self.content["type"] not in _TRANSLATABLE:
            return self.text
        return message(localized(self.content, gettext)).text


_TRANSLATABLE = frozenset({"failed", "cancelled", "hello", "queue", "run"})
"""The types of messages with translatable texts."""


def message(content: Mapping[str, Any]) -> StreamMessage:
    """The message with `content`."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return StreamMessage(content.get("seq"), text, content)


def _row_message(row: Mapping[str, Any]) -> StreamMessage:
    return message({"type": "run", "run": row})


def _queue_message(fault: str | None, ahead: list[int]) -> StreamMessage:
    return message({"type": "queue", "fault": fault, "ahead": ahead})


async def read_events(log: EventLog, run: int, after: int, last: int) -> AsyncIterator[dict[str, Any]]:
    """The events of `run` from `seq` `after` + 1 to `last`, all of which are committed.

    Raises UnknownRunError if the run was deleted in the meantime.
    """
    while after < last:
        events = await asyncio.to_thread(log.events, run, after=after, limit=min(PAGE, last - after))
        if not events:
            raise UnknownRunError("there is no run {run}", run=run)
        for event in events:
            yield event
        after = events[-1]["seq"]


class SlowReaderError(MessageError):
    """The reader was too slow; it may reconnect with its last `seq`."""

    code = "slow_reader"


class Broadcaster:
    """Follows runs for a server's readers; bound to one event loop."""

    def __init__(self, log: EventLog, fault: Callable[[], str | None] = lambda: None) -> None:
        """`fault` returns the current problem of the queue, or None."""
        self._log, self._fault = log, fault
        self._tail = _Tail(log)
        self._watches: dict[int, _Watch] = {}

    @asynccontextmanager
    async def follow(self, run: int) -> AsyncIterator["Subscriber"]:
        """A reader that gets the run's current row, and then all changes.

        The events that a row counts precede it, except those of the first row: the reader can read them from the log,
        and may get some of them twice.
        """
        watch = self._watches.get(run)
        if watch is None or watch.over:
            watch = self._watches[run] = _Watch(self._log, run, self._fault, self._tail)
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
        """The followed runs, and the last `seq` of each that was delivered."""
        return {run: watch.seq for run, watch in self._watches.items() if watch.row is not None}

    def backlog(self) -> int:
        """The number of messages waiting for the slowest reader."""
        return max((reader.waiting for watch in self._watches.values() for reader in watch.readers), default=0)

    async def close(self) -> None:
        """Stop following all runs."""
        for watch in list(self._watches.values()):
            await watch.close()


class Subscriber:
    """A reader's queue of messages; `None` is the end."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[StreamMessage | None] = asyncio.Queue(BACKLOG)
        self._failure: Exception | None = None
        self.failed = asyncio.Event()

    def __aiter__(self) -> "Subscriber":
        return self

    @property
    def waiting(self) -> int:
        """The number of messages in the queue."""
        return self._queue.qsize()

    async def __anext__(self) -> StreamMessage:
        """The next message. Raises SlowReaderError, or the error that stopped the polling."""
        if self._failure is not None:
            raise self._failure
        item = await self._queue.get()
        if self._failure is not None:
            raise self._failure
        if item is None:
            raise StopAsyncIteration
        return item

    def put(self, item: StreamMessage | None) -> None:
        if self._failure is not None:
            return
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            self.fail(SlowReaderError("the client did not keep up"))

    def fail(self, failure: Exception) -> None:
        """Let the reader raise this error next; drop its waiting messages."""
        self._failure = failure
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)
        self.failed.set()


class _Tail:
    """Looks at all followed runs at once, so that many cost no more than one."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._asked: set[int] = set()
        self._next: asyncio.Task[dict[int, Look]] | None = None

    async def look(self, run: int) -> Look:
        """Look at a run at the next time. Raises UnknownRunError, and the database's errors."""
        self._asked.add(run)
        if self._next is None:
            self._next = asyncio.create_task(self._wait_and_look())
            self._next.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may be left
        found = (await asyncio.shield(self._next)).get(run)
        if found is None:
            raise UnknownRunError("there is no run {run}", run=run)
        return found

    async def _wait_and_look(self) -> dict[int, Look]:
        await asyncio.sleep(SERVER_POLL_SECONDS if self._log.is_remote else POLL_SECONDS)
        asked, self._asked, self._next = self._asked, set(), None
        return await asyncio.to_thread(self._log.look, asked)


class _Watch:
    """Follows a run, and delivers changes to its readers."""

    def __init__(self, log: EventLog, run: int, fault: Callable[[], str | None], tail: _Tail) -> None:
        self.readers: set[Subscriber] = set()
        self.row: dict[str, Any] | None = None
        """The run's current row, for new readers; others get the events that it counts first."""
        self.seq = 0
        """The `seq` of the last event that was delivered, or that existed before the first poll."""
        self._log, self._run, self._fault, self._tail = log, run, fault, tail
        self._queue: tuple[str | None, list[int]] = (None, [])
        """The fault of the queue, and the runs ahead, as last said."""
        self._task = asyncio.create_task(self._poll())

    @property
    def over(self) -> bool:
        return self._task.done()

    def add(self, reader: Subscriber) -> None:
        self.readers.add(reader)
        if self.row is not None:
            reader.put(_row_message(self.row))
        if self._queue != (None, []):
            reader.put(_queue_message(*self._queue))

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))  # raises only the cancellation of the caller

    async def _poll(self) -> None:
        try:
            row = self.row = await asyncio.to_thread(self._log.run, self._run)
            self.seq = row["last_seq"]
            self._send(_row_message(row))
            while row["state"] not in ENDED:
                status, ahead = await self._tail.look(self._run)
                changed = {name for name, value in status.items() if value != row[name]}
                row = self.row = {**row, **status}
                if changed == {"progress"}:
                    self._send(message({"type": "progress", "data": row["progress"]}))
                elif changed:
                    async for event in read_events(self._log, self._run, self.seq, row["last_seq"]):
                        self._send(message(event))
                        self.seq = event["seq"]
                        row |= results(event["type"], event["data"])
                    self._send(_row_message(row))
                queue = (self._fault(), ahead) if row["state"] == RunState.QUEUED else (None, [])
                if queue != self._queue and row["state"] not in ENDED:
                    self._queue = queue
                    self._send(_queue_message(*queue))
            self._send(None)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # readers must get every error
            for reader in list(self.readers):
                reader.fail(error)

    def _send(self, item: StreamMessage | None) -> None:
        for reader in list(self.readers):
            reader.put(item)
