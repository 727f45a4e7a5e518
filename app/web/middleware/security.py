"""Check host, token, origin and capacity of each request and each socket."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as ASGIMessage

from app.errors import Message, code_of
from app.settings import Settings
from app.web import errors
from app.web.addresses import cookie_path, route_path, same_page
from app.web.invitations import INVITATION_ENDED, SCOPE_KEY, Invitations, keys_in, opened_set
from app.web.middleware import authentication
from app.web.middleware.authentication import AuthResult, TokenAuth, TokenScope, WrongTokens
from app.web.middleware.forwarded import FORWARDED, NOT_FORWARDED, Forwarded
from app.web.middleware.limits import HELD, SOCKETS, BodyReservation, Capacity
from app.web.middleware.methods import allowed_methods, has_socket
from app.web.middleware.trusted_hosts import Authority, Hosts, Origins
from app.web.preferences import language_headers, language_of
from app.web.security_headers import Header, protect

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
PREFLIGHT_SECONDS = "600"
REALM = 'Bearer realm="digitpad"'


@dataclass(frozen=True)
class Refusal:
    """The answer to a request that goes no further."""

    status: HTTPStatus
    message: Message
    headers: dict[str, str] = field(default_factory=dict)
    asks_for_token: bool = False


class SecurityRules:
    """The rules of the gate. Raises SettingError if the settings leave a gap."""

    def __init__(self, settings: Settings) -> None:
        self.hosts, self.access, self.origins = Hosts(settings), TokenAuth(settings), Origins(settings.allowed_origins)
        self.invitations = Invitations(settings.home / "invitations")


class SecurityMiddleware:
    """The gate: pure ASGI, so that it costs `/predict` next to nothing."""

    def __init__(self, app: ASGIApp, rules: SecurityRules, room: Capacity | None = None) -> None:
        self._app = app
        self._hosts, self._access, self._origins = rules.hosts, rules.access, rules.origins
        self._invitations = rules.invitations
        self._room = room or Capacity()
        self._wrong_tokens = WrongTokens()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = _Head(scope["headers"])
        extra: Sequence[Header] = ()
        if head.origins and self._origins.is_allowed(head.origins[0]):
            extra = (
                (b"access-control-allow-origin", head.origins[0]),
                (b"access-control-expose-headers", b"*"),
                (b"vary", b"origin"),
            )
        protected = _protecting(send, extra)
        answer = await self._slowed(scope, head, self._answer)
        if answer is not None:
            await answer(scope, receive, protected)
            return
        held = scope[HELD] = BodyReservation(self._room)
        try:
            await self._app(scope, receive, protected)
        finally:
            held.release()

    async def _slowed(self, scope: Scope, head: "_Head", answer: Callable[..., Response | None]) -> Response | None:
        """The answer of the gate, which comes late to who tries one token after the other."""
        if not (head.authorizations or head.cookies or b"token=" in scope["query_string"]):
            return answer(scope, head)
        address = str((scope.get("client") or ("",))[0])
        if self._wrong_tokens.is_full(address):
            message = Message("too many wrong tokens; try again in a moment")
            return _respond(scope, Refusal(HTTPStatus.TOO_MANY_REQUESTS, message, {"retry-after": "1"}))
        given = answer(scope, head)
        if given is not None and given.status_code == HTTPStatus.UNAUTHORIZED:
            await self._wrong_tokens.note(address)
        return given

    def _answer(self, scope: Scope, head: "_Head") -> Response | None:
        """The answer to a request that goes no further: a refusal, a preflight's, or a page's without its token."""
        hosts = self._authorities(scope, head)
        if isinstance(hosts, Refusal):
            return _respond(scope, hosts)
        method, path = scope["method"], route_path(scope)
        if method == "OPTIONS" and head.preflights:  # which brings no token
            refusal = self._check_origin(head, hosts, authentication.OPEN)
            return _preflight(scope, head) if refusal is None else _respond(scope, refusal)
        if authentication.is_open(method, path):  # also where the origin is wrong, so that a page can say that it is
            return None
        if self._access.is_open:
            verdict = authentication.OPEN
        else:
            query = scope["query_string"]
            if b"token=" in query and method == "GET" and authentication.is_page(path):
                return self._exchange_token(scope, query)
            authenticated = self._authenticate(scope, head, method)
            if isinstance(authenticated, Refusal):
                return _respond(scope, authenticated)
            verdict = authenticated
        if method not in SAFE_METHODS or head.origins or (head.comes_from_elsewhere and path.startswith("/api/")):
            refusal = self._check_origin(head, hosts, verdict)
            if refusal is not None:
                return _respond(scope, refusal)
        return None

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = _Head(scope["headers"])

        def refused(scope: Scope, head: "_Head") -> Response | None:
            refusal = self._socket_refusal(scope, head)
            return None if refusal is None else _refuse_socket(scope, refusal)

        answer = await self._slowed(scope, head, refused)
        if answer is not None:
            await answer(scope, receive, _protecting(send))
            return
        self._room.sockets -= 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._room.sockets += 1

    def _socket_refusal(self, scope: Scope, head: "_Head") -> Refusal | None:
        hosts = self._authorities(scope, head)
        if isinstance(hosts, Refusal):
            return hosts
        verdict = self._authenticate(scope, head, "GET")
        refusal = verdict if isinstance(verdict, Refusal) else self._check_origin(head, hosts, verdict)
        if refusal is None and not has_socket(scope):
            refusal = Refusal(HTTPStatus.NOT_FOUND, Message("there is nothing at {path}", path=scope["path"][:200]))
        if refusal is None and self._room.sockets <= 0:
            message = Message("expected at most {count} open sockets; try again in a moment", count=SOCKETS)
            refusal = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": "5"})
        return refusal

    def _authenticate(self, scope: Scope, head: "_Head", method: str) -> AuthResult | Refusal:
        """Authenticate by a token, or else by an invitation, which is looked at for the paths alone that it opens."""
        path = route_path(scope)
        verdict = self._access.authenticate(head.authorizations, head.cookies)
        refusal = _refusal_of(verdict, path, brought=bool(head.authorizations))
        if refusal is None:
            return verdict
        keys = [] if head.authorizations else keys_in(head.cookies)
        if not keys:
            return refusal
        name = opened_set(method, path)
        if name is None:
            message = Message("expected a token; an invitation opens the page of its set alone")
            return Refusal(HTTPStatus.FORBIDDEN, message, asks_for_token=True)
        try:
            holds = self._invitations.holds(name, keys)
        except OSError:
            message = Message("the invitation cannot be read; try again in a moment")
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, {"retry-after": "2"})
        if not holds:
            return Refusal(HTTPStatus.FORBIDDEN, INVITATION_ENDED)
        scope[SCOPE_KEY] = keys
        return AuthResult(TokenScope.INVITED, by_cookie=True)

    def _authorities(self, scope: Scope, head: "_Head") -> list[Authority] | Refusal:
        """The host of the request and, behind a proxy that says so, those that it was sent to before.

        Each must be one of this server's: a page can send any X-Forwarded-Host but not another Host, and a proxy may
        send any Host but tells by X-Forwarded-Host where the page is from.
        """
        if len(head.hosts) != 1:
            return Refusal(
                HTTPStatus.BAD_REQUEST, Message("expected one Host header; got {count}", count=len(head.hosts))
            )
        forwarded: Forwarded = scope.get(FORWARDED, NOT_FORWARDED)
        if forwarded.fault is not None:
            return Refusal(HTTPStatus.BAD_REQUEST, forwarded.fault)
        server = scope.get("server")
        found = []
        for host in (head.hosts[0], *forwarded.hosts):
            authority = self._hosts.check(host, str(server[0]) if server else "")
            if authority is None:
                message = Message(
                    "expected a Host that this server answers to; got {host} (add it to DIGITPAD_ALLOWED_HOSTS)",
                    host=_shown(host),
                )
                return Refusal(HTTPStatus.MISDIRECTED_REQUEST, message)
            found.append(authority)
        return found

    def _check_origin(self, head: "_Head", hosts: list[Authority], verdict: AuthResult) -> Refusal | None:
        """Refuse what another site's page sent.

        Browsers name the page's origin with what changes something, with sockets, and with whatever a page of another
        origin wants to read, so what names none is a program. A cookie is a browser's, though, and is not believed
        without.
        """
        if len(head.origins) > 1:
            return Refusal(
                HTTPStatus.BAD_REQUEST, Message("expected one Origin header; got {count}", count=len(head.origins))
            )
        if head.origins:
            origin = head.origins[0]
            if any(self._origins.is_own(origin, host) for host in hosts) or self._origins.is_allowed(origin):
                return None
            return Refusal(
                HTTPStatus.FORBIDDEN,
                Message(
                    "expected a page of this server as the origin; got {origin} (add it to DIGITPAD_ALLOWED_ORIGINS)",
                    origin=_shown(origin),
                ),
            )
        site = head.sites[0] if head.sites else b""
        if site == b"same-origin" or (site in (b"", b"none") and not verdict.by_cookie):
            return None
        if head.comes_from_elsewhere:
            message = Message(
                "expected a page of this server; got one of another site "
                "(add its origin to DIGITPAD_ALLOWED_ORIGINS, and ask with `fetch`)"
            )
            return Refusal(HTTPStatus.FORBIDDEN, message)
        return Refusal(HTTPStatus.FORBIDDEN, Message("expected a page of this server as the origin; got none"))

    def _exchange_token(self, scope: Scope, query: bytes) -> Response:
        """Trade the token in a page's address for a cookie, and send the browser to the address without it."""
        token, rest = authentication.take_token(query)
        if token is None or not self._access.opens(token):
            return _respond(
                scope,
                _without_token(
                    Message('expected a token, as "Authorization: Bearer ..."; the one in the address is wrong'),
                    f'{REALM}, error="invalid_token"',
                ),
            )
        answer = RedirectResponse(same_page(scope, rest), HTTPStatus.SEE_OTHER)
        secure = scope.get("scheme") == "https"
        answer.headers["set-cookie"] = self._access.cookie(path=cookie_path(scope), secure=secure)
        return answer


class _Head:
    """The headers that the gate looks at, each as often as it came."""

    __slots__ = ("authorizations", "cookies", "hosts", "origins", "preflights", "request_headers", "sites")

    def __init__(self, headers: Sequence[Header]) -> None:
        picked: dict[bytes, list[bytes]] = {
            b"host": [],
            b"origin": [],
            b"authorization": [],
            b"cookie": [],
            b"sec-fetch-site": [],
            b"access-control-request-method": [],
            b"access-control-request-headers": [],
        }
        for name, value in headers:
            if name in picked:
                picked[name].append(value)
        self.hosts, self.origins, self.authorizations, self.cookies, self.sites, *asked = picked.values()
        self.preflights, self.request_headers = asked

    @property
    def comes_from_elsewhere(self) -> bool:
        """True for what a browser fetches for a page of another origin, also without `Origin`, as an image."""
        return bool(self.sites) and self.sites[0] in (b"cross-site", b"same-site")


def _protecting(send: Send, extra: Sequence[Header] = ()) -> Send:
    """`send`, with the headers of `protect` in the start of the answer."""

    async def protected(message: ASGIMessage) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            protect(message, extra)
        await send(message)

    return protected


def _refusal_of(verdict: AuthResult, path: str, *, brought: bool) -> Refusal | None:
    if verdict.grant is TokenScope.EVERYTHING or (
        verdict.grant is TokenScope.PREDICT and authentication.may_predict(path)
    ):
        return None
    if verdict.grant is TokenScope.PREDICT:
        message = Message("expected the token for everything; the one given may only predict")
        return Refusal(HTTPStatus.FORBIDDEN, message, {"www-authenticate": f'{REALM}, error="insufficient_scope"'})
    if brought:
        message = Message('expected a token, as "Authorization: Bearer ..."; the one given is wrong')
        return _without_token(message, f'{REALM}, error="invalid_token"')
    return _without_token(Message('expected a token, as "Authorization: Bearer ..."; got none'), REALM)


def _without_token(message: Message, challenge: str) -> Refusal:
    return Refusal(HTTPStatus.UNAUTHORIZED, message, {"www-authenticate": challenge}, asks_for_token=True)


def _respond(scope: Scope, refusal: Refusal) -> Response:
    template = "pages/token.html" if refusal.asks_for_token else "pages/error.html"
    return errors.respond(Request(scope), refusal.status, refusal.message, refusal.headers, template=template)


def _refuse_socket(scope: Scope, refusal: Refusal) -> Response:
    """The answer to the handshake of a socket that is not accepted."""
    connection = HTTPConnection(scope)
    body = errors.error_body(connection, refusal.message, code_of(refusal.status))
    return JSONResponse(body, refusal.status, language_headers(language_of(connection), refusal.headers))


def _preflight(scope: Scope, head: _Head) -> Response:
    """The answer to a browser that asks before it sends what a page of an allowed origin wants (Fetch, section 3.3)."""
    headers = {
        "access-control-allow-methods": allowed_methods(scope),
        "access-control-allow-headers": b", ".join(head.request_headers).decode("latin-1"),
        "access-control-max-age": PREFLIGHT_SECONDS,
    }
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


def _shown(value: bytes) -> str:
    return repr(value[:80].decode("latin-1"))
