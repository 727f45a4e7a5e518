"""Authentication by two tokens: one for everything, and one that only predicts."""

import asyncio
import hashlib
import hmac
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from enum import Enum
from urllib.parse import parse_qsl, urlencode

from app.settings import TOKEN_LENGTH, SettingError, Settings
from app.web.invitations import JOIN_PREFIX
from app.web.middleware.trusted_hosts import is_loopback

COOKIE_PURPOSE = b"digitpad cookie 1"
OPEN_PATHS = frozenset({"/health", "/v2/health/live", "/v2/health/ready"})
"""The paths of health probes, which hold no token."""

OPEN_PREFIXES = ("/static/", "/language/", "/theme/", "/catalog/", JOIN_PREFIX)
"""Style, scripts, and the switches of language and theme, which the page that asks for the token has too; and the codes
of invitations.
"""

NOT_PAGES = ("/api/", "/v2/", "/static/", "/catalog/", "/static-offline-docs/")
NOT_A_PAGE = frozenset({"/predict", "/v2", "/health", "/metrics", "/openapi.json"})


FREE_TRIES = 10
"""Wrong tokens of an address that are answered at once, as long as there are no `TRIES_SECONDS` between two."""
TRIES_SECONDS = 60.0
DELAY_SECONDS = 0.5
TRIES_AT_ONCE = 16
MOST_ADDRESSES = 1000


class TokenScope(Enum):
    """The scope of a request."""

    NOTHING = "nothing"
    PREDICT = "predict"
    INVITED = "invited"
    EVERYTHING = "everything"


@dataclass(frozen=True)
class AuthResult:
    """The scope of a request, and whether a cookie gave it, which a browser sends by itself."""

    grant: TokenScope
    by_cookie: bool = False


OPEN = AuthResult(TokenScope.EVERYTHING)
NOBODY = AuthResult(TokenScope.NOTHING)


class WrongTokens:
    """Slows down those who try tokens: after some wrong ones from an address, further ones are answered late.

    Of one address a few wait at one time; more are refused unread. Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._tries: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._waiting: Counter[str] = Counter()

    def is_full(self, address: str) -> bool:
        """Return True if no more tries of the address are looked at now."""
        return self._waiting[address] >= TRIES_AT_ONCE

    async def note(self, address: str) -> None:
        """Count a wrong token, and return when it may be answered."""
        count, last = self._tries.pop(address, (0, 0.0))
        now = time.monotonic()
        count = 1 if now - last > TRIES_SECONDS else count + 1
        self._tries[address] = count, now
        while len(self._tries) > MOST_ADDRESSES:
            self._tries.popitem(last=False)
        if count <= FREE_TRIES:
            return
        self._waiting[address] += 1
        try:
            await asyncio.sleep(DELAY_SECONDS)
        finally:
            self._waiting[address] -= 1
            if not self._waiting[address]:
                del self._waiting[address]


def needs_token(settings: Settings) -> bool:
    """Return True if a server with these settings must ask for a token."""
    return not is_loopback(settings.host) or settings.token is not None or settings.predict_token is not None


def may_predict(path: str) -> bool:
    """Return True if the token that only predicts is enough for `path`."""
    return path in ("/predict", "/v2") or path.startswith("/v2/") or path in OPEN_PATHS


def is_page(path: str) -> bool:
    """Return True if `path` is a page that people open in a browser."""
    return path not in NOT_A_PAGE and not path.startswith(NOT_PAGES)


def is_open(method: str, path: str) -> bool:
    """Return True if `path` needs no token."""
    return method in ("GET", "HEAD") and (path in OPEN_PATHS or path.startswith(OPEN_PREFIXES))


class TokenAuth:
    """Compares what a request brings with the tokens; in constant time, by their SHA-256, so that no length shows."""

    def __init__(self, settings: Settings) -> None:
        self.is_open = not needs_token(settings)
        if settings.token is None and not self.is_open:
            raise SettingError(
                f"DIGITPAD_TOKEN: expected one: DIGITPAD_HOST is {settings.host!r} or DIGITPAD_PREDICT_TOKEN is set; "
                "got none"
            )
        token = settings.token.get_secret_value() if settings.token else ""
        predict = settings.predict_token.get_secret_value() if settings.predict_token else ""
        if token and token == predict:
            raise SettingError("DIGITPAD_PREDICT_TOKEN: expected another one than DIGITPAD_TOKEN; got the same")
        self._token = _digest(token.encode())
        self._predict = _digest(predict.encode()) if predict else None
        self._cookie_value = hmac.digest(token.encode(), COOKIE_PURPOSE, "sha256").hex().encode()
        # Cookies know no ports: servers with different tokens on one host must not overwrite each other's.
        self._cookie_name = b"digitpad-" + hashlib.sha256(self._cookie_value).hexdigest()[:8].encode()

    def authenticate(self, authorizations: list[bytes], cookies: list[bytes]) -> AuthResult:
        """Authenticate a request by its headers. A cookie does not make up for a wrong token."""
        if self.is_open:
            return OPEN
        if authorizations:
            scheme, _, token = authorizations[0].partition(b" ")
            if len(authorizations) > 1 or scheme.lower() != b"bearer":
                return NOBODY
            return AuthResult(self._grant(token.strip(b" ")))
        return AuthResult(TokenScope.EVERYTHING, by_cookie=True) if self._has_cookie(cookies) else NOBODY

    def opens(self, token: str) -> bool:
        """Return True if this is the token for everything."""
        return self._grant(token.encode()) is TokenScope.EVERYTHING

    def cookie(self, *, path: str, secure: bool) -> str:
        """The `Set-Cookie` that a browser gets for the token. It is made from the token and does not show it."""
        value = f"{self._cookie_name.decode()}={self._cookie_value.decode()}"
        parts = [value, f"Path={path}", "HttpOnly", "SameSite=Strict"]
        return "; ".join([*parts, "Secure"] if secure else parts)

    def _grant(self, token: bytes) -> TokenScope:
        if len(token) > TOKEN_LENGTH:
            return TokenScope.NOTHING
        digest = _digest(token)
        everything = hmac.compare_digest(digest, self._token)
        predict = self._predict is not None and hmac.compare_digest(digest, self._predict)
        return TokenScope.EVERYTHING if everything else TokenScope.PREDICT if predict else TokenScope.NOTHING

    def _has_cookie(self, headers: list[bytes]) -> bool:
        for header in headers:
            for pair in header.split(b";"):
                name, _, value = pair.strip().partition(b"=")
                if name == self._cookie_name and hmac.compare_digest(value, self._cookie_value):
                    return True
        return False


def take_token(query: bytes) -> tuple[str | None, str]:
    """The token in a page's query, None if there is none, and the query without it."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=100)
    tokens = [value for name, value in pairs if name == "token"]
    rest = urlencode([(name, value) for name, value in pairs if name != "token"])
    return (tokens[0] if len(tokens) == 1 else None), rest


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
