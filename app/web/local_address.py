"""The address of this machine in its local network."""

import socket
from contextlib import suppress
from ipaddress import ip_address

_ELSEWHERE = "192.0.2.1"
"""An address of RFC 5737 that nobody has: the system chooses the way to it, and nothing is sent."""
_ANY_PORT = 9


def local_address() -> str | None:
    """The IPv4 address by which others in the network reach this machine; None where there is none but loopback."""
    found = []
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((_ELSEWHERE, _ANY_PORT))
        found.append(str(probe.getsockname()[0]))
    with suppress(OSError):  # no way out of the network, or no network
        found += socket.gethostbyname_ex(socket.gethostname())[2]
    usable = (ip_address(one) for one in found)
    return next((str(one) for one in usable if not (one.is_loopback or one.is_unspecified)), None)
