"""What is told of messages that were sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from overmind_tui.inbox.messages import Drafts, MessageActions
from overmind_tui.shell.remembered import Remembered

QUEUED = {"message": 7, "state": "queued", "ahead": 0}
EVENTS = [
    ({"type": "message_delivered"}, "api received the message"),
    ({"type": "message_answered"}, "api answered"),
    (
        {"type": "message_failed", "error": "exited"},
        "api ended before it read the message · m, then up, restores the text",
    ),
    ({"type": "message_failed", "error": "api_error 529"}, "api: api_error 529 · m, then up, restores the text"),
]


def acting(tmp_path, events=()):
    """The actions, below a program that has seen these events, and what they tell."""
    flashes: list[str] = []
    fleet: Any = SimpleNamespace(events_about=lambda _key: [*events])
    shell: Any = SimpleNamespace(fleet=fleet, flash=lambda *one: flashes.append(one[0]))
    return MessageActions(shell, Drafts(Remembered(Home(str(tmp_path))), lambda **_: None)), flashes


@pytest.mark.parametrize(("event", "said"), EVENTS)
def test_what_becomes_of_a_message_is_said_with_the_way_back_to_its_text(tmp_path, event, said):
    message_actions, flashes = acting(tmp_path)
    message_actions.sent({"api": QUEUED}, "go on")
    message_actions.happened([{"message": 7, **event}])
    assert flashes == ["queued for api", said]
    assert message_actions.drafts.sent == ["go on"]


def test_the_fate_of_an_earlier_message_is_not_told_as_that_of_the_one_just_sent(tmp_path):
    events: list[dict[str, Any]] = []
    message_actions, flashes = acting(tmp_path, events)
    message_actions.sent({"api": QUEUED}, "ask")
    events.append({"message": 7, "type": "message_delivered"})
    message_actions.happened(events[-1:])
    message_actions.sent({"api": {**QUEUED, "message": 8}}, "work")
    assert flashes == ["queued for api", "api received the message", "queued for api"]
    message_actions.happened([{"message": 7, "type": "message_delivered"}, {"message": 8, "type": "message_delivered"}])
    assert flashes[3:] == ["api received the message"], "each is received once"


def test_what_became_of_a_message_before_its_answer_came_is_told(tmp_path):
    message_actions, flashes = acting(tmp_path, [{"message": 7, "type": "message_delivered"}])
    message_actions.sent({"api": QUEUED}, "go on")
    assert flashes == ["queued for api", "api received the message"]


ENDED = OvermindError("not_running", "It has ended.")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([{"interrupted": True}], "interrupted a"),
        ([{"interrupted": False}], "a: no turn in progress"),
        ([{"interrupted": False}, {"interrupted": False}], "no turn in progress"),
        ([{"interrupted": True}, {"interrupted": False}], "interrupted 1 of 2"),
        ([ENDED], "It has ended."),
        ([ENDED, ENDED], "It has ended."),
        ([ENDED, OvermindError("busy", "A person types.")], "It has ended. · A person types."),
        ([{"interrupted": True}, ENDED], "interrupted 1 of 2 · It has ended."),
    ],
)
def test_what_became_of_interrupted_turns_is_said_and_of_each_refusal_why(tmp_path, answers, said):
    message_actions, flashes = acting(tmp_path)
    shell: Any = message_actions._shell
    shell.request = lambda _command, _requests, on_result: on_result(answers)
    message_actions.interrupt([{"id": name, "name": name} for name in "ab"[: len(answers)]])
    assert flashes == [said]
