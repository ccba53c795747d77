"""Where the scripted agent plays: what it may do in front of its audience, whoever that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

QUESTION = "AskUserQuestion"
"""The tool that is a question."""


class Interrupted(Exception):
    """A person has ended the turn."""


class Reply(NamedTuple):
    """The answer to a question."""

    allowed: bool
    said: str = ""
    """Words that came with a refusal."""
    chosen: str = ""
    """The option, where there were some; or the person's own words."""


class Stage(Protocol):
    """Each raises `Interrupted` as soon as a person wants that."""

    def say(self, text: str) -> None:
        """Tell the audience something."""

    def call(self, tool: str, subject: Mapping[str, Any]) -> str:
        """Announce the use of a tool; returns the call's name."""

    def returned(self, call: str, text: str, *, failed: bool = False) -> None:
        """What the tool gave back."""

    def ask(self, call: str, tool: str, subject: Mapping[str, Any]) -> Reply:
        """Ask whether the tool may be used, and wait for the answer."""

    def wait(self, seconds: float) -> None:
        """Take time."""


def question(text: str, options: Mapping[str, str]) -> dict[str, Any]:
    """What a choice is about: a question, and each option with its meaning."""
    choices = [{"label": label, "description": about} for label, about in options.items()]
    return {"questions": [{"question": text, "header": "Choice", "options": choices, "multiSelect": False}]}
