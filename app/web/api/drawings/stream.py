"""The counts of the sets of drawings, live."""

import asyncio
import json
import logging
from collections.abc import Coroutine, Sequence
from contextlib import aclosing, suppress
from typing import Any

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.data.drawings.drawing import check_set_name
from app.data.drawings.store import DrawingSet
from app.errors import InputError, Message
from app.runs.log.subscriber import SlowReaderError
from app.web.api.drawings.drawings import details
from app.web.dependencies import DrawingSetsWatchDep, InvitationsDep
from app.web.drawing_sets_watch import DrawingSetsWatch
from app.web.errors import close_reason
from app.web.invitations import INVITATION_ENDED, SCOPE_KEY, Invitations
from app.web.live_socket import SERVICE_RESTART, TRY_AGAIN_LATER, close_slow, refuse, send_text, send_until

router = APIRouter()
INVITATION_CHECK_SECONDS = 1.0

logger = logging.getLogger("digitpad")


@router.websocket("/api/drawings/stream")
async def stream_all(socket: WebSocket, watch: DrawingSetsWatchDep) -> None:
    """Send `{"type": "sets", "sets": [...]}`, each set as `GET /api/drawings/sets/{name}` gives it, now and whenever
    one of them changes, whichever process changed it. A message of the type `beat` comes every 3 seconds.
    """
    await _stream(socket, watch, None)


@router.websocket("/api/drawings/sets/{name}/stream")
async def stream_set(socket: WebSocket, watch: DrawingSetsWatchDep, invitations: InvitationsDep, name: str) -> None:
    """Send the same of one set, which has no drawings and no labels once it is removed. A socket that an invitation has
    opened closes with it.
    """
    keys = socket.scope.get(SCOPE_KEY)
    await _stream(socket, watch, name, *(() if keys is None else (_end_of_invitation(invitations, name, keys),)))


async def _end_of_invitation(invitations: Invitations, name: str, keys: list[str]) -> None:
    """Raise InputError when the invitation has ended."""
    while True:
        await asyncio.sleep(INVITATION_CHECK_SECONDS)
        with suppress(OSError):  # it is asked again
            if not await asyncio.to_thread(invitations.holds, name, keys):
                raise InputError(INVITATION_ENDED)


async def _stream(
    socket: WebSocket, watch: DrawingSetsWatch, name: str | None, *ends: Coroutine[Any, Any, None]
) -> None:
    await socket.accept()
    try:
        if name is not None:
            check_set_name(name)
        if await send_until(socket, _send(socket, watch, name), *ends):
            await socket.close(SERVICE_RESTART)
    except InputError as error:
        await refuse(socket, error.message)
    except SlowReaderError as error:
        await close_slow(socket, error)
    except WebSocketDisconnect:
        """The reader left."""
    except OSError as error:
        logger.error("the drawings cannot be read: %s", error.strerror)
        away = Message("the drawings cannot be read; try again in a moment")
        await socket.close(TRY_AGAIN_LATER, close_reason(socket, away))


async def _send(socket: WebSocket, watch: DrawingSetsWatch, name: str | None) -> None:
    latest: Sequence[DrawingSet] | None = None
    async with aclosing(watch.follow()) as changes:
        async for sets in changes:
            found: Sequence[DrawingSet] = sets
            if name is not None:
                found = [one for one in sets if one.name == name] or [DrawingSet(name, 0, {}, [])]
            if found != latest:
                latest = found
                told = {"type": "sets", "sets": [details(one).model_dump() for one in found]}
                await send_text(socket, json.dumps(told, ensure_ascii=False, separators=(",", ":")))
