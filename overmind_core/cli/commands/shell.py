"""`overmind shell`: the person's shell in a mission's folder and environment, beside it and no part of it."""

from __future__ import annotations

import os
import sys

from overmind_core.cli.context import Context
from overmind_core.cli.table import Command, one_id
from overmind_core.domain.cells import display_safe
from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

SHELL = "/bin/sh"
TERMINAL = frozenset({"COLORTERM", "COLUMNS", "INVOCATION_ID", "LINES", "STY", "TERM", "VTE_VERSION", "WINDOWID"})
FAMILIES = ("TMUX", "TERM_PROGRAM", "KITTY_", "WEZTERM_", "ITERM_", "SSH_")
"""Variables that tell about the terminal in front of the person, not about that of whoever started the mission."""


def shell(args: Namespace, context: Context) -> int:
    """Become the shell."""
    answer = context.client().call("environment", {"id": args.id})
    cwd, name = from_wire(answer["cwd"]), answer["name"]
    try:
        os.chdir(cwd)
    except OSError as error:
        raise OvermindError(
            "cwd_not_found", f"The folder {cwd} of mission {answer['id']} ({name}) can't be entered: {error.strerror}."
        ) from None
    variables = {from_wire(key): from_wire(value) for key, value in answer["env"].items()}
    program = context.environ.get("SHELL") or variables.get("SHELL") or SHELL
    context.hint(f"[{display_safe(name)}: {display_safe(cwd)} · exit comes back]")
    context.close()
    os.umask(answer["umask"])
    return _become(program, here(variables, context.environ))


def here(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the mission's variables with those of the terminal that the caller sits at."""
    kept = {name: value for name, value in variables.items() if not _of_terminal(name)}
    return kept | {name: value for name, value in environ.items() if _of_terminal(name)}


def _of_terminal(name: str) -> bool:
    return name in TERMINAL or name.startswith(FAMILIES)


def _become(program: str, environment: Mapping[str, str]) -> int:
    sys.stdout.flush()
    try:
        os.execvpe(program, [program], environment)  # noqa: S606 - the person's own shell
    except OSError as error:
        raise OvermindError("invalid", f"The shell {program} can't be started: {error.strerror}. Set SHELL.") from None


COMMAND = Command(
    name="shell",
    summary="open your $SHELL in a mission's folder, with its environment",
    arguments=[one_id()],
    examples=["overmind shell api", "echo 'git status' | overmind shell api"],
    notes=(
        "The shell stands beside the mission: it goes on when the mission ends, and ends nothing when it does. It has\n"
        "the variables that the mission's programs have, but for those by which a process is known to belong to it.\n"
        "To type into the mission itself: overmind attach"
    ),
    run=shell,
)
