"""Answers of the API, as they are recorded, against the types that their handlers declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Union

from overmind_core.daemon.routes import TABLE
from scripts.reference.answer_types import Answers, answers
from tests.kit.declared import problems


def answer_problems(line: Mapping[str, Any]) -> Iterator[str]:
    """Yield what in one recorded request's answers is not as declared; refusals are none of them."""
    command = line["cmd"]
    if command not in TABLE:
        return
    for frame in line.get("frames", [line]):
        if "ok" in frame:
            yield from problems(frame["ok"], Union[_declared(command).first], command)  # noqa: UP007 - of a tuple
        elif "item" in frame and _declared(command).items:
            yield from problems(frame["item"], Union[_declared(command).items], f"{command} item")  # noqa: UP007 - same
        elif "item" in frame:
            yield f"{command}: declares no stream"
        elif frame.get("end"):
            yield f"{command}: {frame['end']!r} ends the stream"


@cache
def _declared(command: str) -> Answers:
    return answers(TABLE[command].handle)
