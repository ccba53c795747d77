"""What one use of a tool is about, in one line, and what a question about it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from overmind_core.domain.activity import Need
from overmind_core.domain.agentfacts import Asked
from overmind_core.providers.objects import Object, objects, one_line, text

QUESTION_TOOL = "AskUserQuestion"
PLAN_TOOL = "ExitPlanMode"

SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "Bash": ("command",),
    "Read": ("file_path",),
    "Edit": ("file_path",),
    "MultiEdit": ("file_path",),
    "Write": ("file_path",),
    "NotebookEdit": ("notebook_path",),
    "Glob": ("pattern", "path"),
    "Grep": ("pattern", "path"),
    "LS": ("path",),
    "WebFetch": ("url",),
    "WebSearch": ("query",),
    "Task": ("description", "prompt"),
    "Agent": ("description", "prompt"),
    "Skill": ("skill", "args"),
    PLAN_TOOL: ("plan",),
}
"""The fields of a tool's input that say what it is about."""

_ANY = ("command", "file_path", "path", "url", "query", "pattern", "description", "prompt", "name")
"""Of other tools: the first of these."""

DIALOGS = {QUESTION_TOOL: Need.QUESTION, PLAN_TOOL: Need.PLAN}
"""Tools that are questions themselves."""


def about(tool: str, subject: Object) -> str:
    """The command, the file, the question: one line, "" when the input says nothing readable."""
    if tool == QUESTION_TOOL:
        return one_line(" ".join(text(question, "question") for question in objects(subject, "questions")))
    if tool in SUBJECTS:
        return one_line(" ".join(filter(None, (text(subject, key) for key in SUBJECTS[tool]))))
    return one_line(next(filter(None, (text(subject, key) for key in _ANY)), ""))


def summary(tool: str, subject: Object) -> str:
    """As in `Bash: pytest -q`."""
    said = about(tool, subject)
    return f"{tool}: {said}" if said else tool


def asked(request: str, tool: str, subject: Object, suggestions: tuple[Any, ...] = ()) -> Asked:
    """The question whether it may use a tool; the tool can be the question itself."""
    need = DIALOGS.get(tool, Need.PERMISSION)
    said = summary(tool, subject) if need is Need.PERMISSION else about(tool, subject)
    return Asked(request, need, tool, said or "the plan is ready", subject, suggestions)
