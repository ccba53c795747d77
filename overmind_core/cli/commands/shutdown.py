"""`overmind shutdown`: end the missions, then the daemon."""

from __future__ import annotations

import time

from overmind_core.cli.ask import agreed
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, YES, Command, flag
from overmind_core.client.calls import Client
from overmind_core.errors import FAILED, OvermindError
from overmind_core.system.lock import holder_pid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

LEAVE_LIMIT = 10.0
"""Seconds for daemon and keeper to leave once all missions have ended."""
_PAUSE = 0.01
GONE = frozenset({"daemon_lost", "daemon_not_running"})
"""It left by itself, or another shutdown was faster: that is what was asked for."""


def shutdown(args: Namespace, context: Context) -> int:
    """Stop all missions and the daemon; with --keep the daemon alone."""
    if not _lives(context, keep=args.keep):
        context.say(dumps({"stopped": 0, "kept": 0}) if args.json else _nothing_there(context))
        return 0
    client = context.client()
    live = 0 if args.keep else _live(client)
    if live and not agreed(f"Stop {_missions(live)} and the daemon?", yes=args.yes):
        return FAILED
    answer = _end(client, context, keep=args.keep)
    context.say(dumps(answer) if args.json else "Daemon stopped")
    if answer.get("kept") and not args.json:
        verb = "lives" if answer["kept"] == 1 else "live"
        context.note(f"{_missions(answer['kept'])} {verb} on. Supervise again with: overmind start")
    return 0


def _lives(context: Context, *, keep: bool) -> bool:
    """Whether there is something to stop; to keep what a lone keeper holds nothing needs to be done."""
    home = context.home
    return holder_pid(home.supervisor_lock) is not None or (not keep and holder_pid(home.keeper_lock) is not None)


def _nothing_there(context: Context) -> str:
    if holder_pid(context.home.keeper_lock) is not None:
        return "Daemon is not running; its missions live on"
    return "Daemon is not running"


def _live(client: Client) -> int:
    """Return how many missions live."""
    try:
        return int(client.call("status")["missions"]["running"])
    except OvermindError as error:
        if error.code not in GONE:
            raise
        return 0


def _end(client: Client, context: Context, *, keep: bool) -> dict[str, Any]:
    """Ask the daemon to leave and see it out; when it is killed meanwhile, the one that takes over, too."""
    while True:
        answer = _ask(client, keep=keep)
        asked = client.daemon.get("pid") if answer is None else None
        if _has_ended(context, keep=keep, asked=asked):
            return answer or {"stopped": 0, "kept": 0}
        client = context.client()


def _ask(client: Client, *, keep: bool) -> dict[str, Any] | None:
    try:
        return dict(client.call("shutdown", {"keep": keep}))
    except OvermindError as error:
        if error.code not in GONE:
            raise
        return None  # left before its answer did; whether it is gone is looked at next


def _has_ended(context: Context, *, keep: bool, asked: int | None) -> bool:
    """Wait until nobody is there; False as soon as it is another daemon than `asked` (None: any will have to leave)."""
    home = context.home
    locks = [home.supervisor_lock] if keep else [home.supervisor_lock, home.keeper_lock]
    deadline = time.monotonic() + LEAVE_LIMIT
    while pids := [pid for pid in map(holder_pid, locks) if pid is not None]:
        if asked is not None and holder_pid(home.supervisor_lock) not in {None, 0, asked}:
            return False
        if time.monotonic() > deadline:
            raise OvermindError("busy", f"PID {pids[0]} has not left within {LEAVE_LIMIT:.0f} s. See {home.daemon_log}")
        time.sleep(_PAUSE)
    return True


def _missions(count: int) -> str:
    return f"{count} mission{'' if count == 1 else 's'}"


COMMAND = Command(
    name="shutdown",
    summary="stop every mission, then the daemon",
    options=[flag("--keep", "let the missions live on; the next daemon adopts them"), YES, JSON],
    examples=["overmind shutdown", "overmind shutdown --keep", "overmind shutdown -y"],
    run=shutdown,
)
