"""Commands about files of notes: memory export, memory import."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, argument, flag
from overmind_core.cli.context import Context
from overmind_core.cli.memory.asking import EXPORTED

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace


def export(args: Namespace, context: Context) -> int:
    """Write the notes of the repository to files."""
    from overmind_core.cli.memory import note_files  # start-up: it reads TOML

    return note_files.export(args, context)


def take_in(args: Namespace, context: Context) -> int:
    """Read files of notes, and have the daemon take them in."""
    from overmind_core.cli.memory import note_files  # the same

    return note_files.take_in(args, context)


_FOLDER = argument("folder", f"the folder (default: {EXPORTED} at the top of the repository)", nargs="?", metavar="DIR")

EXPORT = Command(
    name="memory export",
    arguments=[_FOLDER],
    options=[JSON],
    examples=["overmind memory export", "overmind memory export notes"],
    notes=(
        "A file for each live note of the repository, with the version it was written from. Files of forgotten notes "
        "are removed, other files stay, and so do changes that are not imported."
    ),
    run=export,
)
IMPORT = Command(
    name="memory import",
    arguments=[_FOLDER],
    options=[
        flag("--propose", "take them in as proposals, which a person accepts with: overmind note accept"),
        flag("--dry-run", "only print what would be taken in"),
        JSON,
    ],
    examples=["overmind memory import", "overmind memory import --dry-run"],
    notes=(
        "A changed file is the next version of its note; a missing file means nothing; forgotten notes stay forgotten. "
        "A file that is none of a note is refused by name, and the others are taken in."
    ),
    run=take_in,
)

COMMANDS = (EXPORT, IMPORT)
