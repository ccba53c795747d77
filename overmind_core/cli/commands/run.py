"""`overmind run`: start a mission in the caller's world."""

from __future__ import annotations

import os

from overmind_core.cli import caller
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.policy import POLICY, given_policy
from overmind_core.cli.table import JSON, Command, flag, option
from overmind_core.cli.values import label, terminal_size
from overmind_core.errors import INTERRUPTED, OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

MILLISECONDS_MEANT = 1000
"""A bare --timeout below this was probably meant in seconds."""
_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def run(args: Namespace, context: Context) -> int:
    """Start it, and with --wait follow it to its end."""
    request = request_of(args, context.environ)
    warn(args, context)
    client = context.client(start=True)
    mission = client.call("run", request)
    if args.json:
        context.say(dumps({"id": mission["id"], "name": mission["name"]}))
    else:
        tell = context.note if args.wait else context.say
        tell(f"Started mission {mission['id']} ({mission['name']})")
    return _follow(context, mission) if args.wait else 0


def request_of(args: Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of the request `run`.

    Raises:
        OvermindError: something that no program can be given.
    """
    request = given_policy(args) | {
        "command": _command(args.rest),
        "cwd": caller.folder(args.cwd),
        "umask": caller.umask(),
        "env": caller.inherited(environ, clean=args.clean_env),
        "env_set": caller.chosen(args.env_file, args.env, environ),
        "interactive": args.interactive,
        "tty": not args.no_tty,
        "labels": dict(args.label),
        "request": os.urandom(_REQUEST_KEY).hex(),
    }
    request |= {name: value for name in ("name", "type", "parent") if (value := getattr(args, name)) is not None}
    if args.size is not None:
        request["columns"], request["rows"] = args.size
    return request


def _command(words: list[str]) -> str | list[str]:
    """Return a shell string for one word, an argv for several.

    Raises:
        OvermindError: `empty_command`, `too_large`, `invalid`.
    """
    if not words or not words[0].strip():
        raise OvermindError("empty_command")
    caller.check_arguments(words)
    return words[0] if len(words) == 1 else words


def warn(args: Namespace, context: Context) -> None:
    """Say what was probably meant otherwise."""
    given = args.timeout or ""
    if given.isdigit() and 0 < int(given) < MILLISECONDS_MEANT:
        context.note(f"Warning: --timeout {given} means {given} milliseconds; for seconds write {given}s")


def _follow(context: Context, mission: Mapping[str, Any]) -> int:
    from overmind_core.cli.attend import attend  # start-up: only with --wait

    try:
        return attend(context, mission["id"])
    except KeyboardInterrupt:
        context.note(f"\nMission {mission['id']} runs on. Return with: overmind logs -f {mission['name']}")
        return INTERRUPTED


COMMAND = Command(
    name="run",
    summary="start a mission",
    rest="CMD...",
    options=[
        option("--name", "NAME", "instead of a generated one"),
        flag("--wait", "follow its output and exit with its code; ctrl-c leaves it alive"),
        option("--cwd", "FOLDER", "its working directory (default: this one)"),
        option(
            "--env", "NAME=VALUE", "a variable; NAME alone takes the caller's (repeatable)", short="-e", repeat=True
        ),
        option("--env-file", "FILE", "NAME=VALUE lines (repeatable)", repeat=True),
        flag("--clean-env", "of the caller's variables only HOME, PATH, LANG and the like"),
        option("--label", "KEY=VALUE", "a label to select it by (repeatable)", parse=label, repeat=True),
        option("--type", "TYPE", "task (default) or session", choices=("task", "session")),
        option("--parent", "ID", "the mission it is a child of"),
        *POLICY,
        option("--size", "COLUMNSxROWS", "its terminal (default 80x24)", parse=terminal_size),
        flag("--interactive", "a terminal as stdin too, instead of none", short="-i"),
        flag("--no-tty", "pipes instead of a terminal, stdout and stderr kept apart"),
        JSON,
    ],
    examples=[
        "overmind run 'make test && make install'",
        "overmind run --name api --restart always ./server --port 8080",
        "overmind run --wait --timeout 10m -- pytest -x",
    ],
    notes=(
        "Options come before the command; -- ends them. One word is a shell string; several words are run\n"
        "without a shell, as they are. Bare numbers are ms for --timeout and --backoff, seconds elsewhere;\n"
        "ms, s, m, h and d are understood everywhere."
    ),
    run=run,
)
