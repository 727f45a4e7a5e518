"""Reading a request's body: bounded, and with errors that say what was expected."""

from typing import Any

from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

BODY_LIMIT = 8 * 1024 * 1024


async def read_body(request: Request) -> bytes:
    """The whole body; 413 as soon as it is known to be over the limit."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > BODY_LIMIT:
        raise _too_large()
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise _too_large()
    except ClientDisconnect:
        raise HTTPException(400, "expected the whole body; the connection ended before it came") from None
    return bytes(body)


async def read_json(request: Request) -> Any:
    """The body as JSON; 422 where it is not."""
    return parse_json(await read_body(request))


def parse_json(body: bytes) -> Any:
    """`body` as JSON, without NaN and infinity, which JSON does not have; 422 where it is not."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise HTTPException(422, f"expected JSON; {error}") from None


def _too_large() -> HTTPException:
    return HTTPException(413, f"expected a body of at most {BODY_LIMIT // 2**20} MB; got more")
