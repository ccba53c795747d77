"""A mission's figures and facts as a face of the panel: its task, who started it, where it works, its load. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from overmind_core.domain.agents.agent import CAUTIOUS_MODES
from overmind_core.view import load_graph, numbers, subject
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Cell, clipped_line, safe
from overmind_core.view.diff import DiffFiles
from overmind_core.view.diff_face import nothing, total
from overmind_core.view.hive_keys import SILENT_SINCE
from overmind_core.view.question_block import short_path
from overmind_core.view.summary import CORE, Sample

Lines = list[list[Cell]]
Info = Mapping[str, Any]
BARS = 48
LABEL = 11
"""Cells of a label and of the blanks around it."""
_AROUND_BARS = 34
"""Cells of a graph's line besides its bars."""
_BEFORE_BARS = 18
MOST_TASK = 3
"""Rows of a task at most: all of it stands in the description of its mission."""
_SHELL_RULE = re.compile(r"Bash\((.+?)(?::\*| \*)?\)")
_MOST_RULES = 6


class MissionFacts(NamedTuple):
    """All that is known of a mission.

    Attributes:
        info: As `info` answers.
        terms: As `definition` answers; None where nobody may know.
        found: Its changes; None: nobody has asked yet.
        parent: The name of the mission that started it; "": a person did.
        asks: In words, the uses for which it has to ask.
    """

    info: Info
    terms: Info | None = None
    found: DiffFiles | None = None
    parent: str = ""
    asks: Sequence[str] = ()


class StatsLook(NamedTuple):
    """How and when it is looked at.

    Attributes:
        cells: The width.
        now: Seconds since the epoch.
        zone: None is the machine's.
        home: The folder of the person, which is shown as `~`.
    """

    cells: int
    now: float
    zone: tzinfo | None = None
    home: str = ""


def asks_for(mode: str | None) -> Sequence[str]:
    """In words, the uses for which an agent in this permission mode has to ask, as far as the mode says so."""
    return ("all else",) if mode in CAUTIOUS_MODES else ()


NO_LOAD = "-"
"""In the place of a figure of what has ended."""


def lines(facts: MissionFacts, samples: Sequence[Sample], look: StatsLook) -> Lines:
    """A blank line, the facts, another one, and the graphs where there are figures."""
    known = (
        ("started", _started(facts, look)),
        ("folder", _folder(facts.info, look)),
        ("changed", _changed(facts)),
        ("ports", _ports(facts.info)),
        ("rules", _rules(facts)),
        ("notes", _notes(facts.info)),
    )
    said = [row for label, text in known if text for row in _fact(label, text, look.cells)]
    shown = [*_task(facts, look.cells), *said]
    graphs = graph_lines(
        samples, look.cells, live=missions_rows.is_live(dict(facts.info)) and SILENT_SINCE not in facts.info
    )
    return [[], *shown, *([[], *graphs] if graphs else [])]


def _fact(label: str, text: str, cells: int) -> Lines:
    first, *more = subject.wrapped([[Cell(" " * LABEL), Cell(text)]], cells - 1, LABEL)
    return [[Cell(f" {label:<{LABEL - 2}} ", "faint"), *first[1:]], *more]


def _task(facts: MissionFacts, cells: int) -> Lines:
    """The first rows of its task, so that a long one leaves room for all else."""
    agent = (facts.terms or {}).get("agent") or {}
    whole = agent.get("prompt") or facts.info.get("command") or ""
    text = " ".join(safe(line) for line in str(whole).split("\n") if line.strip())
    rows = _fact("task", text, cells) if text else []
    if len(rows) > MOST_TASK:
        rows[MOST_TASK - 1 :] = [clipped_line([*rows[MOST_TASK - 1], Cell(" …")], cells - 1)]
    return rows


def _started(facts: MissionFacts, look: StatsLook) -> str:
    info = dict(facts.info)
    began = missions_rows.started(info)
    at = "" if began is None else datetime.fromtimestamp(began, look.zone).strftime("%H:%M ")
    parts = [f"{at}by {safe(facts.parent) or 'you'}"]
    parts += [f"run {info['run']}"] if info.get("run") else []
    parts.append(_doing(info, look.now))
    parts += [numbers.counted(info["turns"], "turn")] if info.get("turns") else []
    parts += [numbers.cost_of(info)] if info.get("cost_usd") else []
    tokens = sum((info.get("tokens") or {}).values())
    parts += [f"{numbers.size(tokens).replace('K', 'k')} tokens"] if tokens else []
    parts += [safe(info["model"])] if info.get("model") else []
    return ", ".join(parts)


def _doing(info: dict[str, Any], now: float) -> str:
    mark = missions_rows.mark(info)
    span = numbers.span(missions_rows.held(info, now))
    return f"{missions_rows.word(mark)} {'for' if missions_rows.is_live(info) else 'after'} {span}"


def _folder(info: Info, look: StatsLook) -> str:
    isolation = info.get("isolation") or {}
    worktree = isolation.get("worktree")
    parts = [short_path(str(worktree or info.get("cwd") or ""), look.home)]
    if worktree:
        source = short_path(str(isolation.get("source") or ""), look.home)
        parts.append(f"its own worktree{f' of {source}' if source else ''}")
    if isolation.get("branch"):
        base = isolation.get("base")
        parts.append(f"branch {safe(isolation['branch'])}{f' from {safe(base)}' if base else ''}")
    return ", ".join(filter(None, parts))


def _changed(facts: MissionFacts) -> str:
    if facts.found is None:
        return ""
    files = total(facts.found).replace(" +", ", +", 1)
    commits = len(facts.found.commits)
    committed = numbers.counted(commits, "commit") if commits else "nothing committed" if files else ""
    has_worktree = bool((facts.info.get("isolation") or {}).get("worktree"))
    lands = "; shift-l lands it" if has_worktree and (files or commits) else ""
    return ", ".join(filter(None, (files or nothing(facts.found), committed))) + lands


def _ports(info: Info) -> str:
    ports = (info.get("isolation") or {}).get("ports") or {}
    return ", ".join(f"{safe(name)} {port}" for name, port in sorted(ports.items())) or "none"


def _rules(facts: MissionFacts) -> str:
    agent = (facts.terms or {}).get("agent") or {}
    kinds = (
        ("allows", _words([*(agent.get("allow") or ()), *(facts.info.get("own_rules") or ())])),
        ("asks for", ", ".join(facts.asks)),
        ("denies", _words(agent.get("deny") or ())),
        ("mode", "" if facts.asks else safe(facts.info.get("permission_mode"))),
    )
    return "; ".join(f"{verb} {words}" for verb, words in kinds if words)


def _words(rules: Iterable[str]) -> str:
    """The rules in short: of one about a command its words alone."""
    known = [safe(found[1]) if (found := _SHELL_RULE.fullmatch(one)) else safe(one) for one in rules]
    more = [f"{len(known) - _MOST_RULES} more"] if len(known) > _MOST_RULES else []
    return ", ".join([*known[:_MOST_RULES], *more])


def _notes(info: Info) -> str:
    notes = info.get("notes")
    if not notes:
        return ""
    return f"given {len(notes['given'])}, wrote {len(notes['wrote'])}; u shows them"


def graph_lines(samples: Sequence[Sample], cells: int, *, live: bool = True) -> Lines:
    """Cpu, output and memory over the last five minutes, and below them when that was; nothing without a sample.

    Args:
        samples: The newest last.
        cells: The width.
        live: The mission runs; what has ended uses nothing any more, so that no newest figure is said.
    """
    if not samples:
        return []
    bars = min(BARS, cells - _AROUND_BARS)
    newest = samples[-1]
    figures = (
        ("cpu", [one.cpu for one in samples], load_graph.percent, newest.cpu, CORE),
        ("out", [one.output for one in samples], load_graph.rate, newest.output, None),
        ("mem", [one.memory for one in samples], load_graph.size, newest.memory, None),
    )
    found: Lines = []
    axis = 0
    seconds = 0.0
    for name, values, words, value, full in figures:
        drawn = load_graph.graph(values, bars, full=full)
        line = [Cell(f" {name:<5}", "faint"), Cell(f"{words(value) if live else NO_LOAD:>10}  ")]
        if drawn.bars:
            line += [Cell(drawn.bars, "graph"), Cell(f"  top {words(drawn.top)}", "quiet")]
            axis, seconds = len(drawn.bars), drawn.seconds
        elif drawn.is_steady:
            line.append(Cell(load_graph.STEADY, "quiet"))
        found.append(line)
    if axis:
        begins = f"{load_graph.ago(seconds)} ago"
        found.append([Cell(" " * _BEFORE_BARS), Cell(f"{begins:<{max(axis - 3, len(begins) + 1)}}now", "faint")])
    return found
