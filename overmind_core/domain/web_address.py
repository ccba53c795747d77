"""Where the web server is reached: hosts, ports and the address behind a proxy, as people write them. Pure."""

from __future__ import annotations

import re

HIGHEST_PORT = 65_535
_NAME = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOST = rf"{_NAME}(?:\.{_NAME})*\.?"
_SIX = r"[0-9A-Fa-f:.]+"
_PATH = r"(?:/[A-Za-z0-9._~-]+)*/?"
_URL = re.compile(rf"https?://(?:({_HOST})|\[({_SIX})\])(?::([0-9]{{1,5}}))?({_PATH})")
LONGEST_HOST = 253
HOST_RULE = 'write a host name or an address, such as "127.0.0.1"'
PUBLIC_URL_RULE = 'write an address such as "https://box.example/om", without a query, a name or a password in it'


def is_host(text: str) -> bool:
    """Whether a server may listen on it: a name or an address, without a port."""
    return _is_name(text) or _is_six(text)


def _is_name(text: str) -> bool:
    return len(text) <= LONGEST_HOST and re.fullmatch(_HOST, text) is not None


def _is_six(text: str) -> bool:
    """Whether it is an address of version 6, without a zone."""
    from ipaddress import AddressValueError, IPv6Address  # noqa: PLC0415 - for those who have a web server

    try:
        return IPv6Address(text).scope_id is None
    except AddressValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    return (
        host.lower().rstrip(".") == "localhost"
        or host == "::1"
        or re.fullmatch(r"127(\.[0-9]{1,3}){3}", host) is not None
    )


def is_port(number: int) -> bool:
    """Whether a server may be told to listen on it."""
    return 0 < number <= HIGHEST_PORT


def is_public_url(text: str) -> bool:
    """Whether a proxy may serve at it: scheme, host, perhaps a port and a path, and nothing else."""
    found = _URL.fullmatch(text)
    if found is None or {".", ".."} & set(found[4].split("/")):
        return False
    if not (_is_name(found[1]) if found[1] else _is_six(found[2])):
        return False
    return found[3] is None or is_port(int(found[3]))


def is_unencrypted(url: str) -> bool:
    """Whether others can read on the way what is typed there: http, to another machine. `url` is a public one."""
    found = _URL.fullmatch(url)
    return found is not None and url.startswith("http://") and not is_loopback(found[1] or found[2])
