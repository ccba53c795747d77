"""`fork`: another session with the conversation that an agent has had so far."""

from __future__ import annotations

from overmind_core.cli.command import JSON, Command, argument, one_id, option
from overmind_core.cli.context import Context, text_of
from overmind_core.cli.definitions.run import request_key
from overmind_core.cli.definitions.start import start_mission
from overmind_core.cli.values import mission_name, whole_number
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import INTERRUPTED

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any


def fork(args: Namespace, context: Context) -> int:
    """Have it made, and say of what it is a copy."""
    request: dict[str, Any] = {"id": args.id, "request": request_key()}
    request |= {name: value for name in ("at", "name") if (value := getattr(args, name)) is not None}
    request |= {"prompt": text_of(args.prompt)} if args.prompt else {}
    args.wait = False
    mission = start_mission(args, context, "fork", request, message=forked_line)
    return INTERRUPTED if mission is None else 0


def forked_line(answer: Mapping[str, Any]) -> str:
    """Return what a person reads of a fork."""
    source = answer["source_name"] or answer["source"]
    at = "" if answer["at"] is None else f" at message {answer['at']}"
    return display_safe(f"Forked mission {answer['id']} ({answer['name']}) from {answer['source']} ({source}){at}")


FORK = Command(
    name="fork",
    arguments=[
        one_id(),
        argument("prompt", "first message of the fork; - reads it from standard input", nargs="*", metavar="PROMPT"),
    ],
    options=[
        option(
            "--at",
            "MESSAGE",
            "end the copy with the answer to this message; see: overmind messages",
            parse=whole_number,
        ),
        option("--name", "NAME", "name (default: that of the source with -fork)", short="-n", parse=mission_name),
        JSON,
    ],
    examples=[
        "overmind fork planner",
        "overmind fork planner 'try it with SQLite instead'",
        "overmind fork planner --at 4 --name planner-sqlite",
    ],
    notes=(
        "The fork is a session with the folder, the options and the rules of its source, which goes on as it is, also "
        "in a turn: the copy ends with its last finished turn. The cost of the fork starts at 0. A fork of an isolated "
        "mission has a worktree and a branch of its own, which begin with the commits and the uncommitted files of the "
        "source.\n"
        "claude, codex and opencode can fork, and an agent of your own that announces it; claude and codex at any "
        "message. A task can be forked after its end."
    ),
    run=fork,
)

COMMANDS = (FORK,)
