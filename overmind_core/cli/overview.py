"""`overmind --help`: every command with its one line, in groups."""

from __future__ import annotations

from overmind_core.cli.main import find
from overmind_core.cli.table import GROUPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = """usage: overmind COMMAND [options]

Runs agents and other long work under supervision, and never loses any of it."""

TAIL = """In CI: overmind --headless run COMMAND (see overmind --headless --help)
<id> is an id, a name, or at least 3 characters of an id.
Home: $OVERMIND_HOME, default ~/.overmind. Each command explains itself: overmind COMMAND --help"""


def overview() -> str:
    """Return the text; loads every command's module."""
    width = max(len(name) for names in GROUPS.values() for name in names)
    groups = [
        "\n".join([f"{title}:", *(f"  {name:<{width}}  {find(name).summary}" for name in names)])
        for title, names in GROUPS.items()
    ]
    return "\n\n".join([HEAD, *groups, TAIL])


def overview_of(name: str, commands: Sequence[str]) -> str:
    """Return the same of the commands that begin with one word."""
    width = max(map(len, commands))
    lines = [f"  {one:<{width}}  {find(one).summary}" for one in commands]
    return "\n".join(
        [f"usage: overmind {name} COMMAND [options]", "", *lines, "", f"See: overmind {commands[0]} --help"]
    )
