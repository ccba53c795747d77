"""The table of docs/agents.md that says what each program can do: a mark where tests with the real one have passed.

`make test-agents ARGS=--update-proofs`, and the same with `test-claude`, keep what has passed in `PLACE`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import NamedTuple

from overmind_core.cli.agents.providers import abilities
from overmind_core.kernel.config import Settings
from overmind_core.providers import registry
from tests.kit.own_screens import LOOKS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(ROOT, "docs", "agents.md")
PLACE = os.path.join(ROOT, "tests", "data", "proven.tsv")
BEGIN, END = "<!-- abilities: begin -->\n", "<!-- abilities: end -->\n"
MARK, NONE = "●", "–"
PROGRAMS = ("claude", "codex", "gemini", "opencode", "qwen", "copilot", "pi", "cline")


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        capability: As the tests name it.
        words: As the page does.
    """

    capability: str
    words: str


ROWS = (
    Row("task", "a task: one prompt, one answer"),
    Row("session", "a session of many turns"),
    Row("screen", "`--interactive`: its own screen, its questions there and in the inbox"),
    Row("state", "its activity on its own screen is told by its"),
    Row("questions", "its questions stand in the inbox, with what would run"),
    Row("rules", "rules and `always` answer them"),
    Row("interrupt", "an interrupt ends its turn alone, with its commands"),
    Row("resume", "goes on with its conversation in its next process"),
    Row("fork", "[fork](#fork-a-conversation)"),
    Row("fork at a message", "fork at a message"),
    Row("resume on its screen", "run alone on its terminal (`-- PROGRAM`): its conversation survives `kill -9`"),
    Row("fork on its screen", "fork of a conversation on its own screen"),
    Row("adopt", "[adopt](#a-conversation-that-you-have-begun-without-overmind)"),
    Row("tokens", "tells its tokens"),
    Row("dollars", "tells its cost in US dollars"),
    Row("retries", "never seems idle while it tries again"),
    Row("model", "`--model`"),
    Row("system prompt", "`--system-prompt`"),
    Row("appended prompt", "`--append-system-prompt`, notes"),
    Row("tools of servers", "`--mcp-config`"),
)


def page() -> str:
    """Return docs/agents.md with the table as it should be."""
    with open(PAGE, encoding="utf-8") as file:
        head, _, rest = file.read().partition(BEGIN)
    return f"{head}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


def table() -> str:
    """Return the table."""
    proven: dict[str, set[str]] = defaultdict(set)
    with open(PLACE, encoding="utf-8") as file:
        for line in file:
            program, capability, _ = line.split("\t")
            proven[capability].add(program)
    head = ["", *PROGRAMS], ["---"] * (len(PROGRAMS) + 1)
    rows = [[row.words, *(_cell(row.capability, one, proven) for one in PROGRAMS)] for row in ROWS]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [*head, *rows])


def _cell(capability: str, program: str, proven: dict[str, set[str]]) -> str:
    if program not in proven[capability]:
        return NONE
    return _source(program) if capability == "state" else MARK


def _source(program: str) -> str:
    """Where its activity is known from, with `--interactive` where it has that."""
    if program not in registry.names():
        return LOOKS[program].source
    return str(abilities(registry.get(program), (program, Settings()))["state"])
