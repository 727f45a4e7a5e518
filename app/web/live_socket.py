"""The parts of a live stream over a web socket: beats, slow readers, the end, and the codes that close it."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from app.errors import Message
from app.runs.log.subscriber import SlowReaderError
from app.web.errors import close_reason

NORMAL, REFUSED, SERVICE_RESTART, TRY_AGAIN_LATER = 1000, 1008, 1012, 1013
"""Close codes, RFC 6455 section 7.4 and its registry."""

BEAT = '{"type":"beat"}'
BEAT_SECONDS = 3.0
"""The time between beats."""
STALL_SECONDS = 10.0
"""The longest time for which a reader may take nothing."""
CLOSE_TIMEOUT_SECONDS = 30.0
"""The longest wait for a reader that takes nothing, to tell it why it is dropped."""


async def send_text(socket: WebSocket, text: str) -> None:
    """Send a message. Raises SlowReaderError where the reader does not take it in time."""
    try:
        async with asyncio.timeout(STALL_SECONDS):
            await socket.send_text(text)
    except TimeoutError:
        raise SlowReaderError("the client read nothing for {seconds} s", seconds=f"{STALL_SECONDS:g}") from None


async def send_until(socket: WebSocket, sending: Coroutine[Any, Any, None], *ends: Coroutine[Any, Any, object]) -> bool:
    """Run `sending` with beats until it ends, one of `ends` does, or the reader leaves; raises what ended it raises.

    Returns True where the reader is still there and everything was sent.
    """
    work: Sequence[asyncio.Task[Any]] = [asyncio.create_task(one) for one in (sending, *ends)]
    left = asyncio.create_task(_left(socket))
    tasks = (*work, left, asyncio.create_task(_beat(socket)))
    try:
        await asyncio.wait((*work, left), return_when=asyncio.FIRST_COMPLETED)
        if left.done():
            return False
        for task in reversed(work):  # what ended it early says why
            if task.done():
                task.result()
        return work[0].done()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # asyncio warns of errors that nobody looked at


async def close_slow(socket: WebSocket, error: SlowReaderError) -> None:
    """Tell a reader that takes nothing why it is dropped, if it listens."""
    with suppress(TimeoutError, WebSocketDisconnect):
        async with asyncio.timeout(CLOSE_TIMEOUT_SECONDS):
            await socket.close(TRY_AGAIN_LATER, close_reason(socket, error.message))


async def refuse(socket: WebSocket, message: Message) -> None:
    """Close a socket that is not to come back."""
    await socket.close(REFUSED, close_reason(socket, message))


async def _left(socket: WebSocket) -> None:
    """Return when the reader has left; what it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _beat(socket: WebSocket) -> None:
    """Say something every few seconds, so that a reader knows a silent connection from one that a proxy swallows."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        await send_text(socket, BEAT)
