"""Sessions of the stand-in for `claude`, begun and talked to through the socket: no process for each word."""

from __future__ import annotations

import itertools
from typing import Any

from tests.kit.overmind import Overmind
from tests.kit.raw_socket import RawSocket
from tests.kit.waiting import eventually

Json = dict[str, Any]


def begun(om: Overmind, name: str) -> str:
    """Start a session, and return its id."""
    how = {"command": "", "type": "session", "provider": "claude"}
    return str(om.api("run", **how, name=name, cwd=om.home, env=om.environment)["id"])


def greeted(om: Overmind, name: str) -> str:
    """Start a session, and return its id when it has answered once."""
    mission = begun(om, name)
    answer(om, mission, "hello")
    return mission


def say(om: Overmind, mission: str, text: str) -> Json:
    """Send a message and wait for nothing."""
    return dict(om.api("send", id=mission, text=text))


def answer(om: Overmind, mission: str, text: str) -> str:
    """Send a message, and return what is answered."""
    ended = om.api("await_message", message=say(om, mission, text)["message"], until="answered")
    assert ended["state"] == "answered", ended
    return str(ended["text"])


def messages(om: Overmind, mission: str) -> list[str]:
    """What a session was told."""
    return [message["text"] for message in om.api("messages", id=mission)]


def inbox(om: Overmind) -> list[Json]:
    """All questions that nobody has answered."""
    return list(om.api("inbox"))


def asks(om: Overmind, name: str, text: str) -> Json:
    """Have a session ask something; return its question."""
    say(om, name, text)
    return eventually(lambda: [one for one in inbox(om) if one["name"] == name], what="a question")[0]


def events(om: Overmind) -> list[Json]:
    """All that has happened in the home."""
    with RawSocket.connect(om.home) as api:
        api.ok("events")
        return [line["item"] for line in itertools.takewhile(lambda line: "end" not in line, api.lines())]
