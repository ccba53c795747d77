"""The command `report`: what a mission, or a person, has found beside the task."""

from __future__ import annotations

import os

from overmind_core.cli import caller_environment
from overmind_core.cli.command import JSON, Command, argument, flag, option
from overmind_core.cli.context import Context, text_of
from overmind_core.cli.output import dumps
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import INTERRUPTED

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

KINDS = ("bug", "security", "missing", "question", "debt", "perf", "idea", "decision")
_REQUEST_KEY = 16


def report(args: Namespace, context: Context) -> int:
    """Report it, and with --wait print the answer; the exit status tells only whether it was heard."""
    from overmind_core.client.stream import follow  # start-up: --help needs none

    request = {
        "kind": args.kind,
        "text": text_of([args.text]),
        "title": args.title,
        "evidence": args.evidence,
        "because": args.because,
        "block": args.block,
        "wait": args.wait,
        "cwd": caller_environment.working_directory(None),
        "env": caller_environment.inherited_variables(context.environ, clean=False),
        "request": os.urandom(_REQUEST_KEY).hex(),
    }
    reported: Mapping[str, Any] | None = None
    try:
        for kind, item in follow(context.client(), lambda: ("report", request)):
            if kind == "ok" and reported is None:
                reported = item
                if args.json:
                    context.print(dumps(item))
                elif not (args.wait and item["question"] is not None):
                    context.print(display_safe(line_of(item) + _until(item, args, context)))
                else:
                    context.note(display_safe(line_of(item)))
            elif kind == "item":
                context.print(dumps(item) if args.json else item["message"] or _SAID[item["behaviour"]])
                return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _until(reported: Mapping[str, Any], args: Namespace, context: Context) -> str:
    """Until when a question is asked that a mission does not wait for."""
    is_asked = args.kind == "question" and reported["question"] is not None and "OVERMIND_MISSION_ID" in context.environ
    return " (asked until this mission ends; --wait waits for the answer)" if is_asked else ""


_SAID = {"allow": "yes", "deny": "no"}
"""What an answer without words says."""


def line_of(reported: Mapping[str, Any]) -> str:
    """Return what a person reads of a report."""
    quest, why = reported["quest"], reported["why"]
    more = f" ({why})" if why else ""
    if reported["count"] > 1:
        name = quest["name"] if quest else f"question {reported['question']}" if reported["question"] else "recorded"
        return f"Reported before: {name} ({reported['count']} times)"
    if quest is not None:
        return f"Reported: {quest['name']} queued{more}"
    if reported["kind"] == "question" and reported["question"] is not None:
        return f"Reported: question {reported['question']}"
    if reported["question"] is not None:
        return f"Recorded, not queued: {why}. A person is asked (question {reported['question']})."
    return f"Recorded, not queued: {why}" if reported["report"] == 0 else f"Reported: recorded{more}"


REPORT = Command(
    name="report",
    arguments=[
        argument("kind", f"one of {', '.join(KINDS)}", choices=KINDS),
        argument("text", "the finding; - reads standard input"),
    ],
    options=[
        option("--title", "TITLE", "title of the quest that it becomes (default: the beginning of the text)"),
        option("--evidence", "PATH:LINE", "a place that shows it (repeatable)", repeat=True),
        option("--because", "TEXT", "why it matters"),
        flag("--block", "this quest needs it: begin its attempt again once that is done"),
        flag("--wait", "with a question: wait for the answer, and print it"),
        JSON,
    ],
    examples=[
        "overmind report bug 'the parser accepts empty names' --evidence src/parse.py:41",
        "overmind report question 'Which port does the API use?' --wait",
        "overmind report idea 'cache the index'",
    ],
    notes=(
        "bug, security and missing become quests, within the limits of [reports] in config.toml; question asks a "
        "person, inside a mission until that ends; all else is recorded. The same text is only counted while "
        "the quest or the question that came of it is open."
    ),
    run=report,
)

COMMANDS = (REPORT,)
