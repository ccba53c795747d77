"""The key `ready`: how it is seen that an agent is ready."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from overmind_core.blueprint_file import values
from overmind_core.blueprint_file.dependencies import Scope, found_in, resolved
from overmind_core.documents import reading
from overmind_core.documents.reading import FileValue
from overmind_core.domain.plans.blueprint import Probe, ProbeKind
from overmind_core.domain.text.address import parse_address

DEFAULT = 60.0
"""Seconds after which an agent that is not ready has failed."""
_KINDS = tuple(kind.value for kind in ProbeKind)
_KEYS = (*_KINDS, "timeout")
_EXAMPLE = 'such as { tcp = 8080 } or { log = "listening" }'


def probe(spot: FileValue, scope: Scope) -> Probe | None:
    """What the table says; None after reporting what is wrong."""
    table = spot.table()
    if table is None:
        return None
    spot.report_unknown(_KEYS)
    chosen = [name for name in table if name in _KINDS]
    limit = _timeout(table.get("timeout"), scope)
    if len(chosen) != 1:
        spot.wrong(f"write one of {', '.join(_KINDS)}, {_EXAMPLE}")
        return None
    target = _target(ProbeKind(chosen[0]), table[chosen[0]], scope)
    return None if target is None else Probe(ProbeKind(chosen[0]), target, limit or DEFAULT)


def _timeout(spot: FileValue | None, scope: Scope) -> float | None:
    spot = spot and resolved(spot, scope)
    found = None if spot is None else values.limit(spot)
    if spot is not None and found == 0:
        spot.wrong("it must be greater than 0")
    return found


def _target(kind: ProbeKind, spot: FileValue, scope: Scope) -> str | None:
    if kind is ProbeKind.EXEC:
        return _command(spot, scope)
    plain = resolved(spot, scope)
    return None if plain is None else _READ[kind](plain)


def _command(spot: FileValue, scope: Scope) -> str | None:
    """A shell command; what it refers to is bound when it runs."""
    written = reading.text(spot)
    if written is None:
        return None
    found_in(spot, scope, None, in_shell=True)
    if not written.strip():
        spot.wrong("write a command that exits with 0 once the agent is ready")
    return written


def _address(spot: FileValue) -> str | None:
    if type(spot.value) not in {int, str}:
        spot.wrong('write a port, "host:port" or "[IPv6 address]:port"')
        return None
    try:
        parse_address(str(spot.value))
    except ValueError as error:
        spot.wrong(str(error))
        return None
    return str(spot.value).strip()


def _url(spot: FileValue) -> str | None:
    written = reading.text(spot)
    if written is None:
        return None
    try:
        parts = urlsplit(written)
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if right and written.isprintable() and " " not in written:
        return written
    spot.wrong("write a URL that begins with http:// or https://")
    return None


def _pattern(spot: FileValue) -> str | None:
    written = reading.text(spot)
    try:
        re.compile(written or "")
    except (re.error, RecursionError, OverflowError) as error:
        spot.wrong(f"this is not a valid regular expression: {error}")
        return None
    if written == "":
        spot.wrong("write a regular expression that a line of its output matches")
    return written or None


def _silence(spot: FileValue) -> str | None:
    found = reading.seconds(spot)
    if found == 0:
        spot.wrong("it must be greater than 0")
    return f"{found:.3f}" if found else None


_READ = {
    ProbeKind.TCP: _address,
    ProbeKind.HTTP: _url,
    ProbeKind.LOG: _pattern,
    ProbeKind.IDLE: _silence,
}
