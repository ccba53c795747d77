"""What may be asked for over the web, by a page or by a script: refused, or as the daemon gets it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from overmind_core.client.daemon import daemon_environment
from overmind_core.domain.operation import Operation
from overmind_core.domain.operations import OPERATIONS
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError

NESTED = {"ritual_create": {"quest": "quest_run", "apply": "apply"}}
"""Request → its arguments that are the arguments of another one."""
LONGEST_NAME = 64


def operation(name: str) -> Operation:
    """Return the operation of a request.

    Raises:
        OvermindError: `unknown_command`, there is none of this name.
    """
    row = OPERATIONS.get(name)
    if row is None or not row.request:
        raise OvermindError("unknown_command", f"There is no request {name[:LONGEST_NAME]!r}. See openapi.json.")
    return row


def checked(name: str, arguments: Mapping[str, Any], *, read_only: bool) -> Operation:
    """Return the operation of a request that may be passed on.

    Raises:
        OvermindError: `unknown_command`; `forbidden`, it is not offered, or not to this login; `invalid`, it doesn't
            say which state of it somebody has seen.
    """
    row = operation(name)
    if refusal := row.refusal(arguments, read_only=read_only):
        raise OvermindError("forbidden", refusal)
    if missing := row.missing(arguments):
        raise OvermindError("invalid", missing)
    return row


def completed(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with this server's environment and umask, where they name none but could."""
    row = OPERATIONS[name]
    found = {**arguments}
    for argument in row.caller:
        if found.get(argument) is None:
            found[argument] = _world()[argument]
    for argument, inner in NESTED.get(name, {}).items():
        value = found.get(argument)
        if isinstance(value, dict):
            found[argument] = completed(inner, value)
    return found


@cache
def _world() -> dict[str, Any]:
    """Return the umask of the server, which can only be read by setting it, and its variables.

    Those that say that one is inside a mission are not among them.
    """
    umask = os.umask(0o077)
    os.umask(umask)
    environment = daemon_environment(os.environ)
    return {"env": {to_wire(name): to_wire(value) for name, value in environment.items()}, "umask": umask}
