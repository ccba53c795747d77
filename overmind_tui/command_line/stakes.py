"""The stakes of a typed command, as its key's dialog or the command line's question says it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from overmind_core.errors import OvermindError
from overmind_core.view import hives, landing, missions, numbers, plans, quests, schedules, swarm_tables
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
    lines: Callable[[Sequence[Any], Parts, str, float], list[str]]


QUEST = "quest"
"""The request about a quest, whose answer does not say what a person is asked about it."""
_ELSEWHERE = frozenset({"-H", "--hive"})
"""With one of these another machine is meant, of which nothing is asked."""
_ALL = frozenset({"--all", "-a"})
_FORCE, _DEAD = "--force", "--dead"
BY_FILE = frozenset({"-f", "--filename", "--file"})
"""With one of these its value names what is meant."""
SENTENCES: dict[str, str] = {
    "cortex restore": "All that the team's server holds is replaced by what the file has.",
}
"""Verb → what is lost, where it is the same each time."""


def rows_at_stake(verb: str, rows: Sequence[Row], parts: Parts, now: float) -> list[str]:
    """Return the lines about rows that are known; none for verbs whose rows say nothing."""
    of_rows = _OF_ROWS.get(verb)
    return [] if of_rows is None or not rows else of_rows(rows, parts, now)


def _worktrees(rows: Sequence[Row], _parts: Parts, _now: float) -> list[str]:
    return [line for row in rows for line in landing.at_stake(row)]


def _quests(rows: Sequence[Row], _parts: Parts, now: float) -> list[str]:
    return [quests.at_stake(row, now) for row in rows if row["status"] not in quests.ENDED]


def _notes(rows: Sequence[Row], _parts: Parts, _now: float) -> list[str]:
    texts = [f"{row['id']}  {safe(str(row['text']).strip().partition(chr(10))[0])}" for row in rows]
    return [*texts, "Nothing brings them back." if len(rows) > 1 else "Nothing brings it back."]


_OF_ROWS: dict[str, Callable[[Sequence[Row], Parts, float], list[str]]] = {
    "discard": _worktrees,
    "quest cancel": _quests,
    "ritual delete": lambda rows, _parts, _now: schedules.at_stake(rows),
    "fleet delete": lambda rows, _parts, _now: swarm_tables.fleets_at_stake(rows),
    "vault rm": lambda rows, _parts, _now: swarm_tables.secrets_at_stake(rows),
    "pool down": lambda rows, parts, _now: swarm_tables.pools_at_stake(rows, at_once=_FORCE in parts.flags),
    "hive rm": lambda rows, parts, _now: hives.at_stake(rows, dead=_DEAD in parts.flags),
    "forget": _notes,
}


def _each(parts: Parts, _folder: str) -> list[dict[str, Any]]:
    return [{"id": name} for name in parts.plain]


def _each_by_name(parts: Parts, _folder: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in parts.plain]


def _once(_parts: Parts, _folder: str) -> list[dict[str, Any]]:
    return [{}]


def _missing(sentence: str) -> OvermindError:
    return OvermindError("not_found", sentence)


def _named_worktrees(answers: Sequence[Any], parts: Parts, _folder: str, now: float) -> list[str]:
    (answer,) = answers
    rows = landing.worktrees(answer)
    found = []
    for name in parts.plain:
        meant = [row for row in rows if name == row["name"] or row["id"].startswith(name)]
        if not meant:
            raise _missing(f"{name} has no worktree. See all in :worktrees")
        found += meant
    return rows_at_stake("discard", found, parts, now)


def _named_secrets(answers: Sequence[Any], parts: Parts, _folder: str, now: float) -> list[str]:
    (rows,) = answers
    return rows_at_stake("vault rm", [_named(rows, name, "secret", ":vault") for name in parts.plain], parts, now)


def _named_instances(answers: Sequence[Any], parts: Parts, _folder: str, now: float) -> list[str]:
    """Return what ends of a pool: all of it, else the instances that are named."""
    (rows,) = answers
    if not parts.plain:
        return []
    pool = _named(rows, parts.plain[0], "pool", ":pools")
    named = set(parts.plain[1:])
    if not named and not parts.flags & _ALL:
        raise _missing("Name instances, or give --all. See all in :pools")
    if not named:
        return rows_at_stake("pool down", [pool], parts, now)
    meant = [one for one in pool["instances"] if named & {one["name"], one["engine_id"]}]
    return swarm_tables.instances_at_stake(meant, at_once=_FORCE in parts.flags)


def _named(rows: Sequence[Row], name: str, noun: str, view: str) -> Row:
    found = next((row for row in rows if row["name"] == name), None)
    if found is None:
        raise _missing(f"No {noun} is named {name}. See all in {view}")
    return found


def _named_plans(answers: Sequence[Any], parts: Parts, folder: str, _now: float) -> list[str]:
    """Return what ends with the plans of these names, ids or files; a word that may be a file can be none of ours."""
    (rows,) = answers
    words = [*parts.plain, *_values(parts, BY_FILE)]
    found: list[Row] = []
    for word in words:
        path = os.path.realpath(os.path.join(folder, word))
        meant = [row for row in rows if word == row["name"] or row["id"].startswith(word) or row["file"] == path]
        if not meant and not ("/" in word or os.path.lexists(path)):
            raise _missing(f"No plan is named {word}. See all in :plans")
        live = [row for row in meant if missions.is_live(row)]
        if meant and not live:
            raise _missing(f"{meant[0]['name']} has already ended.")
        found += live
    return plans.at_stake(found)


def _values(parts: Parts, names: Collection[str]) -> list[str]:
    """Return the values that were given with an option of one of these names."""
    words = " ".join(parts.options).replace("=", " ").split()
    return [after for word, after in pairwise(words) if word in names]


_PINS = ("as_of", "as_shown")
"""What the answer to a dry run says of itself: a request that sends it back removes nothing that was not shown."""
_PINNED: dict[str, re.Pattern[str]] = {
    "prune": re.compile(r"(?: (?:-[fy]+|--force|--yes|--older[ =]\S+))*"),
    "worktrees prune": re.compile(r"(?: (?:-[ay]+|--all|--force|--yes))*"),
}
"""Verb that removes what a dry run has shown → the options, each after a space, with which a request does it."""


def removal_of(
    verb: str, parts: Parts, requests: Sequence[Mapping[str, Any]], answers: Sequence[Any]
) -> dict[str, Any] | None:
    """Return the request that removes what these dry runs have shown, and nothing that came since.

    None: the command line does it, as with other options, or where the daemon is too old to be told what was shown.
    """
    pinned = _PINNED.get(verb)
    if pinned is None or parts.plain or not pinned.fullmatch("".join(f" {word}" for word in parts.options)):
        return None
    (shown,), (request,) = answers, requests
    pins = {key: shown[key] for key in _PINS if key in shown}
    return {**request, **pins, "dry_run": False} if pins else None


def removed(answer: Mapping[str, Any]) -> list[str]:
    """Return what the answer to a removal says: of missions their number, of worktrees what goes, and what is kept."""
    if "missions" in answer:
        count = numbers.counted(len(answer["missions"]), "mission")
        lines = [f"Removed {count} ({numbers.size(answer['bytes'])})", *str(answer.get("note") or "").splitlines()]
    else:
        lines = landing.removed_lines(answer)
    return [*map(safe, lines)] or ["Nothing was left to remove."]


def _older(parts: Parts, _folder: str) -> list[dict[str, Any]]:
    given = _values(parts, {"--older"})
    return [{"dry_run": True, **({"older": given[-1]} if given else {})}]


def _removal(answers: Sequence[Any], _parts: Parts, _folder: str, _now: float) -> list[str]:
    (found,) = answers
    kept = found.get("note")  # what stays, and why
    if not found["missions"]:
        raise _missing(kept or "There are no such missions.")
    question = missions.removal_question(len(found["missions"]), numbers.size(found["bytes"]))
    return [question, *map(safe, kept.split("\n"))] if kept else [question]


def _here(parts: Parts, folder: str) -> list[dict[str, Any]]:
    where = {} if parts.flags & _ALL else {"cwd": folder}
    return [{"force": _FORCE in parts.flags, "dry_run": True, **where}]


def _discarded(answers: Sequence[Any], _parts: Parts, _folder: str, _now: float) -> list[str]:
    return [safe(landing.discard_question(planned)) for planned in answers if planned["removed"]]


def _of_each(verb: str) -> Callable[[Sequence[Any], Parts, str, float], list[str]]:
    return lambda answers, parts, _folder, now: rows_at_stake(verb, answers, parts, now)


STAKES: dict[str, Stake] = {
    "delete": Stake("plans", _once, _named_plans),
    "discard": Stake("worktrees", _once, _named_worktrees),
    "fleet delete": Stake("swarm_fleet", _each_by_name, _of_each("fleet delete")),
    "forget": Stake("note", _each, _of_each("forget")),
    "pool down": Stake("pool_list", _once, _named_instances),
    "quest cancel": Stake(QUEST, _each, _of_each("quest cancel")),
    "ritual delete": Stake("ritual", _each, _of_each("ritual delete")),
    "prune": Stake("prune", _older, _removal),
    "vault rm": Stake("vault_list", _once, _named_secrets),
    "worktrees prune": Stake("worktrees_prune", _here, _discarded),
}


def asked_of(verb: str, parts: Parts, folder: str) -> tuple[Stake, list[dict[str, Any]]] | None:
    """Return what tells the stakes of a verb and the arguments of its requests; None where nothing does."""
    stake = None if parts.flags & _ELSEWHERE else STAKES.get(verb)
    requests = [] if stake is None else stake.requests(parts, folder)
    return (stake, requests) if stake is not None and requests else None
