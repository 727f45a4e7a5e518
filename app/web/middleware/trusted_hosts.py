"""The host that a request names (`Host`) and the page that sent it (`Origin`): both are parsed, and compared whole."""

import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from app.settings import SettingError, Settings

LONGEST = 300
"""Characters of a `Host` or an `Origin`."""
LONGEST_NAME = 253
"""Characters of a name in the DNS (RFC 1035, section 2.3.4)."""

KEPT_ANSWERS = 512
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
WILDCARDS = ("", "0.0.0.0", "::")
DEFAULT_PORTS = {"http": 80, "https": 443}

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True)
class Authority:
    """A host, a name in lower case or an address as `ipaddress` writes it, and a port where one is named."""

    host: str
    port: int | None


@dataclass(frozen=True)
class Origin:
    """A page's origin; the port is always there (RFC 6454, section 4)."""

    scheme: str
    host: str
    port: int


def parse_authority(text: str) -> Authority | None:
    """`name`, `name:port`, `127.0.0.1:port` or `[::1]:port`, in any case, a name with or without its last dot.

    None for all else: user information, blanks, empty or overlong labels, letters outside ASCII, ports beyond 65535.
    """
    try:
        return _authority(text)
    except ValueError:
        return None


def parse_origin(text: str) -> Origin | None:
    """`http://host` or `https://host:port`; None for all else, `null` too."""
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in DEFAULT_PORTS or len(text) > LONGEST:
        return None
    authority = parse_authority(rest)
    if authority is None:
        return None
    return Origin(scheme, authority.host, DEFAULT_PORTS[scheme] if authority.port is None else authority.port)


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach a server that listens on `host`."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


class Hosts:
    """The names that this server answers to.

    These are the loopback's, the one it listens on, those of `DIGITPAD_ALLOWED_HOSTS` and, where it listens on all
    addresses, the machine's own name and the address that the connection came in by.
    """

    def __init__(self, settings: Settings) -> None:
        named = [_setting("ALLOWED_HOSTS", name) for name in settings.allowed_hosts]
        self._hosts = {*LOOPBACK_NAMES, *(authority.host for authority in named)}
        self._everywhere = settings.host in WILDCARDS
        own = parse_authority(f"[{settings.host}]" if ":" in settings.host else settings.host)
        if own is not None:
            self._hosts.add(own.host)
        if self._everywhere:
            machine = socket.gethostname().lower()
            self._hosts |= {machine, f"{machine.partition('.')[0]}.local"}
        self.check = lru_cache(KEPT_ANSWERS)(self._check)
        """`check(value of the header, address that the connection came in by)`: the authority, or None if refused."""

    def _check(self, value: bytes, arrived_at: str) -> Authority | None:
        authority = parse_authority(value.decode("latin-1"))
        if authority is None or authority.host in self._hosts:
            return authority
        return authority if self._everywhere and _same_address(authority.host, arrived_at) else None


class Origins:
    """Whose pages may ask this server for more than to read: its own, and those of `DIGITPAD_ALLOWED_ORIGINS`."""

    def __init__(self, allowed: Iterable[str]) -> None:
        parsed = {text: parse_origin(text) for text in allowed}
        for text, origin in parsed.items():
            if origin is None:
                raise SettingError(f"DIGITPAD_ALLOWED_ORIGINS: expected http(s)://host:port; got {text}")
        self._foreign = frozenset(parsed.values())
        self.is_own = lru_cache(KEPT_ANSWERS)(self._is_own)
        """`is_own(value of the header, the request's authority)`: whether a page of this very server sent it."""

    def is_allowed(self, value: bytes) -> bool:
        """Return True if the setting names this origin."""
        return bool(self._foreign) and parse_origin(value.decode("latin-1")) in self._foreign

    def _is_own(self, value: bytes, authority: Authority) -> bool:
        origin = parse_origin(value.decode("latin-1"))
        if origin is None:
            return False
        port = DEFAULT_PORTS[origin.scheme] if authority.port is None else authority.port
        return (origin.host, origin.port) == (authority.host, port)


def _setting(name: str, text: str) -> Authority:
    authority = parse_authority(f"[{text}]" if isinstance(_address(text), IPv6Address) else text)
    if authority is None or authority.port is not None:
        raise SettingError(f"DIGITPAD_{name}: expected names or addresses, without a port; got {text}")
    return authority


def _authority(text: str) -> Authority:
    """`parse_authority`, which raises ValueError where that gives None."""
    if not text or len(text) > LONGEST or not text.isascii():
        raise ValueError
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        address = IPv6Address(host)
        if not closed or address.scope_id is not None:
            raise ValueError
        return Authority(str(address), _port(rest))
    host, colon, digits = text.partition(":")
    name = host.lower().removesuffix(".")
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError
    return Authority(name, _port(colon + digits))


def _port(text: str) -> int | None:
    """The number in ":8000", None for nothing. Raises ValueError for what is no port."""
    if not text:
        return None
    if text[0] != ":" or not _PORT.fullmatch(text[1:]) or int(text[1:]) > 65535:
        raise ValueError
    return int(text[1:])


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _same_address(host: str, arrived_at: str) -> bool:
    address = _address(arrived_at.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and host == str(address)
