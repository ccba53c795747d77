"""The head of every page in a browser: the words of the header of the terminal, and counts, made for JSON. Pure."""

from __future__ import annotations

from overmind_core.domain.missions.status_marks import MARKS
from overmind_core.view import inbox, numbers, ringing, tones
from overmind_core.view.fleet import Fleet
from overmind_core.view.header_line import HeaderFacts, Part, call_parts, figure_parts


def head(fleet: Fleet, now: float) -> dict[str, object]:
    """What stands at the top of every page, as values made for JSON; `now` in seconds since the epoch.

    Returns:
        call: What calls for a person, each as key, words and tone, as the left end of the header has it.
        figures: The same of its right end.
        asking: How many need the person: the rows of the first group of the list.
        counts: Word of a mark → how many missions show it, in the order of the marks.
        needs, turns: How many wait for the person, and how many answers nobody has read.
        title: Of the page.
        today, tokens: US dollars since midnight; tokens of agents that name no price.
        cpu, memory, load: Percent of a core and bytes of all missions together, and both in words.
        engine: How full the queue is, and how missions go together; "" is nothing to say.
    """
    found = inbox.needs(fleet.rows.values(), fleet.questions, now)
    turns = sum(need.group == inbox.TURN for need in found)
    blocked = sum(need.group == inbox.BLOCKED for need in found)
    load = fleet.load
    counts = fleet.counts
    facts = HeaderFacts.of(fleet, len(fleet.asking))
    return {
        "call": _parts(call_parts(facts)),
        "figures": _parts(figure_parts(facts)),
        "asking": facts.asking,
        "counts": {mark.word: counts[mark] for mark in MARKS if mark in counts},
        "needs": len(found) - turns,
        "turns": turns,
        "title": ringing.tab_title(blocked, turns),
        "today": round(fleet.today, 4),
        "tokens": fleet.tokens,
        "cpu": round(load.cpu),
        "memory": round(load.memory, -5),
        "load": f"cpu {numbers.percent(load.cpu)} mem {numbers.size(load.memory) or '0'}",
        "engine": fleet.engine.words,
    }


def _parts(found: list[Part]) -> list[list[str]]:
    return [[part.key, part.cell.text, tones.named(part.cell.tone)] for part in found]
