"""The log of a run, live: hello with the row, the backlog, then every event and every change of the row."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.errors import Message
from app.runs.limits import LARGEST_INT
from app.runs.log.database import UNREACHABLE
from app.runs.log.event_log import EventLog, UnknownRunError
from app.runs.log.state import ENDED
from app.runs.log.subscriber import SlowReaderError, StreamMessage, Subscriber, message, read_events
from app.runs.log.views import brief
from app.web.dependencies import BroadcasterDep, LogDep
from app.web.errors import close_reason
from app.web.live_socket import NORMAL, TRY_AGAIN_LATER, close_slow, refuse, send_text, send_until
from app.web.preferences import catalog_of

router = APIRouter()
logger = logging.getLogger("digitpad")


@router.websocket("/api/runs/{run}/stream")
async def stream(socket: WebSocket, log: LogDep, broadcaster: BroadcasterDep, run: str) -> None:
    """Send a run's row and its events after `seq` `after`, from the log and then live; close with 1000 after the end.

    `hello` brings the row, and `run` brings it again whenever it has changed, after the events that it counts. Where
    `after` was never given by this log, or the query's `log` is another one, the message `reset` comes before the
    events, which then begin with the first. `short=true` leaves out the epochs' layers, sheets and batch losses, as of
    the events. A message of the type `beat` comes every 3 seconds.
    """
    after = socket.query_params.get("after", "0")
    await socket.accept()
    words = (run, after)
    if not all(word.isascii() and word.isdecimal() and len(word) <= 10 for word in words) or int(run) > LARGEST_INT:
        await refuse(socket, Message("expected whole numbers for the run and for after"))
        return
    name = socket.query_params.get("log", log.id)
    short = socket.query_params.get("short") == "true"
    try:
        async with broadcaster.follow(int(run)) as reader:
            sending = _send(socket, log, reader, int(run), int(after), name, short)
            if not await send_until(socket, sending, _failure(reader)):
                return
        await socket.close(NORMAL)
    except UnknownRunError as error:
        await refuse(socket, error.message)
    except SlowReaderError as error:
        await close_slow(socket, error)
    except WebSocketDisconnect:
        """The reader left."""
    except UNREACHABLE as error:
        logger.error("the log of run %s cannot be read: %s", run, error)
        away = Message("the database is busy or cannot be reached; try again in a moment")
        await socket.close(TRY_AGAIN_LATER, close_reason(socket, away))


async def _failure(reader: Subscriber) -> None:
    """Wait until the polling has failed, and raise what it failed with."""
    await reader.failed.wait()
    await anext(reader)


def _shortened(event: Mapping[str, Any]) -> StreamMessage:
    return message({**event, "data": brief(event["data"])})


async def _send(
    socket: WebSocket, log: EventLog, reader: Subscriber, run: int, after: int, of_log: str, short: bool
) -> None:
    gettext = catalog_of(socket).gettext
    row = (await anext(reader)).content["run"]
    last = row["last_seq"]
    hello = message({"type": "hello", "log": log.id, "run": row, "last_seq": last})
    await send_text(socket, hello.localized(gettext))
    if of_log != log.id or (after > last and after > await _last_seq(log, run)):  # the row may be a moment old
        after = 0
        await send_text(socket, message({"type": "reset", "log": log.id, "last_seq": last}).text)
    async for event in read_events(log, run, after, last):
        await send_text(socket, (_shortened(event) if short else message(event)).localized(gettext))
    if row["state"] in ENDED:
        return
    seen = max(after, last)
    async for found in reader:
        if found.seq is None or found.seq > seen:
            if short and found.seq is not None:
                found = _shortened(found.content)
            await send_text(socket, found.localized(gettext))


async def _last_seq(log: EventLog, run: int) -> int:
    status = await asyncio.to_thread(log.status, run)
    return 0 if status is None else int(status["last_seq"])
