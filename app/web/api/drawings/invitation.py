"""The invitation to draw into one set."""

from datetime import UTC, datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.data.drawings.drawing import check_set_name
from app.data.drawings.store import UnknownSetError
from app.errors import RequestError
from app.settings import Settings
from app.web.addresses import with_root
from app.web.api.routing import ApiRoute, ResponseBody, errors
from app.web.dependencies import DrawingsDep, InvitationsDep, SettingsDep
from app.web.invitations import JOIN_PREFIX, Invitation, shown_code
from app.web.local_address import local_address
from app.web.middleware.authentication import needs_token
from app.web.middleware.trusted_hosts import WILDCARDS, is_loopback
from app.web.qr_code import svg_address

router = APIRouter(prefix="/api/drawings/sets/{name}/invitation", tags=["drawings"], route_class=ApiRoute)


class InvitationState(ResponseBody):
    """The invitation to a set: until when it holds (ISO 8601); null where there is none."""

    name: str
    expires: str | None


class NewInvitation(InvitationState):
    """An invitation with its address, which is told only now; `qr` is a picture of it as a `data:` address, or null
    where the server cannot draw one.
    """

    address: str
    qr: str | None


@router.get("", responses=errors(409, 422))
def find_invitation(invitations: InvitationsDep, settings: SettingsDep, name: str) -> InvitationState:
    """Return the invitation to a set, without its address; 409 where only this machine reaches the server."""
    check_set_name(name)
    _check_reachable(settings)
    return InvitationState(name=name, expires=_time(invitations.find(name)))


@router.post("", status_code=201, responses=errors(404, 409, 422, 507))
def invite(
    request: Request, invitations: InvitationsDep, store: DrawingsDep, settings: SettingsDep, name: str
) -> NewInvitation:
    """Invite to a set for a day: whoever has the address may draw into it and see its counts. An earlier one ends."""
    found = store.find_set(name)
    if not found.count and not found.declared:
        raise UnknownSetError("there is no set named {name} any more", name=name)
    _check_reachable(settings)
    code = invitations.create(name)
    address = _origin(request, settings.host) + with_root(request.scope, JOIN_PREFIX + shown_code(code))
    return NewInvitation(name=name, expires=_time(invitations.find(name)), address=address, qr=svg_address(address))


@router.delete("", status_code=204, response_class=Response, responses=errors(422))
def end_invitation(invitations: InvitationsDep, name: str) -> None:
    """End the invitation to a set; whoever came by it is let in no more."""
    invitations.end(name)


_COMMAND = "make run HOST=0.0.0.0"


def _check_reachable(settings: Settings) -> None:
    if not needs_token(settings):
        raise RequestError(
            409, "only this machine reaches this server; start it for your network with {command}", command=_COMMAND
        )


def _origin(request: Request, host: str) -> str:
    """The origin at which others reach this server: its address in the network where it was asked on loopback."""
    url = request.url
    local = local_address() if host in WILDCARDS and is_loopback(url.hostname or "") else None
    if local is not None:
        url = url.replace(hostname=local)
    return f"{url.scheme}://{url.netloc}"


def _time(found: Invitation | None) -> str | None:
    return None if found is None else datetime.fromtimestamp(found.expires, UTC).isoformat(timespec="seconds")
