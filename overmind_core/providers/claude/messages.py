"""What is written to a `claude` that reads lines of JSON: messages, an interrupt, answers to its questions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import Asked, Behaviour, Decision
from overmind_core.domain.agents.choices import choices_of

DENIED = "A person denied this."
"""What the agent reads where the person said nothing else; the program wants a sentence."""


def prompt(text: str) -> bytes:
    """The prompt of a task, which may be a command of the program's own, such as `/review`."""
    return _line(_user(text))


def message(text: str, uuid: str) -> bytes:
    """A message for a session, delivered as it is; the program repeats `uuid` with it."""
    as_written = {"text_not_typed": True} if text.startswith("/") else {}
    return _line({**_user(text), **as_written, "uuid": uuid})


def interrupt(request: str) -> bytes:
    """What ends the turn under way."""
    return _line({"type": "control_request", "request_id": request, "request": {"subtype": "interrupt"}})


def answer(question: Asked, decision: Decision) -> bytes:
    """The answer to `question`."""
    response = {"subtype": "success", "request_id": question.request, "response": decision_json(question, decision)}
    return _line({"type": "control_response", "response": response})


def decision_json(question: Asked, decision: Decision) -> dict[str, Any]:
    """The decision in the program's form, which its permission hook uses, too.

    The whole input goes back with an "allow": some tools (questions, plans) take one without it for no answer.
    """
    if decision.behaviour is Behaviour.DENY:
        return {"behavior": "deny", "message": decision.message or DENIED}
    subject = dict(question.subject)
    if question.need is AgentNeed.QUESTION:
        subject["answers"] = _answers(question, decision)
    return {"behavior": "allow", "updatedInput": subject}


def _answers(question: Asked, decision: Decision) -> dict[str, str]:
    """What was chosen, by question: its labels, or the person's own words where none was."""
    found: dict[str, str] = {}
    choices = choices_of(question.subject)
    for asked, labels in zip(choices, decision.chosen or ((),) * len(choices), strict=True):
        if answer_text := ", ".join(labels) or decision.message:
            found[asked.text] = answer_text
    return found


def _user(text: str) -> dict[str, Any]:
    return {"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": text}]}}


def _line(value: Mapping[str, Any]) -> bytes:
    """Escaped to ASCII: valid whatever the text holds, and never more than one line."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
