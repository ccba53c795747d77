"""Settings of the tmux around us that decide how a full-screen program feels."""

from __future__ import annotations

from collections.abc import Callable

from overmind_core.cli.doctor.finding import Finding, World, ok, warn
from overmind_core.cli.external import Answer

SLOW_ESCAPE = 50
"""Milliseconds from which on a person feels that the escape key waits."""


def outer(world: World) -> Finding:
    """Whether there is a tmux around us, and which."""
    if not world.environ.get("TMUX"):
        return ok("not inside tmux")
    return ok(world.ask("tmux", "-V").line)


def setting(world: World, name: str) -> Finding | None:
    """Judge one setting; nothing to say outside tmux."""
    if not world.environ.get("TMUX"):
        return None
    answer = world.ask("tmux", "show", "-gv", name)
    if answer.code is None:
        return warn(f"tmux does not tell: {answer.line}", "see whether this tmux still answers: tmux info")
    return SETTINGS[name](answer)


def _escape_time(answer: Answer) -> Finding:
    value = answer.line
    if value.isdigit() and int(value) <= SLOW_ESCAPE:
        return ok(f"{value} ms")
    return warn(f"{value} ms: the escape key waits so long", "in ~/.tmux.conf: set -s escape-time 10")


def _set_clipboard(answer: Answer) -> Finding:
    if answer.line in {"on", "external"}:
        return ok(answer.line)
    return warn(f"{answer.line}: what is copied stays inside tmux", "in ~/.tmux.conf: set -s set-clipboard external")


def _allow_passthrough(answer: Answer) -> Finding:
    if answer.code != 0:
        return ok("always on (before tmux 3.3)")
    if answer.line in {"on", "all"}:
        return ok(answer.line)
    return warn(
        f"{answer.line}: notifications do not reach your terminal", "in ~/.tmux.conf: set -g allow-passthrough on"
    )


def _default_terminal(answer: Answer) -> Finding:
    if answer.line.endswith(("256color", "direct")):
        return ok(answer.line)
    return warn(f"{answer.line}: few colours", "in ~/.tmux.conf: set -s default-terminal tmux-256color")


SETTINGS: dict[str, Callable[[Answer], Finding]] = {
    "escape-time": _escape_time,
    "set-clipboard": _set_clipboard,
    "allow-passthrough": _allow_passthrough,
    "default-terminal": _default_terminal,
}
"""Name of the setting → who judges what `tmux show -gv` said."""
