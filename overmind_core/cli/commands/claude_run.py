"""`overmind claude run`: `overmind run --provider claude`, in the words that people use."""

from __future__ import annotations

from overmind_core.cli.commands import run as plain
from overmind_core.cli.context import Context
from overmind_core.cli.table import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def claude_run(args: Namespace, context: Context) -> int:
    """Start a Claude agent with a prompt."""
    args.provider = "claude"
    return plain.run(args, context)


COMMAND = Command(
    name="claude run",
    summary="start a Claude agent: run --provider claude",
    rest="PROMPT...",
    options=plain.OPTIONS,
    examples=[
        "overmind claude run fix the failing tests",
        "overmind claude run --wait --allowed-tools Bash 'run the tests and say what fails'",
        "git diff | overmind claude run --wait --max-cost 0.50 -",
        "overmind claude run --type session --name planner",
    ],
    notes=(
        "Options come before the prompt; -- ends them. Several words are joined; - reads the prompt from standard\n"
        "input. A task answers and ends; a session goes on with: overmind send"
    ),
    run=claude_run,
)
