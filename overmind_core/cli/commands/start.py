"""`overmind start`: make sure that a daemon is there."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.table import Command, flag
from overmind_core.client.calls import Client
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

REPLACE_LIMIT = 30.0
"""Seconds that a new daemon waits for the old one to leave."""


def start(args: Namespace, context: Context) -> int:
    """Start, replace or become the daemon."""
    if args.foreground:
        return _become(context)
    if args.replace:
        return _replace(context)
    client = Client(context.home, start=True)
    pid = client.connect()["pid"]
    context.say(f"Daemon started (PID {pid})" if client.started_pid else f"Daemon is already running (PID {pid})")
    if not client.started_pid and client.newer_than_daemon:
        context.note("It is an older version than this program. Upgrade it with: overmind start --replace")
    return 0


def _become(context: Context) -> int:
    from overmind_core.client.launch import become  # rarely needed
    from overmind_core.system.lock import holder_pid

    pid = holder_pid(context.home.supervisor_lock)
    if pid is None:
        become(context.home)
    context.say(f"Daemon is already running (PID {pid})")
    return 0


def _replace(context: Context) -> int:
    """Let the running daemon hand over to a new one; the agents stay with their keeper."""
    from overmind_core.client.launch import launch  # rarely needed
    from overmind_core.system.lock import holder_pid

    left = holder_pid(context.home.supervisor_lock)
    if left is None:
        launched = launch(context.home)
    else:
        _ask_to_leave(context, left)
        launched = launch(context.home, wait_lock=REPLACE_LIMIT, after=left)
    if not launched.may_answer():
        raise launched.failure()
    pid = launched.pid if launched.ready else Client(context.home).connect()["pid"]  # of who was faster
    context.say(f"Daemon {'started' if left is None else 'replaced'} (PID {pid})")
    return 0


def _ask_to_leave(context: Context, pid: int) -> None:
    """Ask the daemon `pid`; one that has taken its place meanwhile is as good as ours."""
    client = Client(context.home)
    try:
        if client.connect()["pid"] == pid:
            client.call("shutdown", {"keep": True, "replace": True})
    except OvermindError as error:
        if error.code not in {"daemon_lost", "daemon_not_running"}:  # gone already is what was asked for
            raise


COMMAND = Command(
    name="start",
    summary="start the daemon, unless it runs already",
    options=[
        flag("--foreground", "be the daemon in this terminal, until ctrl-c"),
        flag("--replace", "upgrade in place: a new daemon takes over, the missions run on"),
    ],
    examples=["overmind start", "overmind start --replace", "systemd-run --user overmind start --foreground"],
    run=start,
)
