"""Cards of what needs the person, as values made for JSON: each question whole, and what can be answered. Pure.

The words, the diff and the order are those of the list of needs (`inbox`, `subject`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from overmind_core.domain import engine_questions
from overmind_core.domain.engine_questions import EngineNeed
from overmind_core.view import frames, inbox, subject, tones
from overmind_core.view import missions as missions_rows
from overmind_core.view.cells import Row, safe
from overmind_core.view.inbox import Need
from overmind_core.view.subject import Ask, Change, Choosing

Card = dict[str, object]
SPOKEN = frozenset({"question", "plan", "setup", "draft"})
"""Needs whose tool says nothing more."""
_LEFT_OUT = "@"
_READ_FIRST = frozenset({EngineNeed.REVIEW, EngineNeed.MERGE})
"""What the engine wants decided about changes, which a yes may land."""


def card(need: Need, answer: str = "") -> Card:
    """All of one need.

    Args:
        need: One of `inbox.needs`.
        answer: The last answer of one whose turn is over, whole.

    Returns:
        key: The same as long as it is the same need.
        id, name, group, mark, tone, kind, tool, summary: As the list has them; `mission` is false where there is none.
        since: Seconds since the epoch, or null.
        question: Its number; 0 where nothing is asked.
        diffs: Changes of files: path, note, and lines of `[sign, text]`, `@` for what is left out.
        lines: What else is to be read: lines of `[text, tone]`.
        choices: Questions with options: question, several, and options of label and about.
        rule: What `always` stores; null where no rule covers it.
        offers: What can be done: `[action, key, label]`, the most important first.
        text_with, words, said: The answer that the person's own words go with, what they do, and what they have done.
        labels: What both answers do, as buttons say it.
        done: What both have done, in words, once they were given.
        text_is: The meaning of a text for the engine; absent: it has none.
        read: What is read before it is answered: `["changes", id]`, or `["spec", id, phase]`; absent: it is all here.
        phase: The phase of a spec that is asked about; absent: none is.
        whole: Whether it is answered only where all of it stands, as what lands work is, what passes a document, and
            what queues reports.
        attach_only: Whether it can be answered in its terminal alone.
        live, session, terminal: Whether the mission runs, takes messages, has a terminal.
    """
    asked, row = need.asked, need.row
    mission = need.mission
    found: Card = {
        "key": f"{need.key[0]}:{need.key[1]}",
        "id": row["id"],
        "name": safe(row["name"]),
        "mission": mission is not None,
        "group": need.group,
        "mark": need.mark.word,
        "tone": tones.named(need.mark.tone),
        "kind": need.kind,
        "summary": need.summary,
        "since": inbox.began(need),
        "question": need.key[1],
        "live": mission is not None and missions_rows.is_live(mission),
        "session": mission is not None and mission["type"] == "session",
        "terminal": mission is not None and missions_rows.has_terminal(mission),
    }
    if asked is None:
        return found | {
            "lines": frames.lines(inbox.about(need, answer)),
            "offers": [tuple(one) for one in inbox.offers(need)],
        }
    return found | _asked(need, asked)


def _asked(need: Need, asked: Row) -> Card:
    """What a question adds."""
    by_engine = need.by_engine
    choosing = None if by_engine else Choosing.of(asked["subject"])
    change = None if choosing is not None else subject.change(asked)
    words = inbox.in_words(asked)
    reads_first = asked["need"] in {*_READ_FIRST, EngineNeed.PHASE} or engine_questions.is_to_queue(asked)
    found: Card = {
        "tool": "" if by_engine or need.kind in SPOKEN else safe(asked["tool"]),
        "part": safe(engine_questions.heading(asked).part) if by_engine else "",
        "diffs": [] if change is None else _diffs(change),
        "lines": frames.lines(subject.besides(asked)),
        "choices": [] if choosing is None else [_choice(ask) for ask in choosing.asks],
        "rule": None if by_engine or not asked["rule"] else safe(asked["rule"]),
        "whole": by_engine and reads_first,
        "attach_only": bool(not by_engine and asked["attach_only"]),
        "offers": [tuple(one) for one in inbox.offers(need, choosing)],
        "text_with": words.behaviour,
        "words": words.doing,
        "said": words.done,
    }
    effects = engine_questions.effects_of(asked)
    found["labels"] = {"allow": effects.allow, "deny": effects.deny}
    found["done"] = {answer: inbox.done(asked, answer) for answer in (inbox.ALLOW, inbox.DENY)}
    if by_engine and effects.text:
        found["text_is"] = effects.text
    if by_engine and asked["need"] == EngineNeed.PHASE:
        found["read"] = ["spec", asked["id"], *filter(None, [asked["part"]])]
        found["phase"] = safe(asked["part"])
    elif by_engine and asked["need"] in _READ_FIRST and need.mission is not None:
        found["read"] = ["changes", asked["id"]]
    return found


def _choice(ask: Ask) -> Card:
    options = [{"label": safe(label), "about": safe(about), "value": label} for label, about in ask.options]
    return {"question": safe(ask.text), "several": ask.several, "options": options}


def _diffs(change: Change) -> list[Card]:
    """One entry for each edit; the path and what is said of the file stand at the first."""
    found: list[Card] = []
    for place, (edit, more) in enumerate(change.edits):
        lines = [(_LEFT_OUT if line.sign == subject.GAP else line.sign, line.text) for line in edit]
        said = " ".join(cell.text.strip() for line in more for cell in line)
        note = " ".join(filter(None, (change.note.strip() if place == 0 else "", said)))
        found.append({"path": safe(change.path), "note": note, "lines": lines})
    return found


def answered(numbers: Iterable[int], events: Sequence[Row]) -> Mapping[str, str]:
    """Why these questions are open no longer, by their numbers."""
    return {str(number): inbox.ended(number, events) for number in numbers}
