"""How quests look on the command line, and the options that begin one; shared by its commands."""

from __future__ import annotations

from overmind_core.cli.agent import PROVIDER
from overmind_core.cli.commands import run as plain
from overmind_core.cli.output import ABSENT, command_cell, or_absent, table
from overmind_core.cli.table import Parameter, argument, option
from overmind_core.cli.values import whole
from overmind_core.domain.duration import format_uptime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = Mapping[str, Any]

COLOURS = {
    "running": "32",
    "completed": "2",
    "failed": "31",
    "cancelled": "35",
    "waiting": "2",
    "paused": "36",
    "queued": "33",
    "starting": "33",
    "skipped": "33",
    "missed": "33",
}
"""Status → SGR number, see ECMA-48."""

COLUMNS: dict[str, Callable[[Row], str]] = {
    "ID": lambda row: row["id"],
    "NAME": lambda row: row["name"],
    "STATUS": lambda row: row["status"],
    "TRIES": lambda row: f"{row['attempts']}/{row['retries'] + 1}",
    "DURATION": lambda row: format_uptime(row["duration_seconds"]),
    "EXIT": lambda row: or_absent(row["exit_code"]),
    "REASON": lambda row: or_absent(row["reason"]),
    "COMMAND": lambda row: command_cell(row["command"]),
}
"""Title → cell of a row of `quest list --json`."""

_OTHERWISE = ("--type", "--restart", "--max-restarts", "--max-seconds")
"""Options of `run` that mean nothing here: a quest ends, and is tried again by --retries."""
OWN = [
    option("--check", "CMD", "a shell command: done is what makes it exit 0, run after the work in the same place"),
    option("--retries", "N", "try it N times more when the work or the check fails (default 0)", parse=whole),
]


def run_options(*left_out: str) -> list[Parameter]:
    """Return the options of `run` that a quest has too, its own first, the provider among them."""
    taken = {*_OTHERWISE, *left_out}
    return [*OWN, PROVIDER, *(one for one in plain.OPTIONS if not taken & set(one.names))]


def request_of(args: Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of the request `quest_run`.

    Raises:
        OvermindError: something that no program can be given.
    """
    for name in ("type", "restart", "max_restarts", "max_seconds"):
        setattr(args, name, None)
    request = plain.request_of(args, environ)
    return request | {name: value for name in ("check", "retries") if (value := getattr(args, name)) is not None}


def quests(nargs: str | None = "+") -> Parameter:
    """Return the quests that a command is about, in `args.ids`; one, in `args.id`, when `nargs` is None."""
    name = "ids" if nargs else "id"
    return argument(name, "id, name, or at least 3 characters of the id", nargs=nargs, metavar="quest")


def shown(rows: Sequence[Row], *, colours: Mapping[str, str] | None) -> str:
    """Return the table of quests."""
    return table(list(COLUMNS), [[cell(row) for cell in COLUMNS.values()] for row in rows], colours=colours)


def seconds_cell(seconds: float | None) -> str:
    """Return how long something took."""
    return ABSENT if seconds is None else format_uptime(seconds)
