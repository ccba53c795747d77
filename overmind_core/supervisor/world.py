"""The environment that a mission's processes see: the caller's, cleaned, and ours on top. Pure.

Source of every list here: cli.md, "Caller's world"; tui.md, "The terminal pane".
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.plan.outputs import FOLDER
from overmind_core.domain.plan.reference import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = frozenset({"OVERMIND_CLAUDE_BIN"})
DROPPED = frozenset(
    {
        "AI_AGENT",
        "CLAUDECODE",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_MESSAGING_SOCKET",
        "CLAUDE_CODE_MESSAGING_TOKEN",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_PID",
        "CLAUDE_PROJECT_DIR",
    }
)
"""Marks of an agent session around the caller; a person's own configuration stays."""
OUTER_TERMINAL = frozenset({"COLUMNS", "INVOCATION_ID", "LINES", "STY", "VTE_VERSION", "WINDOWID"})
OUTER_TERMINAL_FAMILIES = ("TMUX", "TERM_PROGRAM", "KITTY_", "WEZTERM_", "ITERM_")
TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
UNATTENDED = {"PAGER": "cat", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"}
"""Nobody can answer a task that isn't interactive: pagers and prompts must not wait."""

ISOLATION = frozenset({"OVERMIND_WORKTREE", "OVERMIND_BRANCH"})
"""Tell a mission of its own worktree; never inherited."""
MARKS = frozenset({"OVERMIND_MISSION_ID", "OVERMIND_MISSION_NAME", "OVERMIND_PARENT_ID"})
"""By these a process is known to belong to a mission, and is ended with it."""


class Identity(NamedTuple):
    """What a mission's processes learn about themselves."""

    mission: str
    name: str
    home: str
    parent: str | None
    cwd: str


def compose(
    inherited: Mapping[str, str],
    chosen: Mapping[str, str],
    identity: Identity,
    *,
    tty: bool,
    unattended: bool,
    tools: str | None,
) -> dict[str, str]:
    """The whole environment of a run. `chosen` wins over every default; `tools` is a folder for the end of PATH."""
    found = {name: value for name, value in inherited.items() if not _is_dropped(name, tty=tty)}
    if tty:
        found.update(TERMINAL)
    if unattended:
        found.update(UNATTENDED)
    found.update((name, value) for name, value in chosen.items() if not _is_ours(name) or _is_told(name))
    found["PWD"] = identity.cwd
    if tools is not None:
        found["PATH"] = f"{found['PATH']}:{tools}" if found.get("PATH") else tools
    found["OVERMIND_MISSION_ID"] = identity.mission
    found["OVERMIND_MISSION_NAME"] = identity.name
    found["OVERMIND_HOME"] = identity.home
    if identity.parent is not None:
        found["OVERMIND_PARENT_ID"] = identity.parent
    return found


def _is_ours(name: str) -> bool:
    return name.startswith("OVERMIND_") and name not in KEPT


def _is_told(name: str) -> bool:
    """Whether a plan gives it to each of its agents, or isolation to its mission; it is never inherited."""
    return name == FOLDER or name.startswith(VARIABLE) or name in ISOLATION


@lru_cache(maxsize=4096)  # the same names come with every mission
def _is_dropped(name: str, *, tty: bool) -> bool:
    if name in DROPPED or _is_ours(name):
        return True
    return tty and (name in OUTER_TERMINAL or name.startswith(OUTER_TERMINAL_FAMILIES))
