"""What is told of messages that were sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from overmind_core.system.paths import Home
from overmind_core.view.fleet import Fleet
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


@pytest.mark.parametrize(("event", "said"), EVENTS)
def test_what_becomes_of_a_message_is_said_with_the_way_back_to_its_text(tmp_path, event, said):
    flashes: list[str] = []
    shell: Any = SimpleNamespace(fleet=Fleet(), flash=lambda *one: flashes.append(one[0]))
    message_actions = MessageActions(shell, Drafts(Remembered(Home(str(tmp_path))), lambda **_: None))
    message_actions.sent({"api": QUEUED}, "go on")
    message_actions.happened([{"message": 7, **event}])
    assert flashes == ["queued for api", said]
    assert message_actions.drafts.sent == ["go on"]
