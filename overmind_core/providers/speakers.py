"""The speaker of a line of a readable transcript, told by the signs that `lines` puts before it. Pure."""

from __future__ import annotations

import re

from overmind_core.providers.lines import FAILED, GEAR

AGENT, TOOL, OUTPUT = "agent", "tool", "output"
"""The agent itself, a tool that it uses, or its program."""
_PART = r"(?:\d+ turns?|\d+(?:\.\d)? s|\d+ min \d+ s|\d+ h \d+ min|~?\$[\d.]+|[\d.]+[kM]? in / [\d.]+[kM]? out)"
_ASIDE = re.compile(
    rf"— (?:turn over|{_PART}(?:, {_PART})*|the conversation was summarised to make room) —"
    r"|… .*: try \d+ of \d+ in [\d.]+ s"
)
_TOOL = re.compile(rf"\s*{GEAR} (.*) → (?:ok|no answer|{FAILED} (?:failed|(.*?)))(?:, \d+\.\d s)?", re.DOTALL)
_QUESTION = re.compile(r"\s*\? (?:permission|question|plan|setup|draft): (.*)", re.DOTALL)
_FAILURE = re.compile(rf"{FAILED} [a-z_]+(?: \d+)?(?:: (.*))?", re.DOTALL)


def speaker_of(line: str) -> tuple[str, str]:
    """Return whose line of a transcript this is, and the part of its text that is theirs: "" where all is ours."""
    if _ASIDE.fullmatch(line):
        return OUTPUT, ""
    if found := _TOOL.fullmatch(line):
        return TOOL, " ".join(filter(None, found.groups()))
    if found := _QUESTION.fullmatch(line):
        return TOOL, found[1]
    if found := _FAILURE.fullmatch(line):
        return OUTPUT, found[1] or ""
    return AGENT, line
