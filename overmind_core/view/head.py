"""The head of every page in a browser: counts, what needs the person, cost and load, as values made for JSON. Pure."""

from __future__ import annotations

from overmind_core.domain.missions.status_marks import MARKS
from overmind_core.view import inbox, numbers, ringing
from overmind_core.view.fleet import Fleet


def head(fleet: Fleet, now: float) -> dict[str, object]:
    """What stands at the top of every page, as values made for JSON; `now` in seconds since the epoch.

    Returns:
        counts: Word of a mark → how many missions show it, in the order of the marks.
        needs, turns: How many wait for the person, and how many answers nobody has read.
        title: Of the page.
        today, tokens: US dollars since midnight; tokens of agents that name no price.
        cpu, memory, load: Percent of a core and bytes of all missions together, and both in words.
        engine: How full the queue is, and how missions go together; "" is nothing to say.
        proposed: Notes that wait to be accepted.
    """
    found = inbox.needs(fleet.rows.values(), fleet.questions, now)
    turns = sum(need.group == inbox.TURN for need in found)
    blocked = sum(need.group == inbox.BLOCKED for need in found)
    load = fleet.load
    counts = fleet.counts
    return {
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
        "proposed": fleet.proposed,
    }
