"""`overmind hook`: what an agent's program calls at its events. It must never be in the program's way.

It hands the event to the daemon, prints only what the daemon answers (a decision over a question), and exits with 0
whatever happens: at once without a keeper or with nonsense on its input, after seconds when nobody answers. Only while
the daemon waits for a decision it waits too, as long as the program lets it, also through the replacement of a daemon.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import Command, option
from overmind_core.client.calls import result
from overmind_core.client.connect import PATIENCE
from overmind_core.client.reach import knock, knock_until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.client.connect import Connection
    from overmind_core.system.paths import Home

LIMIT = 5.0
"""Seconds for everything but a decision; the next daemon, when one has died, and a busy machine need some of them."""
TOKEN = "OVERMIND_HOOK_TOKEN"  # noqa: S105  (the name of a variable)


def hook(args: Namespace, context: Context) -> int:
    """Hand on one event; print a decision if there is one."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        decision = _told(_home(args, context), _request(args, context.environ))
        if decision:
            context.say(dumps(decision))
    except Exception:  # noqa: BLE001 - a process boundary: the agent's work is worth more than what we'd have learned
        return 0
    return 0


def _home(args: Namespace, context: Context) -> Home:
    return context.home if args.home is None else Context({"OVERMIND_HOME": args.home}).home


def _request(args: Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of the request.

    Raises:
        ValueError: standard input holds no JSON.
        KeyError: nobody says which mission, or proves it.
    """
    return {
        "mission": args.mission or environ["OVERMIND_MISSION_ID"],
        "token": args.token or environ[TOKEN],
        "payload": json.loads(sys.stdin.buffer.read()),
    }


def _told(home: Home, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  (an answer is any JSON)
    """Return what the daemon wants the program to read; None when that is nothing."""
    connection = _found(home)
    while connection is not None:
        try:
            return _asked(connection, request)
        except ConnectionError:  # the daemon is being replaced: a question waits for the next one
            connection.close()
            connection = knock_until(home, time.monotonic() + PATIENCE)
    return None


def _found(home: Home) -> Connection | None:
    """Return a connection to the daemon, or to the next one where a keeper sees to that."""
    connection = knock(home)
    if connection is None:
        from overmind_core.system.lock import holder_pid  # start-up: only when no daemon answers

        if holder_pid(home.keeper_lock) is not None:
            return knock_until(home, time.monotonic() + LIMIT)
    return connection


def _asked(connection: Connection, request: Mapping[str, Any]) -> Any:  # noqa: ANN401  (an answer is any JSON)
    """Read the daemon's stream: that it has the event, then perhaps a decision, then the end."""
    connection.send({"cmd": "hook", "args": dict(request), "id": 1})
    result(connection.receive())
    signal.setitimer(signal.ITIMER_REAL, 0.0)
    return connection.receive().get("item")


COMMAND = Command(
    name="hook",
    summary="hand an event of an agent's program to the daemon; for programs, not for people",
    options=[
        option("--home", "DIR", "the home (default: $OVERMIND_HOME)"),
        option("--mission", "ID", "the mission (default: $OVERMIND_MISSION_ID)"),
        option("--token", "TOKEN", f"what proves which run it is (default: ${TOKEN})"),
    ],
    examples=["overmind hook --mission a1b2c3d4 --token TOKEN < event.json"],
    notes=(
        "Reads one JSON object from standard input and prints what the program is to read, which is mostly nothing.\n"
        "Exits with 0 whatever happens, within seconds, except where a decision is waited for."
    ),
    run=hook,
)
