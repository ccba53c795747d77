"""The file in which `claude` keeps a conversation: what its calls of a model have used, and its own sum of the cost.

One JSON object per line, appended about a tenth of a second after the fact. Sub-agents have files of their own, in the
folder `<conversation>/subagents`. A line says which face of the program wrote it: those of `-p` are counted by their
results.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from overmind_core.domain.agents.agent_events import CostTotalled, ModelCalled
from overmind_core.providers.claude.stream import call_of
from overmind_core.providers.lines import Object, moment, number_at, object_at, read_object, text_at

SUFFIX = ".jsonl"
SUB_AGENTS = "subagents"
WITHOUT_TERMINAL = "sdk-cli"
_SAID = re.compile(rb'"type":\s*"(?:user|assistant)"')
_MARKS = (b'"usage"', b'"cost-state"')


def path_of(payload: Object) -> str | None:
    """Where the conversation of a hook event is kept; None when it does not say, or names no such file."""
    path, session = text_at(payload, "transcript_path"), text_at(payload, "session_id")
    return path if path.startswith("/") and session and path.endswith(f"/{session}{SUFFIX}") else None


def kept_in(environ: Mapping[str, str]) -> str | None:
    """A pattern of the paths of conversations, with `{session}` for the id; None where the environment has no home."""
    home = environ.get("CLAUDE_CONFIG_DIR") or (f"{environ['HOME']}/.claude" if environ.get("HOME") else None)
    return None if home is None else f"{home}/projects/*/{{session}}{SUFFIX}"


def has_turn(record: bytes) -> bool:
    """Whether anything was said in the lines of such a file."""
    return _SAID.search(record) is not None


def sub_agents_of(path: str) -> str:
    """The folder with the files of its sub-agents."""
    return f"{path.removesuffix(SUFFIX)}/{SUB_AGENTS}"


def figure(line: bytes, since: float) -> ModelCalled | CostTotalled | None:
    """What a line tells of use and cost; nothing when it is from before `since`, in seconds since the epoch."""
    if not any(mark in line for mark in _MARKS):
        return None
    found = read_object(line)
    if isinstance(found, str):
        return None
    kind = text_at(found, "type")
    if kind == "cost-state":
        total = number_at(found, "totalCostUSD")
        return None if total is None else CostTotalled(total)
    is_told = kind == "assistant" and text_at(found, "entrypoint") != WITHOUT_TERMINAL
    if not is_told or moment(text_at(found, "timestamp")) < since:
        return None
    return call_of(object_at(found, "message"))
