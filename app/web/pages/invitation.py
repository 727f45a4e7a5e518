"""The way of an invited person: from the code to the page that draws into one set."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.data.drawings.drawing import check_set_name
from app.errors import RequestError
from app.web import templates
from app.web.addresses import cookie_path
from app.web.dependencies import InvitationsDep, WrongCodesDep
from app.web.invitations import LIFETIME_SECONDS, cookie_name

router = APIRouter(include_in_schema=False)


@router.get("/join/{code}")
async def join(request: Request, code: str, invitations: InvitationsDep, wrong_codes: WrongCodesDep) -> Response:
    """Trade the code of an invitation for a cookie, and lead to the page of its set; wrong ones are slowed down."""
    address = request.client.host if request.client else ""
    if wrong_codes.is_full(address):
        raise RequestError(429, "too many wrong codes; try again in a moment", headers={"retry-after": "1"})
    accepted = await asyncio.to_thread(invitations.accept, code)
    if accepted is None:
        await wrong_codes.note(address)
        raise RequestError(403, "this code opens no invitation: it is mistyped, or the invitation has ended")
    name, key = accepted
    answer = RedirectResponse(f"../draw/{name}", HTTPStatus.SEE_OTHER)
    answer.set_cookie(
        cookie_name(key),
        key,
        LIFETIME_SECONDS,
        path=cookie_path(request.scope),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/draw/{name}")
def draw(request: Request, name: str) -> Response:
    """The page that draws into one set, and does nothing else."""
    context = {"active": "", "set_name": check_set_name(name)}
    return templates.render_page(request, "pages/invited.html", context, headers={"cache-control": "no-cache"})
