"""`overmind --headless COMMAND`: which commands there are, and the options that stand before them."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.headless.options import REPORTS, TOTAL_TIMEOUT
from overmind_core.cli.parser import parse
from overmind_core.cli.table import Command
from overmind_core.errors import OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

COMMANDS: dict[str, str] = {"run": "overmind_core.cli.headless.run", "apply": "overmind_core.cli.headless.apply"}
"""Command → module, whose `COMMAND` is run with what `overmind --headless COMMAND` was given."""


def headless(words: list[str], context: Context) -> int:
    """Run `words`, the command line after `--headless`, and return its exit status."""
    before = parse(FRONT, words)
    if not before.rest:
        raise UsageError("Missing command. Write for example: overmind --headless run 'make test'")
    name, *rest = before.rest
    if name not in COMMANDS:
        agent = " An agent: overmind --headless run --provider claude 'PROMPT'" if name == "claude" else ""
        raise OvermindError("unknown_command", f"There is no headless {name!r}, only: {', '.join(COMMANDS)}.{agent}")
    command = find(name)
    return command.run(_joined(before, parse(command, rest)), context)


def find(name: str) -> Command:
    """Return the headless command called `name`, loading its module."""
    command = __import__(COMMANDS[name], fromlist=["COMMAND"]).COMMAND
    assert isinstance(command, Command)
    return command


def _joined(before: Namespace, after: Namespace) -> Namespace:
    """Put what stood before the command to what stood behind it, which wins."""
    after.total_timeout = before.timeout
    for name in ("home", "events", "junit"):
        if getattr(after, name) is None:
            setattr(after, name, getattr(before, name))
    return after


def _nothing(_args: Namespace, _context: Context) -> int:
    raise UsageError("Missing command.")


FRONT = Command(
    name="--headless",
    summary="run something to its end in the foreground, for CI: no daemon, and nothing is left",
    rest="run CMD... | apply FILE",
    options=[*REPORTS, TOTAL_TIMEOUT],
    examples=[
        "overmind --headless run 'make test'",
        "overmind --headless --timeout 30m run --restart on-failure -- pytest -x",
        "overmind --headless --junit report.xml apply ci.toml",
    ],
    notes="See also: overmind --headless run --help, overmind --headless apply --help",
    run=_nothing,
)
