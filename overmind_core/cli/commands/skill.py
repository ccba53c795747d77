"""`overmind skill`: how an agent runs other agents, told to that agent."""

from __future__ import annotations

from overmind_core.cli import skill as instructions
from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

FORMATS = ("text", "claude")


def skill(args: Namespace, context: Context) -> int:
    """Print the instructions."""
    if args.json:
        context.say(
            dumps({"name": instructions.NAME, "description": instructions.DESCRIPTION, "text": instructions.text()})
        )
    else:
        text = instructions.skill_file() if args.format == "claude" else instructions.text()
        context.say(text.rstrip("\n"))
    return 0


COMMAND = Command(
    name="skill",
    summary="print our instructions for an agent that runs agents",
    options=[
        option("--format", "FORMAT", "text (default), or claude: a SKILL.md with its name and use", choices=FORMATS),
        JSON,
    ],
    examples=[
        "overmind skill",
        'claude --append-system-prompt "$(overmind skill)"',
        "mkdir -p .claude/skills/overmind && overmind skill --format claude > .claude/skills/overmind/SKILL.md",
    ],
    notes=(
        "They tell how to divide work, start agents, wait, check, record and go on, with the exact commands.\n"
        "overmind run --orchestrator starts an agent that has them."
    ),
    run=skill,
)
