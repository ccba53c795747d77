"""`overmind send`: a message for a session, and perhaps its answer."""

from __future__ import annotations

import os
import time

from overmind_core.cli.agent import RAW
from overmind_core.cli.context import Context
from overmind_core.cli.limits import limit, warn
from overmind_core.cli.output import dumps, shown
from overmind_core.cli.table import JSON, Command, argument, flag, one_id, option
from overmind_core.cli.text import text_of
from overmind_core.cli.values import milliseconds
from overmind_core.client.stream import ask
from overmind_core.errors import CODES, OvermindError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.client.calls import Client

    Json = Mapping[str, Any]

DELIVERY = 2.0
"""Seconds that `send` waits for the message to reach the agent."""
ANSWER = "60s"
_SLACK = 5.0
"""Seconds that the daemon's own word on a time that ran out may take."""
_REQUEST_KEY = 16
"""Random bytes that make the request's repetition recognisable."""


def send(args: Namespace, context: Context) -> int:
    """Send it, and say how far it came, or with --wait what was answered."""
    if not args.text:
        raise UsageError("Missing text. Write it, or - to read it from standard input. See: overmind send --help")
    text = text_of(args.text)
    client = context.client()
    if args.wait:
        _check_answers(client, args.id)
    message = client.call("send", _request(args, text))
    if args.wait:
        return _answer(args, context, client, message)
    if message["state"] == "queued":
        message = {**message, **progress(client, message, "delivered", DELIVERY)}
    fail_if_failed(message)
    context.say(dumps({name: message[name] for name in SHOWN}) if args.json else line(message))
    return 0


SHOWN = ("message", "state", "ahead", "id", "name")
"""What --json prints of a message that nobody waits for."""


def _request(args: Namespace, text: str) -> dict[str, Any]:
    request = {"id": args.id, "text": text, "request": os.urandom(_REQUEST_KEY).hex()}
    return request | ({"queue": True} if args.queue else {})


def _check_answers(client: Client, mission: str) -> None:
    """Refuse to wait for what never comes, before anything is sent.

    Raises:
        OvermindError: `invalid`, it is no agent.
    """
    (row,) = client.call("ps", {"ids": [mission]})
    if row["type"] == "session" and row["provider"] == RAW:
        raise OvermindError(
            "invalid", f"--wait: {row['name']} is a raw session, which doesn't say what an answer is. Send without it."
        )


def _answer(args: Namespace, context: Context, client: Client, message: Json) -> int:
    warn(args.timeout, context)
    args.timeout = args.timeout or ANSWER
    try:
        message = {**message, **progress(client, message, "answered", limit(args.timeout))}
    except KeyboardInterrupt:
        context.note(f"\nMessage {message['message']} stays. See: overmind messages {message['name']}")
        raise
    fail_if_failed(message)
    if message["state"] != "answered":
        raise OvermindError(
            "timeout",
            f"No answer to message {message['message']} within {args.timeout}; the message stays."
            f" See: overmind messages {message['name']}",
        )
    answer = {name: message[name] for name in ("text", "duration_ms", "cost_usd", "usage")}
    context.say(dumps(answer) if args.json else shown(answer["text"]))
    return 0


def progress(client: Client, message: Json, until: str, patience: float) -> Json:
    """Return how the message stands once it is `until`, has failed, or `patience` seconds have passed."""
    deadline = time.monotonic() + patience

    def request() -> tuple[str, Json]:
        left = max(0.0, deadline - time.monotonic())
        return "await_message", {"message": message["message"], "until": until, "timeout": left}

    found: Json = ask(client, request, deadline=deadline + _SLACK)
    return found


def fail_if_failed(message: Json) -> None:
    """Raise what became of a message that gets no answer.

    Raises:
        OvermindError: with the message's own code where it has one.
    """
    number, name = message["message"], message["name"]
    if message["state"] == "cancelled":
        raise OvermindError("not_found", f"Message {number} for {name} was withdrawn.")
    if message["state"] == "failed":
        error = message.get("error") or "exited"
        if error == "exited":
            raise OvermindError(
                "exited", f"{name} ended before it answered message {number}. See: overmind logs {name}"
            )
        code = error if error in CODES else "not_finished"
        raise OvermindError(code, f"The turn of message {number} failed: {error}. See: overmind logs {name}")


def line(message: Json) -> str:
    """Return what a person reads of a message on its way."""
    if message["state"] == "queued":
        return f"Queued for mission {message['id']} (message {message['message']}, {message['ahead']} ahead)"
    return f"Sent to mission {message['id']}"


COMMAND = Command(
    name="send",
    summary="send a session a message",
    arguments=[one_id(), argument("text", "the message; - reads it from standard input", nargs="*", metavar="TEXT")],
    options=[
        flag("--wait", "wait for the answer to this message, and print it"),
        option(
            "--timeout",
            "TIME",
            f"how long --wait waits, in ms (default {ANSWER}); then exit status 124",
            parse=milliseconds,
        ),
        flag("--queue", "also while a person has taken the session over"),
        JSON,
    ],
    examples=[
        "overmind send planner now write the tests",
        "overmind send planner --wait --timeout 5m 'what is left to do?'",
        "overmind send planner - < instructions.md",
        "overmind send planner --wait --json 'summarise' | jq -r .text",
    ],
    notes=(
        "An agent gets one message at a time, when it is idle; others queue, in order, and survive any crash.\n"
        "Without --wait it prints how far the message came within 2 seconds. When --timeout runs out the message\n"
        "stays: overmind messages. A text that begins with a dash stands after --."
    ),
    run=send,
)
