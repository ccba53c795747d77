"""What other hives say, as far as it can be shown: another version, or somebody hostile, may send anything. Pure.

Each field that is drawn, compared or counted here has one row of a table: what it may be, and what stands for it where
it is something else. A row without an id, a name or a state is left out. What a text says is harmless by how it is
drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, get_args

from overmind_core.domain.engine_questions import QUESTS
from overmind_core.domain.missions.mission import Status
from overmind_core.domain.missions.outcome import Outcome
from overmind_core.domain.missions.standing import WorkState
from overmind_core.view import numbers, subject
from overmind_core.view.cells import Row
from overmind_core.view.subject import Choosing

LONGEST_KEY = 128
"""Characters of an id."""
_STATUSES = frozenset(Status)
_OUTCOMES = frozenset(Outcome)
_QUEST_STATES = frozenset(get_args(WorkState))
PART = "part"
"""The field that only questions of the engine have."""
_TIMES = ("ended_at", "run_started_at", "activity_since", "next_restart_at", "next_try_at", "resume_at")
_FIGURES = ("cpu_percent", "memory_bytes", "output_bytes_per_second")


class _Field(NamedTuple):
    """What a field may be, and what stands for it else; `needed`: nothing does."""

    accepts: Callable[[object], bool]
    otherwise: Any = None
    needed: bool = False


def _text(value: object) -> bool:
    return isinstance(value, str)


def _key(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_KEY and value.isprintable()


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _time(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        numbers.moment(value)
    except (ValueError, OverflowError):
        return False
    return True


def _texts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_text, value)) and all(map(_text, value.values()))


def _amounts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_count, value.values()))


def _history(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    found = [value.get(name) for name in _FIGURES]
    lists = [one for one in found if isinstance(one, list) and all(map(_number, one))]
    return len(lists) == len(_FIGURES) and len({len(one) for one in lists}) == 1


_NEEDED = {"id": _Field(_key, needed=True), "name": _Field(_text, needed=True)}
MISSION: Mapping[str, _Field] = {
    **_NEEDED,
    "status": _Field(lambda value: isinstance(value, str) and value in _STATUSES, needed=True),
    "outcome": _Field(lambda value: isinstance(value, str) and value in _OUTCOMES),
    "quest_state": _Field(lambda value: isinstance(value, str) and value in _QUEST_STATES),
    "type": _Field(_text, "task"),
    "started_at": _Field(_time, needed=True),
    "restart_count": _Field(_count, 0),
    "labels": _Field(_texts, {}),
    **{name: _Field(_text, "") for name in ("provider", "command", "cwd")},
    **{name: _Field(_key) for name in ("parent", "activity", "activity_guess")},
    **{
        name: _Field(_text)
        for name in ("reason", "quest_failure", "now", "need", "code", "failed_message", "cost_source")
    },
    **{name: _Field(_time) for name in _TIMES},
    **{name: _Field(_number) for name in (*_FIGURES, "cost_usd", "uptime_seconds", "exit_code")},
    **{
        name: _Field(_flag, otherwise=False)
        for name in ("unseen", "conversation_lost", "lost", "tty", "interactive", "cost_partial")
    },
    **{name: _Field(_count) for name in ("run", "attached", "attempt")},
    "tokens": _Field(_amounts),
    "changed_lines": _Field(_amounts),
    "isolation": _Field(lambda value: isinstance(value, dict)),
}
"""The fields of a mission."""
QUESTION: Mapping[str, _Field] = {
    **_NEEDED,
    "question": _Field(_count, needed=True),
    "need": _Field(_text, needed=True),
    "asked_at": _Field(_time, needed=True),
    "attach_only": _Field(_flag, otherwise=True),
    **{name: _Field(_text, "") for name in ("summary", "tool", PART)},
    "rule": _Field(_text),
    "subject": _Field(lambda value: isinstance(value, dict), {}),
    "options": _Field(lambda value: isinstance(value, list) and all(map(_text, value)), []),
    "choices": _Field(lambda value: isinstance(value, list), []),
    "replaces": _Field(lambda value: isinstance(value, dict) and _text(value.get("state"))),
    "begins": _Field(lambda value: isinstance(value, list) and all(map(_count, value)), []),
    QUESTS: _Field(lambda value: isinstance(value, list) and all(map(_key, value)), []),
}
"""The fields of a question."""
EVENT: Mapping[str, _Field] = {
    "seq": _Field(_count, needed=True),
    "type": _Field(_text, needed=True),
    **{name: _Field(_key) for name in ("id", "mission")},
    **{name: _Field(_count) for name in ("message", "question")},
    **{name: _Field(_text) for name in ("name", "by", "behaviour", "answer", "error")},
    "options": _Field(lambda value: isinstance(value, list) and all(map(_text, value)), []),
}
"""The fields of an event."""
_SPARED = frozenset({"cpu_percent", "memory_bytes", "output_bytes_per_second", "next_restart_at", "now", "history"})
"""Fields of a mission that are not there in a narrow row, which says by that that they are as before."""


def missions(found: object) -> list[Row]:
    """Those of an answer that can be shown."""
    rows = [shown for one in _listed(found) if (shown := _shown(one, MISSION, _SPARED)) is not None]
    for row in rows:
        if "cpu_percent" in row:
            row.setdefault("memory_bytes", None)
        if "history" in row and not (_history(row["history"]) and row.get("cpu_percent") is not None):
            del row["history"]
    return rows


def questions(found: object) -> list[Row]:
    """The same of questions; the subject of one that can't be drawn is left out."""
    spared = frozenset({PART, QUESTS, "begins"})
    rows = [shown for one in _listed(found) if (shown := _shown(one, QUESTION, spared)) is not None]
    return [row if _is_drawn(row) else {**row, "subject": {}, "attach_only": True} for row in rows if _is_about(row)]


def events(found: object) -> list[Row]:
    """The same of events."""
    return [shown for one in _listed(found) if (shown := _shown(one, EVENT)) is not None]


def _listed(found: object) -> Iterable[object]:
    return found if isinstance(found, list | tuple) else ()


def _shown(row: object, fields: Mapping[str, _Field], spared: frozenset[str] = frozenset()) -> Row | None:
    """A row of which every field is what it may be; None where one that is needed is not."""
    if not isinstance(row, dict):
        return None
    found: Row = {str(name): value for name, value in row.items()}
    for name, field in fields.items():
        if name in spared and name not in found:
            continue
        if not field.accepts(found.get(name)):
            if field.needed:
                return None
            found[name] = field.otherwise
    return found


def _is_about(row: Row) -> bool:
    """Whether a question of the engine says what it is about; an agent's is about itself."""
    about = row.get("about")
    return PART not in row or (isinstance(about, dict) and _text(about.get("kind")))


def _is_drawn(row: Row) -> bool:
    try:
        subject.lines(row, Choosing.of(row["subject"]))
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return False
    return True
