"""The sets of drawings, live: all readers of a server share one look at the folder, whoever writes to it."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress

from app.data.drawings.index import SETTLED_NS
from app.data.drawings.store import DrawingSet, DrawingStore

POLL_SECONDS = 0.3


class DrawingSetsWatch:
    """Watches a store while it has readers; bound to one event loop."""

    def __init__(self, store: DrawingStore) -> None:
        self._store = store
        self._readers = 0
        self._task: asyncio.Task[None] | None = None
        self._sets: list[DrawingSet] | None = None
        self._changed = asyncio.Event()

    async def follow(self) -> AsyncGenerator[list[DrawingSet], None]:
        """Yield the sets, now and whenever one has changed; changes that come too quickly for the reader are joined.

        Raises OSError where the folder cannot be read. Close the iterator (`contextlib.aclosing`).
        """
        self._readers += 1
        if self._task is None or self._task.done():
            self._sets, self._task = None, asyncio.create_task(self._poll())
        task, shown = self._task, None
        try:
            while True:
                changed = self._changed
                if self._sets is not None and self._sets is not shown:
                    shown = self._sets
                    yield shown
                elif task.done():
                    task.result()
                    return
                else:
                    await changed.wait()
        finally:
            self._readers -= 1
            if not self._readers:
                await self.close()

    async def close(self) -> None:
        """End the watch; the readers end with it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait((task,))

    async def _poll(self) -> None:
        stamp: dict[str, int] = {}
        settled = False
        with suppress(asyncio.CancelledError):
            try:
                while True:
                    latest = await asyncio.to_thread(self._store.stamp)
                    if latest != stamp or not settled:
                        now = time.time_ns()
                        sets = await asyncio.to_thread(self._store.sets)
                        stamp, settled = latest, all(now - changed > SETTLED_NS for changed in latest.values())
                        if sets != self._sets:
                            self._sets = sets
                            self._notify()
                    await asyncio.sleep(POLL_SECONDS)
            finally:
                self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
