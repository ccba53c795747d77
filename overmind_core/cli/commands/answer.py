"""`overmind answer`: a question of an agent gets its answer."""

from __future__ import annotations

from overmind_core.cli.context import Context
from overmind_core.cli.output import dumps
from overmind_core.cli.table import JSON, Command, argument, option
from overmind_core.domain.cells import display_safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

BEHAVIOURS = ("allow", "deny", "always")
_LONGEST_NUMBER = 7
"""Digits; eight may be an id."""


def answer(args: Namespace, context: Context) -> int:
    """Answer it, and say what was answered."""
    told = context.client().call("answer", _request(args))
    if args.json:
        context.say(dumps(told))
    else:
        context.say(
            f"Answered question {told['question']} of mission {told['id']} ({display_safe(told['name'])}):"
            f" {told['behaviour']}"
        )
    return 0


def _request(args: Namespace) -> dict[str, Any]:
    request = named(args.question) | {"behaviour": args.behaviour}
    if args.message is not None:
        request["message"] = args.message
    if args.option:
        request["options"] = args.option
    return request


def named(word: str) -> dict[str, Any]:
    """Return which question a word means: a number is one, anything else a mission, whose oldest one it is."""
    if word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER:
        return {"question": int(word)}
    return {"id": word}


COMMAND = Command(
    name="answer",
    summary="answer a question that an agent has asked; see them with: inbox",
    arguments=[
        argument("question", "the question's number, or the mission: then its oldest question", metavar="question"),
        argument("behaviour", "allow, deny, or always: allow it now and from now on", choices=BEHAVIOURS),
    ],
    options=[
        option("--message", "TEXT", "what the agent is told; the answer to a question in your own words", short="-m"),
        option("--option", "LABEL", "the option that you choose (repeatable)", short="-o", repeat=True),
        JSON,
    ],
    examples=[
        "overmind answer 7 allow",
        "overmind answer api deny --message 'use make clean instead'",
        "overmind answer 9 allow --option PostgreSQL",
        "overmind answer 7 always        # stores the rule that inbox shows",
    ],
    notes="A question is answered once: whoever comes later is told who has answered. Missions can't answer.",
    run=answer,
)
