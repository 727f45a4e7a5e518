"""Invitations to draw into one set: a short code to scan or to type, which a browser trades for a cookie."""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPMethod
from pathlib import Path

from app.data.drawings.drawing import SET_NAME, check_set_name
from app.errors import Message
from app.storage.atomic import write_atomic

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without 0, 1, I and O, which are taken for one another."""
CODE_LENGTH = 8
"""40 bits."""
SALT_BYTES = 32
LIFETIME_SECONDS = 24 * 3600
COOKIE_PREFIX = "digitpad-invited-"
PAGE_PREFIX = "/draw/"
JOIN_PREFIX = "/join/"
SCOPE_KEY = "digitpad.invitation"
"""The entry of an ASGI scope that has the keys by which it was let in."""

INVITATION_ENDED = Message("this invitation has ended")

_PATH = re.compile(rf"(/draw/|/api/drawings/sets/)({SET_NAME.pattern})(/drawings|/stream)?")


@dataclass(frozen=True)
class Invitation:
    """An invitation as it is stored: what opens it is known by its SHA-256 alone."""

    salt: bytes
    digest: str
    expires: float
    """Seconds since the epoch."""


class Invitations:
    """The invitations of a home, a file for each set, which every server of the home reads anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, set_name: str) -> str:
        """Invite to a set, for a day, and return the code; an earlier invitation to it ends. Raises OSError."""
        path = self._path(set_name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
        salt = secrets.token_bytes(SALT_BYTES)
        stored = {
            "salt": salt.hex(),
            "sha256": _digest(_key(salt, code)),
            "expires": time.time() + LIFETIME_SECONDS,
        }
        write_atomic(path, json.dumps(stored).encode(), prefix=".invitation-")
        return code

    def find(self, set_name: str) -> Invitation | None:
        """Return the invitation to a set that holds now. Raises OSError."""
        try:
            stored = json.loads(self._path(set_name).read_bytes())
            found = Invitation(bytes.fromhex(stored["salt"]), str(stored["sha256"]), float(stored["expires"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):  # a damaged file lets nobody in
            return None
        now = time.time()
        return found if now < found.expires < now + 2 * LIFETIME_SECONDS else None  # a clock may be set back

    def end(self, set_name: str) -> None:
        """End the invitation to a set, if there is one. Raises OSError."""
        self._path(set_name).unlink(missing_ok=True)

    def accept(self, code: str) -> tuple[str, str] | None:
        """Return the set that a code invites to, and the key that it is traded for; None for a wrong one."""
        code = code.upper().replace("-", "").replace(" ", "")
        if len(code) != CODE_LENGTH or not set(code) <= set(ALPHABET):
            return None
        for path in sorted(self._folder.glob("*.json")):
            if SET_NAME.fullmatch(path.stem) and (found := self.find(path.stem)) is not None:
                key = _key(found.salt, code)
                if hmac.compare_digest(_digest(key), found.digest):
                    return path.stem, key
        return None

    def holds(self, set_name: str, keys: Iterable[str]) -> bool:
        """Return True if one of the keys opens the set now. Raises OSError."""
        found = self.find(set_name)
        return found is not None and any(hmac.compare_digest(_digest(key), found.digest) for key in keys)

    def _path(self, set_name: str) -> Path:
        return self._folder / f"{check_set_name(set_name)}.json"


def shown_code(code: str) -> str:
    """A code in two groups, as people read and type it."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"


def cookie_name(key: str) -> str:
    """The name of the cookie for a key: cookies know no ports, and one browser may be invited to several sets."""
    return COOKIE_PREFIX + _digest(key)[:8]


def keys_in(cookies: Iterable[bytes]) -> list[str]:
    """The keys that a browser brings in its `Cookie` headers."""
    pairs = (pair.strip().partition(b"=") for header in cookies for pair in header.split(b";"))
    return [value.decode("latin-1") for name, _, value in pairs if name.startswith(COOKIE_PREFIX.encode())]


def opened_set(method: str, path: str) -> str | None:
    """Return the set whose invitation opens a path without the root path; None for a path that none opens."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    place, name, call = found.groups()
    if place == PAGE_PREFIX and call is not None:
        return None
    allowed = (HTTPMethod.POST,) if call == "/drawings" else (HTTPMethod.GET, HTTPMethod.HEAD)
    return name if method in allowed else None


def _key(salt: bytes, code: str) -> str:
    """The value of the cookie: 256 bits that nobody guesses, and that show neither code nor salt."""
    return hmac.digest(salt, code.encode(), "sha256").hex()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
