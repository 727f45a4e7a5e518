"""Reading a request's body: bounded, and with errors that say what was expected."""

import asyncio
import gc
import json
import zlib
from codecs import BOM_UTF8
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from app.errors import RequestError
from app.i18n.pydantic_errors import json_message
from app.web.middleware.limits import BODY_SECONDS, DRAINED, HELD, MEGABYTE, BodyReservation

BODY_LIMIT = 8 * MEGABYTE
"""Bytes of one request's body."""

FILE_LIMIT = 200 * MEGABYTE
"""Bytes of a body that is written to the disk as it comes."""

PARTS = 20
"""Fields, and files, of one form."""

LONGEST_LENGTH = 12
"""Digits of a Content-Length, beyond which it is not even read."""

GZIP = ("gzip", "x-gzip")
_GZIP_BITS = 16 + zlib.MAX_WBITS
"""For zlib: the largest window, in gzip's own format."""


async def read_body(request: Request) -> bytes:
    """The whole body, unpacked; 413 as soon as it is known to be over the limit, 408 where it does not come, 415 where
    it is packed otherwise than with gzip.
    """
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in (*GZIP, "identity", ""):
        raise RequestError(
            415,
            "expected a body with the Content-Encoding gzip, or with none; got {coding}",
            coding=repr(coding[:80]),
            headers={"accept-encoding": "gzip, identity"},
        )
    held: BodyReservation | None = request.scope.get(HELD)
    body = await _receive(request, held)
    return await _unpack(body, held) if coding in GZIP else body


async def _receive(request: Request, held: BodyReservation | None) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            if _declares_more(request, BODY_LIMIT):
                await _drain(request)
                raise _too_large(BODY_LIMIT)
            message = await request.receive()
            if not message.get("more_body", False):
                return _take(message, held, 0)
            body = bytearray()
            while True:
                try:
                    body += _take(message, held, len(body))
                except RequestError:
                    body.clear()
                    if message.get("more_body", False):
                        await _drain(request)
                    raise
                if not message.get("more_body", False):
                    return bytes(body)
                message = await request.receive()
    except TimeoutError:
        raise RequestError(
            408,
            "expected the whole body within {seconds} s; it did not arrive",
            seconds=f"{BODY_SECONDS:g}",
            headers={"connection": "close"},
        ) from None


async def save_body(request: Request, path: Path) -> None:
    """Write the body to a new file as it comes; 413 as soon as it is known to be over `FILE_LIMIT`, 408 where nothing
    comes, 415 where it is packed or a form. Raises OSError.
    """
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in ("identity", ""):
        raise RequestError(415, "expected a body without Content-Encoding; got {coding}", coding=repr(coding[:80]))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        raise RequestError(
            415, "expected the file itself as the body, as of `curl -T FILE`; got {type}", type=kind[:80]
        )
    if _declares_more(request, FILE_LIMIT):
        await _drain(request)
        raise _too_large(FILE_LIMIT)
    size, is_complete = 0, False
    with path.open("xb") as file:
        while not is_complete:
            piece = bytearray()
            while len(piece) < MEGABYTE and not is_complete:
                try:
                    message = await asyncio.wait_for(request.receive(), BODY_SECONDS)
                except TimeoutError:
                    raise RequestError(
                        408,
                        "expected more of the body within {seconds} s; nothing arrived",
                        seconds=f"{BODY_SECONDS:g}",
                        headers={"connection": "close"},
                    ) from None
                piece += _content(message)
                is_complete = not message.get("more_body", False)
            size += len(piece)
            if size > FILE_LIMIT:
                if not is_complete:
                    await _drain(request)
                raise _too_large(FILE_LIMIT)
            await run_in_threadpool(file.write, piece)


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[FormData]:
    """The fields and files of a multipart body, gone at the end; 400 where it cannot be parsed."""
    body = await read_body(request)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request(request.scope, receive).form(max_files=PARTS, max_fields=PARTS, max_part_size=BODY_LIMIT)
    except HTTPException:
        raise RequestError(
            400,
            "expected multipart/form-data with its boundary, and at most {parts} fields and {parts} files; "
            "got a form that cannot be read",
            parts=PARTS,
        ) from None
    try:
        yield form
    finally:
        await form.close()


def parse_json(body: bytes) -> Any:
    """`body` as JSON, without NaN and infinity, which JSON does not have; 422 where it is not.

    A byte order mark is passed over, as RFC 8259 (section 8.1) allows.
    """
    if not body.strip():
        raise RequestError(422, "expected JSON in the body; got nothing")
    try:
        with _without_collection():
            return from_json(body.removeprefix(BOM_UTF8), allow_inf_nan=False)
    except ValueError as error:
        encoding = json.detect_encoding(body)
        if encoding.startswith(("utf-16", "utf-32")) and body.decode(encoding, "replace").lstrip()[:1] in ("{", "["):
            raise RequestError(
                422, "expected JSON in UTF-8; got it in {encoding}", encoding=encoding[:6].upper()
            ) from None
        raise RequestError(422, json_message(str(error))) from None


@contextmanager
def _without_collection() -> Iterator[None]:
    """Parse without the search for cycles, which JSON does not have: before Python 3.12 it begins again and again while
    the lists of a large body are made, for eight times as long as that takes.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


async def _unpack(body: bytes, held: BodyReservation | None) -> bytes:
    """The content of a gzip body: each megabyte is counted before the next is unpacked."""
    unpacking, rest, content = zlib.decompressobj(_GZIP_BITS), body, bytearray()
    while not unpacking.eof:
        try:
            part = await run_in_threadpool(unpacking.decompress, rest, MEGABYTE)
        except zlib.error:
            part = b""
        if not part and not unpacking.eof:
            raise RequestError(
                400, "expected a body packed with gzip, as its Content-Encoding says; got a damaged or another one"
            )
        if len(content) + len(part) > BODY_LIMIT:
            raise _too_large(BODY_LIMIT)
        if held is not None:
            held.take(len(part))
        content += part
        rest = unpacking.unconsumed_tail
    if unpacking.unused_data:
        raise RequestError(400, "expected a body packed with gzip in one piece; got more after its end")
    return bytes(content)


def _take(message: Message, held: BodyReservation | None, size: int) -> bytes:
    """The bytes of a message, counted; `size` came before it."""
    chunk = _content(message)
    if size + len(chunk) > BODY_LIMIT:
        raise _too_large(BODY_LIMIT)
    if held is not None:
        held.take(len(chunk))
    return chunk


def _content(message: Message) -> bytes:
    if message["type"] != "http.request":
        raise RequestError(400, "expected the whole body; the connection ended before it arrived")
    content: bytes = message.get("body", b"")
    return content


def _declares_more(request: Request, most: int) -> bool:
    declared = request.headers.get("content-length", "0")
    return declared.isascii() and declared.isdecimal() and (len(declared) > LONGEST_LENGTH or int(declared) > most)


async def _drain(request: Request) -> None:
    """Read on and drop it: most clients send all before they read, and would not see why they were cut off.

    One that asked whether it should send (`Expect: 100-continue`) waits for the answer and sends nothing.
    """
    left = DRAINED if "expect" not in request.headers else 0
    while left > 0:
        message = await request.receive()
        if not message.get("more_body", False):
            return
        left -= len(message.get("body", b""))


def _too_large(most: int) -> RequestError:
    return RequestError(
        413,
        "expected a body of at most {most} MB; got more",
        most=most // MEGABYTE,
        headers={"connection": "close"},
    )
