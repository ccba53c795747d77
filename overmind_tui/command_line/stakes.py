"""The stakes of a typed command, as its key's dialog or the command line's question says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from overmind_core.errors import OvermindError
from overmind_core.view import landing, missions, numbers, quests, schedules
from overmind_core.view.cells import Row, safe
from overmind_tui.command_line.verbs import Parts


class Stake(NamedTuple):
    """The way to what one verb would end.

    Attributes:
        command: The request that tells it.
        requests: Its arguments, by the words of the line and the folder of the program.
        lines: What the answers say; raises `not_found` where there is nothing that could end.
    """

    command: str
    requests: Callable[[Parts, str], list[dict[str, Any]]]
    lines: Callable[[Sequence[Any], Parts, float], list[str]]


_ELSEWHERE = frozenset({"-H", "--hive"})
"""With one of these another machine is meant, of which nothing is asked."""
_ALL = frozenset({"--all", "-a"})


def rows_at_stake(verb: str, rows: Sequence[Row], now: float) -> list[str]:
    """Return the lines about rows that are known; none for verbs whose rows say nothing."""
    of_row = _OF_ROWS.get(verb)
    return [] if of_row is None else [line for row in rows for line in of_row(row, now)]


_OF_ROWS: dict[str, Callable[[Row, float], list[str]]] = {
    "discard": lambda row, _now: landing.at_stake(row),
    "quest cancel": lambda row, now: [quests.at_stake(row, now)] if row["status"] not in quests.ENDED else [],
    "ritual delete": lambda row, _now: schedules.at_stake([row]),
}


def _each(parts: Parts, _folder: str) -> list[dict[str, Any]]:
    return [{"id": name} for name in parts.plain]


def _named_worktrees(answers: Sequence[Any], parts: Parts, now: float) -> list[str]:
    (answer,) = answers
    rows = landing.worktrees(answer)
    found = []
    for name in parts.plain:
        meant = [row for row in rows if name == row["name"] or row["id"].startswith(name)]
        if not meant:
            raise OvermindError("not_found", f"{name} has no worktree. See all in :worktrees")
        found += meant
    return rows_at_stake("discard", found, now)


def _older(parts: Parts, _folder: str) -> list[dict[str, Any]]:
    words = " ".join(parts.options).replace("=", " ").split()
    given = [after for word, after in pairwise(words) if word == "--older"]
    return [{"dry_run": True, **({"older": given[-1]} if given else {})}]


def _removal(answers: Sequence[Any], _parts: Parts, _now: float) -> list[str]:
    (found,) = answers
    if not found["missions"]:
        raise OvermindError("not_found", "There are no such missions.")
    return [missions.removal_question(len(found["missions"]), numbers.size(found["bytes"]))]


def _here(parts: Parts, folder: str) -> list[dict[str, Any]]:
    where = {} if parts.flags & _ALL else {"cwd": folder}
    return [{"force": "--force" in parts.flags, "dry_run": True, **where}]


def _discarded(answers: Sequence[Any], _parts: Parts, _now: float) -> list[str]:
    return [safe(landing.discard_question(planned)) for planned in answers if planned["removed"]]


def _of_each(verb: str) -> Callable[[Sequence[Any], Parts, float], list[str]]:
    return lambda answers, _parts, now: rows_at_stake(verb, answers, now)


STAKES: dict[str, Stake] = {
    "discard": Stake("worktrees", lambda _parts, _folder: [{}], _named_worktrees),
    "quest cancel": Stake("quest", _each, _of_each("quest cancel")),
    "ritual delete": Stake("ritual", _each, _of_each("ritual delete")),
    "prune": Stake("prune", _older, _removal),
    "worktrees prune": Stake("worktrees_prune", _here, _discarded),
}


def asked_of(verb: str, parts: Parts, folder: str) -> tuple[Stake, list[dict[str, Any]]] | None:
    """Return what tells the stakes of a verb and the arguments of its requests; None where nothing does."""
    stake = None if parts.flags & _ELSEWHERE else STAKES.get(verb)
    requests = [] if stake is None else stake.requests(parts, folder)
    return (stake, requests) if stake is not None and requests else None
