"""The shapes of requests on overmind.sock; docs/api.md is generated from them.

A bare number is milliseconds for `timeout` and `backoff` and seconds elsewhere; texts may carry a unit (`5m`).
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Amount = int | float | str
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""A number that is not negative and that everybody can hold, JavaScript too."""


class Request(msgspec.Struct, frozen=True):
    """The envelope: which command, its arguments, and an id to echo."""

    cmd: str
    args: msgspec.Raw = msgspec.Raw(b"{}")
    id: Any = None


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all arguments: an unknown name is an error, never ignored."""


class Hello(Args, frozen=True):
    """Who asks."""

    version: str = ""


class Nothing(Args, frozen=True):
    """No arguments."""


class Start(Args, frozen=True):
    """`run`: what to run, in whose world, and how to treat it."""

    command: str | list[str]
    cwd: str
    name: str | None = None
    env: dict[str, str] = {}
    """The caller's environment."""
    env_set: dict[str, str] = {}
    """What the caller set for this mission alone; wins over every default of ours."""
    umask: Whole = 0o022
    columns: Whole = 80
    rows: Whole = 24
    type: str = "task"
    parent: str | None = None
    provider: str = "raw"
    restart: str = "never"
    max_restarts: Whole = 5
    max_seconds: Amount = 60
    backoff: Amount = 1000
    activity_timeout: Amount = 0
    grace: Amount = 10
    stop_signal: str | int = "TERM"
    timeout: Amount = 0
    interactive: bool = False
    tty: bool = True
    leave_background: bool = False
    labels: dict[str, str] = {}
    request: str | None = None
    """A key of the caller's choice: a repeat with the same key answers the same mission."""


class Ps(Args, frozen=True):
    """Which missions to list."""

    all: bool = False
    children: str | None = None
    status: list[str] = []
    label: list[str] = []
    wide: bool = False
    ids: list[str] = []


class Info(Args, frozen=True):
    """`env`: also the names of its environment; `reveal`: with values."""

    id: str
    env: bool = False
    reveal: bool = False


class Logs(Args, frozen=True):
    """Where the logs of these missions are; null means all. `seq`: only annotations after that event."""

    ids: list[str] | None = None
    follow: bool = False
    run: Whole | None = None
    seq: Whole = 0


class One(Args, frozen=True):
    """One mission."""

    id: str


class Stop(Args, frozen=True):
    """Stop one mission, with its descendants when `cascade`."""

    id: str
    cascade: bool = False
    grace: Amount | None = None


class Kill(Args, frozen=True):
    """Kill one mission (with its descendants when `cascade`), or all that live."""

    id: str | None = None
    all: bool = False
    cascade: bool = False


class RestartArgs(Args, frozen=True):
    """Restart one mission, or all that were lost; `dry_run` only lists those."""

    id: str | None = None
    lost: bool = False
    dry_run: bool = False


class Signal(Args, frozen=True):
    """Send a signal, by name or number, to every process of the mission."""

    id: str
    signal: str | int


class Update(Args, frozen=True):
    """Change a mission without a restart; what is absent stays. A label set to null is removed."""

    id: str
    name: str | None = None
    labels: dict[str, str | None] = {}
    restart: str | None = None
    max_restarts: Whole | None = None
    max_seconds: Amount | None = None
    backoff: Amount | None = None
    activity_timeout: Amount | None = None
    grace: Amount | None = None
    stop_signal: str | int | None = None
    timeout: Amount | None = None
    leave_background: bool | None = None


class Prune(Args, frozen=True):
    """Remove finished missions, those that ended at least `older` ago."""

    older: Amount = 0
    dry_run: bool = False


class Wait(Args, frozen=True):
    """Tell as each mission ends; `any`: only the first."""

    ids: list[str]
    any: bool = False


class Events(Args, frozen=True):
    """The event log after `since`."""

    since: Whole = 0
    follow: bool = False


class Subscribe(Args, frozen=True):
    """The output of missions as objects; `offsets` continues a stream that broke: `{run id: bytes seen}`."""

    ids: list[str]
    from_start: bool = False
    offsets: dict[str, Whole] = {}


class Shutdown(Args, frozen=True):
    """Stop everything and leave; `keep`: leave the missions to the next daemon; `replace`: one is about to start."""

    keep: bool = False
    replace: bool = False
