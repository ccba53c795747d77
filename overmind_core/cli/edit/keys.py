"""The keys of a mission's definition: what each means, and what may be written behind it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a value is; the words stand in the sentence about a wrong one."""

    TEXT = "a text in quotes"
    COMMAND = "a text in quotes, or a list of them"
    WHOLE = "a whole number"
    MONEY = "a number of US dollars"
    FLAG = "true or false"
    TIME = 'a number, or a text such as "90s", "5m" or "1.5h"'
    SIGNAL = "the name of a signal in quotes, or its number"
    TEXTS = "a list of texts in quotes"


class Key(NamedTuple):
    """One key: its name, what is said above it, what it takes, and what stands there while it is not set."""

    name: str
    comment: str
    kind: Kind
    example: str = ""


ROOT = (
    Key("name", "", Kind.TEXT),
    Key("command", "A text is a shell command; a list is a program with its arguments, run without a shell.",
        Kind.COMMAND),
    Key("cwd", "The folder that it runs in.", Kind.TEXT),
    Key("columns", "The size of its terminal when it starts.", Kind.WHOLE),
    Key("rows", "", Kind.WHOLE),
    Key("restart", "Start it again by itself: never, on-failure or always,", Kind.TEXT),
    Key("max_restarts", "at most so many times (0: without limit)", Kind.WHOLE),
    Key("max_seconds", "within this time; a run that lasts longer is healthy,", Kind.TIME),
    Key("backoff", "after this pause, which doubles up to 60s.", Kind.TIME),
    Key("activity_timeout", "Kill it after so much silence; 0s is never.", Kind.TIME),
    Key("stall_waiting", "Waiting for a person is silence, too.", Kind.FLAG),
    Key("timeout", "End a run after so long; 0s is never.", Kind.TIME),
    Key("stop_signal", "What a stop sends first,", Kind.SIGNAL),
    Key("grace", "and how long it waits before SIGKILL.", Kind.TIME),
    Key("leave_background", "At its natural end, spare what it left in the background.", Kind.FLAG),
    Key("max_children", "Live children that it, and each mission below it, may have.", Kind.WHOLE, "10"),
    Key("max_depth", "Generations that may stand below it.", Kind.WHOLE, "3"),
    Key("max_cost", "End all agents of its tree once they have cost so many US dollars; 0 is no limit.", Kind.MONEY),
)  # fmt: skip
LABELS = "Labels to select it by: ps --label key=value"
ENV = "Variables that were set for it alone, beside those of the shell that started it. As they are: secrets, too."
AGENT_TITLE = "The agent. A conversation that has begun goes on after the restart."
AGENT = (
    Key("prompt", "What it is to do.", Kind.TEXT),
    Key("model", "As its program calls it.", Kind.TEXT, '"opus"'),
    Key("permission_mode", "Its program's permission mode.", Kind.TEXT, '"acceptEdits"'),
    Key("allowed_tools", "Tools that it may use unasked, and those that it doesn't get.", Kind.TEXTS),
    Key("disallowed_tools", "", Kind.TEXTS),
    Key("allow", 'Rules that answer its questions, such as "Bash(git status)"; deny wins.', Kind.TEXTS),
    Key("deny", "", Kind.TEXTS),
    Key("max_turns", "Stop it after so many turns of its model; 0 is no limit.", Kind.WHOLE),
    Key("system_prompt", "Instead of its program's own, or added to that.", Kind.TEXT, '"…"'),
    Key("append_system_prompt", "", Kind.TEXT, '"…"'),
    Key("mcp_config", "MCP servers for it: files, or JSON.", Kind.TEXTS),
    Key("arguments", "Handed to its program as they are.", Kind.TEXTS),
    Key("orchestrator", "Its own overmind commands need nobody's consent.", Kind.FLAG),
)
ALONE = frozenset({"command", "prompt"})
"""Keys that a mission has or has not by its nature: where they mean nothing they are not even mentioned."""
