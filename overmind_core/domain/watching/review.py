"""A review of a mission by another agent: what that one is told, and what it says. No clock, no IO.

The reviewer gets what the mission was asked to do, what it did last, and what the guardian has found. All of that is
other people's text, in fences.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.domain.agents.turns import one_line
from overmind_core.domain.quests.briefing import Quotation, quoted
from overmind_core.domain.quests.variables import INPUTS, OUTPUTS
from overmind_core.domain.text.cells import display_safe
from overmind_core.domain.watching.guardian import Review, Term
from overmind_core.domain.watching.tool_window import ToolUse

REVIEW = "review.json"
"""What a reviewer hands in: `{"alignment": 0.4, "reason": "…", "message": "…"}`."""
HANDED_IN = (REVIEW, "verdict.json")
"""The same, and as reviewers of a quest's work call it; the first that is there counts."""
ACTIVITY = "activity.md"
LONGEST_TASK = 32 * 1024
LONGEST_MESSAGE = 4000
"""Characters."""
NAMED = 200
"""Changed files that are named."""


class Reviewed(NamedTuple):
    """What is known of a mission that is to be reviewed."""

    name: str
    task: str
    """What it was asked to do."""
    uses: tuple[ToolUse, ...]
    """Its newest calls of tools, oldest first."""
    changed: tuple[str, ...]
    """Files that it has changed."""
    terms: tuple[Term, ...]
    """What the guardian has found."""


def files(reviewed: Reviewed) -> dict[str, bytes]:
    """The files of a reviewer's input folder."""
    calls = "\n".join(map(_call, reviewed.uses)) or "(none is known)"
    changed = "\n".join(reviewed.changed[:NAMED]) or "(none is known)"
    found = "\n".join(f"{term.term}: {term.evidence}" for term in reviewed.terms if term.holds) or "(nothing)"
    parts = (
        "# What it did last",
        quoted(Quotation(reviewed.name, calls)),
        "# Files that it has changed",
        quoted(Quotation(reviewed.name, changed)),
        "# What was found of it",
        quoted(Quotation("the guardian", found)),
    )
    return {ACTIVITY: "\n\n".join(parts).encode(errors="replace")}


def _call(use: ToolUse) -> str:
    if not use.returned:
        return f"- {use.summary}"
    return f"- {use.summary}: failed: {use.error}" if use.failed else f"- {use.summary}: ok"


def prompt(reviewed: Reviewed, *, inputs: str, outputs: str) -> str:
    """What a reviewer is told.

    Args:
        reviewed: The mission.
        inputs: The folder with `files`. Wire form.
        outputs: The folder in which it puts its review. Wire form.
    """
    task = quoted(Quotation(f"the task of {reviewed.name}", reviewed.task[:LONGEST_TASK]))
    lines = (
        "An agent works on the task above, in this folder; change nothing here, and do not do the task. Its"
        f" last steps are in {inputs}/{ACTIVITY} (${INPUTS}). Judge whether it still does what the task wants. Then"
        f' write {{"alignment": NUMBER, "reason": "TEXT", "message": "TEXT"}} to {outputs}/{REVIEW} (${OUTPUTS}):'
        " NUMBER is 1 if it does exactly that, 0 if it does something else or gets nowhere; reason says why in one"
        " sentence; message is what the agent should be told, empty if nothing."
    )
    return f"{task}\n{lines}"


def read_review(data: bytes, at: float) -> Review | None:
    """What a reviewer has said, `at` seconds since the epoch; None for what can't be used."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    alignment = _number(found)
    if alignment is None:
        return None
    reason = " ".join(_text(found, "reason").split())
    message = _text(found, "message").strip()[:LONGEST_MESSAGE]
    return Review(at, round(alignment, 4), one_line(display_safe(reason)), message)


def first_of(found: Mapping[str, bytes]) -> bytes | None:
    """Of the files that were handed in the one that counts."""
    return next((found[name] for name in HANDED_IN if name in found), None)


def _number(found: Mapping[str, Any]) -> float | None:
    value = found.get("alignment")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and 0.0 <= number <= 1.0 else None


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name, "")
    return value if isinstance(value, str) else ""
