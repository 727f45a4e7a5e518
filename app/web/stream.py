"""The log of a run, live: hello, the backlog, then every event as it is committed."""

import asyncio

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.runs.log import Log, UnknownRunError
from app.runs.states import ENDED
from app.runs.tail import Reader, SlowReaderError
from app.web.state import services

router = APIRouter()

NORMAL, REFUSED, TRY_AGAIN_LATER = 1000, 1008, 1013
"""Close codes, RFC 6455 section 7.4 and its registry."""


@router.websocket("/api/runs/{run}/stream")
async def stream(socket: WebSocket, run: str) -> None:
    """Send what `run` says after `seq` `after`, from the log and then live; close with 1000 after the last event."""
    state = services(socket)
    after = socket.query_params.get("after", "0")
    await socket.accept()
    if not run.isdecimal() or not after.isdecimal() or len(run) > 10 or len(after) > 10:
        await socket.close(REFUSED, "expected whole numbers for the run and for after")
        return
    try:
        async with state.tail.follow(int(run)) as reader:
            sending = asyncio.create_task(_send(socket, state.log, reader, int(run), int(after)))
            leaving = asyncio.create_task(_left(socket))
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            leaving.cancel()
            if not sending.done():
                sending.cancel()
                return
            await sending
        await socket.close(NORMAL)
    except UnknownRunError as error:
        await socket.close(REFUSED, str(error))
    except SlowReaderError as error:
        await socket.close(TRY_AGAIN_LATER, str(error))
    except WebSocketDisconnect:
        """The reader left."""


async def _left(socket: WebSocket) -> None:
    """Return when the reader has left; what it says is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _send(socket: WebSocket, log: Log, reader: Reader, run: int, after: int) -> None:
    row = await run_in_threadpool(log.run, run)
    await socket.send_json({"type": "hello", "log": log.id, "state": row["state"], "last_seq": row["last_seq"]})
    seq = after
    while seq < row["last_seq"]:
        events = await run_in_threadpool(log.events, run, after=seq)
        for event in events:
            await socket.send_json(event)
        if not events:  # it was deleted meanwhile
            return
        seq = events[-1]["seq"]
    if row["state"] in ENDED:
        return
    if row["progress"] is not None:
        await socket.send_json({"type": "progress", "data": row["progress"]})
    async for message in reader:
        if message.get("seq", seq + 1) > seq:
            await socket.send_json(message)
            seq = message.get("seq", seq)
