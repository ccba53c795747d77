"""Rows of worktrees, and a landing as lines: what it would bring, what stops it, what a discard loses. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from overmind_core.domain.landing import list_text
from overmind_core.domain.text.cells import pad, width
from overmind_core.view import missions as missions_rows
from overmind_core.view import numbers
from overmind_core.view.cells import Cell, Row, clipped, safe
from overmind_core.view.columns import By, Column
from overmind_core.view.diff import file_tone
from overmind_core.view.header_line import memory_words
from overmind_core.view.numbers import counted
from overmind_core.view.tables import Orders

CHANGES = frozenset({
    "committed", "landed", "discarded", "preparing", "prepared", "spawn_failed", "started", "stopped", "crashed",
    "killed", "turn_ended", "removed",
})  # fmt: skip
"""Kinds of events after which a worktree stands otherwise."""
PLACE = "/.overmind/worktrees/"
"""Between a checkout and the id of a worktree in it."""
GONE = "removed"
"""The state of a mission that is no more."""
DIRTY, UNMERGED, MERGED, CLEAN, BROKEN = "uncommitted", "unmerged", "merged", "clean", "broken"
IGNORED = "ignored"
ELSEWHERE = "elsewhere"
"""It has not landed, and another branch has its commits, too."""


def worktrees(answer: Mapping[str, Any]) -> list[Row]:
    """Those of the answer by the names of their missions; one whose mission is no more has no status."""
    found = []
    for one in answer["worktrees"]:
        row = {**one, "id": one["mission"]}
        if one.get("status") is None:
            row.pop("status", None)
        found.append(row)
    return sorted(found, key=lambda row: str(row["name"]).casefold())


def has_one(row: Row) -> bool:
    """Whether a mission, or a row of this table, has a worktree."""
    isolation = row.get("isolation") or {}
    return bool(isolation.get("worktree") or (row.get("path") and "mission" in row))


def without_one(row: Row) -> str:
    """Why a mission has no worktree, and how one gets it where it was never isolated."""
    isolation = row.get("isolation")
    reason = safe((isolation or {}).get("no_worktree"))
    hint = "" if isolation else " · run --isolate gives a mission one"
    return f"{safe(row['name'])} has no worktree{f': {reason}' if reason else hint}"


def folder(row: Row) -> str:
    """Where it is."""
    return str((row.get("isolation") or {}).get("worktree") or row.get("path") or "")


def standing(row: Row) -> str:
    """What is to be done about its work, in a word: the operation of git's that is not finished, else its kind."""
    return safe(row["operation"]) if row.get("operation") else _kind(row)


def _kind(row: Row) -> str:
    if row.get("problem"):
        return BROKEN
    if row.get("dirty") or row.get("operation"):
        return DIRTY
    if not row.get("merged"):
        return UNMERGED
    if row.get("elsewhere"):
        return ELSEWHERE
    if row.get("ignored"):
        return IGNORED
    return MERGED if row.get("ahead") else CLEAN


def distance(row: Row) -> str:
    """Commits that the base has not, and that it has not of the base."""
    ahead, behind = row.get("ahead") or 0, row.get("behind") or 0
    return " ".join(filter(None, (f"↑{ahead}" if ahead else "", f"↓{behind}" if behind else "")))


def ports(row: Row) -> str:
    """The mission's own port, then those of services with their names."""
    held = row.get("ports") or {}
    return " ".join(f"{safe(name)}:{port}" if name else str(port) for name, port in sorted(held.items()))


def containers(row: Row) -> str:
    """Each service that is a container, and how it is."""
    return " ".join(f"{safe(name)}:{safe(state)}" for name, state in sorted((row.get("containers") or {}).items()))


_TONES = {DIRTY: "", UNMERGED: "", ELSEWHERE: "", IGNORED: "", MERGED: "good", CLEAN: "quiet", BROKEN: "bad"}


def _name(row: Row, _now: float) -> Cell:
    """Below the names that have a mark before them."""
    return Cell(safe(row["name"]) if "status" in row else f"  {safe(row['name'])}")


def _word_of(row: Row) -> Cell:
    return Cell(missions_rows.word(missions_rows.mark(row)), missions_rows.tone(row))


def _state(row: Row, _now: float) -> Cell:
    return _word_of(row) if "status" in row else Cell(GONE, "off")


def _size(row: Row, _now: float) -> Cell:
    count = row.get("size_bytes")
    return Cell("" if count is None else memory_words(count), "quiet")


def _path(row: Row, _now: float) -> Cell:
    return Cell(safe(row["problem"]), "bad") if row.get("problem") else Cell(safe(row.get("path")), "quiet")


COLUMNS: tuple[Column, ...] = (
    Column("name", "MISSION", 12, 30, 0, _name),
    Column("state", "STATE", 9, 10, 5, _state),
    Column("branch", "BRANCH", 16, 36, 3, lambda row, _now: Cell(safe(row.get("branch")))),
    Column("distance", "±BASE", 5, 8, 4, lambda row, _now: Cell(distance(row))),
    Column("files", "FILES", 5, 6, 6, lambda row, _now: Cell(str(row.get("files") or ""), "quiet"), right=True),
    Column("lines", "LINES", 7, 12, 7,
           lambda row, _now: Cell(numbers.lines_changed(row.get("insertions"), row.get("deletions")), "quiet"),
           right=True),
    Column("work", "WORK", 11, 11, 1, lambda row, _now: Cell(standing(row), _TONES[_kind(row)])),
    Column("ports", "PORTS", 9, 26, 8, lambda row, _now: Cell(ports(row)), spare=True),
    Column("containers", "CONTAINERS", 10, 24, 9, lambda row, _now: Cell(containers(row), "quiet"), spare=True),
    Column("size", "SIZE", 6, 7, 10, _size, right=True, spare=True),
    Column("base", "BASE", 6, 20, 12, lambda row, _now: Cell(safe(row.get("base")), "quiet"), wide=True),
    Column("path", "PATH", 8, 0, 11, _path),
)  # fmt: skip


def _text(key: str) -> By:
    return By(lambda row, _now: str(row.get(key) or "").casefold(), rises=True)


def _most(key: str) -> By:
    return By(lambda row, _now: row.get(key) or 0)


_WORK = (BROKEN, DIRTY, UNMERGED, ELSEWHERE, IGNORED, CLEAN, MERGED)
ORDERS: Orders = {
    "name": _text("name"),
    "state": _text("status"),
    "branch": _text("branch"),
    "base": _text("base"),
    "distance": _most("ahead"),
    "files": _most("files"),
    "lines": By(lambda row, _now: (row.get("insertions") or 0) + (row.get("deletions") or 0)),
    "work": By(lambda row, _now: _WORK.index(_kind(row)), rises=True),
    "ports": By(lambda row, _now: sorted((row.get("ports") or {}).values()), rises=True),
    "size": _most("size_bytes"),
    "path": _text("path"),
}


def summary(rows: Sequence[Row]) -> str:
    """What all of them come to."""
    counted = {word: sum(_kind(row) == word for row in rows) for word in _WORK}
    text = [f"{count} {word}" for word, count in counted.items() if count]
    size = sum(row.get("size_bytes") or 0 for row in rows)
    return " · ".join([*text, *([memory_words(size)] if size else [])])


Lines = list[list[Cell]]
MOST = 8
"""Files, or commits, that are named."""


class How(StrEnum):
    """In which way the commits come onto the target."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


HOWS = {
    How.MERGE: "a merge commit that keeps its commits together",
    How.SQUASH: "one commit with all its work",
    How.REBASE: "its commits, rebased onto the target",
}


class Wanted(NamedTuple):
    """How a worktree is to be landed.

    Attributes:
        how: In which way.
        into: The target; "": the branch that it began at.
        verify: A command that has to succeed on the merged work; "": none.
    """

    how: How = How.MERGE
    into: str = ""
    verify: str = ""

    def resolution(self, mission: str) -> dict[str, Any]:
        """What the supervisor is asked where the mission's agent is to resolve conflicts: nothing is merged yet."""
        return {"id": mission, "into": self.into or None, "resolve": True}

    def request(self, mission: str, *, preview: bool) -> dict[str, Any]:
        """What the supervisor is asked."""
        return {
            "id": mission, "into": self.into or None, "squash": self.how is How.SQUASH,
            "rebase": self.how is How.REBASE, "verify": self.verify or None, "message": None, "preview": preview,
        }  # fmt: skip


def count(found: object) -> int:
    """How many: a number, or a list of them."""
    return found if isinstance(found, int) else len(found) if isinstance(found, Sequence) else 0


def preview(answer: Mapping[str, Any], branch: str) -> Lines:
    """What would come onto the target."""
    lines: Lines = [
        [Cell(safe(branch), "accent"), Cell(" → ", "quiet"), Cell(safe(answer.get("target")), "accent")],
        [Cell(f"{counted(count(answer.get('commits')), 'commit')} · {counted(count(answer.get('files')), 'file')}")],
    ]
    commits = answer.get("commits")
    if isinstance(commits, Sequence) and not isinstance(commits, str):
        lines += _some([_commit(one) for one in commits], "commits")
    files = answer.get("files")
    if isinstance(files, Sequence) and not isinstance(files, str):
        lines += _some([_file(one) for one in files], "files")
    return lines


def _commit(one: object) -> list[Cell]:
    if isinstance(one, Mapping):
        return [Cell(f"  {safe(one.get('hash'))[:9]} ", "quiet"), Cell(safe(one.get("subject")))]
    return [Cell(f"  {safe(one)}")]


def _file(one: object) -> list[Cell]:
    if not isinstance(one, Mapping):
        return [Cell(f"  {safe(one)}")]
    letter, added, removed = safe(one.get("status") or " "), one.get("added"), one.get("removed")
    return [
        Cell(f"  {letter} ", file_tone(letter)), Cell(safe(one.get("path"))),
        Cell(f"  +{added}" if added else "", "good"), Cell(f" {numbers.MINUS}{removed}" if removed else "", "bad"),
    ]  # fmt: skip


def _some(lines: Lines, what: str) -> Lines:
    more = len(lines) - MOST
    return [*lines[:MOST], *([[Cell(f"  … and {more} more {what}", "quiet")]] if more > 0 else [])]


def conflicts(fields: Mapping[str, Any], branch: str) -> Lines:
    """Which files conflict, and whose work is on either side."""
    files = list(fields.get("files") or ())
    target = safe(fields.get("target")) or "its target"
    lines: Lines = [
        [Cell(safe(branch), "accent"), Cell(" ✖ ", "bad"), Cell(target, "accent")],
        [Cell(f"{counted(len(files), 'file')} conflict{'s' * (len(files) == 1)}; nothing changed", "bad")],
    ]
    paths = [safe(one["path"]) for one in files]
    widest = min(max(map(width, paths), default=0), 44)
    shown = []
    for path, one in zip(paths, files, strict=True):
        sides = " and ".join(safe(side.get("name") or side.get("id")) for side in one.get("missions") or ())
        shown.append([Cell(f"  {pad(clipped(path, widest), widest)}  "), Cell(sides, "accent")])
    lines += _some(shown, "files")
    if command := resolving_command(fields):
        lines += [[], [Cell("To resolve them, run this, commit, then land it again:", "quiet")], [Cell(f"  {command}")]]
    return lines


def resolving_command(fields: Mapping[str, Any]) -> str:
    """Return the command that begins the merge where the work is, by a refusal for conflicts; "": an agent does it."""
    return safe(fields.get("resolve_with"))


def uncommitted(files: Sequence[object]) -> Lines:
    """What would not be landed, as it is not committed; without files: some of it."""
    number = len(files)
    are = "are" if number != 1 else "is"
    text = f"{counted(number, 'file')} of the worktree {are}" if files else "Some work in the worktree is"
    return [[Cell(f"{text} not committed. Only commits land.", "slow")], *_some([_file(one) for one in files], "files")]


RESOLVING = "resolving"
"""The step of a landing whose conflicts are handed to an agent; no supervisor tells it."""


def resolves(row: Row | None) -> bool:
    """Return whether the agent of a mission can be handed conflicts: a session, which goes on also after its end."""
    return row is not None and row["type"] == "session" and row["provider"] != "raw"


LATER = {"thaw": " once it is thawed", "terminal": " once its terminal is given back"}
"""A reason why an agent's message waits → when it is read: the end of a sentence about the agent."""


def resolving(answer: Mapping[str, Any]) -> str:
    """What is said once an agent has been handed the conflicts, and what is to be done then."""
    name, files = safe(answer.get("name")), counted(count(answer.get("resolving")), "file")
    again = f"{name} was started again, and" if answer.get("restarted") else name
    later = LATER.get(answer.get("waits_for") or "", "")
    return f"{again} resolves {files}{later}: land it when it has committed"


def progress(item: Mapping[str, Any]) -> str:
    """What an item of the stream says that goes on; "" when it says nothing for people."""
    step = item.get("step")
    return "handing the conflicts over" if step == RESOLVING else safe(step)


def landed(name: str, answer: Mapping[str, Any]) -> str:
    """That it went well, and what to do next."""
    commits = counted(count(answer.get("commits")), "commit")
    return f"landed {safe(name)}: {commits} on {safe(answer.get('target'))} · :wt lists the rest"


# discarding


def at_stake(row: Row) -> list[str]:
    """What goes when a worktree is discarded."""
    isolation = row.get("isolation") or {}
    branch = safe(row.get("branch") or isolation.get("branch"))
    held = ports({"ports": row.get("ports") or isolation.get("ports")})
    names = ", ".join(safe(name) for name in sorted(row.get("containers") or isolation.get("containers") or {}))
    lines = [f"worktree    {safe(folder(row))}", f"branch      {branch}" if branch else ""]
    lines += [f"ports       {held}" if held else "", f"containers  {names}, and their volumes" if names else ""]
    if row.get("dirty"):
        lines.append("uncommitted changes: press v to see them")
    elif row.get("ahead") and not row.get("merged"):
        commits = int(row["ahead"])
        it = "it" if commits == 1 else "them"
        lines.append(f"{counted(commits, 'commit')} on no other branch: press v to see {it}")
    elif row.get("elsewhere"):
        lines.append(f"{counted(int(row['ahead']), 'commit')} also on {safe(list_text(row['elsewhere']))}")
    elif row.get("ignored"):
        lines.append(f"{counted(int(row['ignored']), 'file')} ignored by git")
    return [line for line in lines if line]


def removed_line(gone: Mapping[str, Any]) -> str:
    """Return the name of a mission, what is removed of its own, and where else its commits are. Not yet harmless.

    Such as `red: worktree, branch overmind/red, and its commits stay on keep`.
    """
    parts = ["worktree"] if gone["worktree"] else []
    parts += [f"branch {gone['branch']}"] if gone["branch"] else []
    parts += [counted(len(gone[key]), key[:-1]) for key in ("containers", "volumes") if gone[key]]
    parts += [f"and its commits stay on {list_text(gone['elsewhere'])}"] if gone.get("elsewhere") else []
    return f"{gone['name']}: {', '.join(parts) or 'nothing left to remove'}"


def removed_lines(answer: Mapping[str, Any], verb: str = "Removed") -> list[str]:
    """Return a line for each worktree of a prune: what of it is removed and lost, or why it stays. Not yet harmless."""
    lost_ = [f" ({one['lost']} lost)" if one["lost"] else "" for one in answer["removed"]]
    lines = [f"{verb} {removed_line(one)}{what}" for one, what in zip(answer["removed"], lost_, strict=True)]
    return [*lines, *(f"Kept {one['name']}: {one['why']}" for one in answer["kept"])]


def discard_question(planned: Mapping[str, Any]) -> str:
    """What is asked before these worktrees go: whose work would be lost, else whose they are."""
    lost_ = [f"{one['name']} ({one['lost']})" for one in planned["removed"] if one["lost"]]
    names = ", ".join(one["name"] for one in planned["removed"])
    return f"Discard the work of {', '.join(lost_)}?" if lost_ else f"Remove the worktrees of {names}?"


def lost(fields: Mapping[str, Any]) -> list[str]:
    """What would be lost for good, by the supervisor's refusal."""
    found = []
    for word, entries in (("file", fields.get("files")), ("commit", fields.get("commits"))):
        number = count(entries)
        if number:
            found.append(f"{counted(number, word)} only in this worktree")
        if isinstance(entries, Sequence) and not isinstance(entries, str):
            found += [f"  {''.join(cell.text for cell in _entry(one)).strip()}" for one in entries[:MOST]]
            found += [f"  … and {number - MOST} more"] if number > MOST else []
    return found


def _entry(one: object) -> list[Cell]:
    return _commit(one) if isinstance(one, Mapping) and "subject" in one else _file(one)
