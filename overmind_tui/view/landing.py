"""What landing a worktree would bring, why it can't be landed, and what discarding it would lose: as lines. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from overmind_core.domain.cells import pad, width
from overmind_tui.view import worktrees
from overmind_tui.view.cells import Cell, Row, clipped, safe

Lines = list[list[Cell]]
MOST = 8
"""Files, or commits, that are named."""


class How(StrEnum):
    """In which way the commits come onto the target."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


HOWS = {
    How.MERGE: "a merge commit: what belongs together stays together",
    How.SQUASH: "one commit of all its work",
    How.REBASE: "its commits, each anew on top of the target",
}


class Wanted(NamedTuple):
    """How it is to be landed.

    Attributes:
        how: In which way.
        into: The target; "": the branch that it began at.
        verify: A command that has to succeed on the merged work; "": none.
    """

    how: How = How.MERGE
    into: str = ""
    verify: str = ""

    def request(self, mission: str, *, preview: bool) -> dict[str, Any]:
        """What the supervisor is asked."""
        return {
            "id": mission, "into": self.into or None, "squash": self.how is How.SQUASH,
            "rebase": self.how is How.REBASE, "verify": self.verify or None, "message": None, "preview": preview,
        }  # fmt: skip


def count(found: object) -> int:
    """How many: a number, or a list of them."""
    return found if isinstance(found, int) else len(found) if isinstance(found, Sequence) else 0


def counted(number: int, word: str) -> str:
    """A number with its word."""
    return f"{number:,} {word}{'s' * (number != 1)}"


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
    added, removed = one.get("added"), one.get("removed")
    return [
        Cell(f"  {safe(one.get('status') or ' ')} ", "slow"), Cell(safe(one.get("path"))),
        Cell(f"  +{added}" if added else "", "good"), Cell(f" -{removed}" if removed else "", "bad"),
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
        [Cell(f"{counted(len(files), 'file')} conflict{'s' * (len(files) == 1)}; nothing was changed", "bad")],
    ]
    paths = [safe(one["path"]) for one in files]
    widest = min(max(map(width, paths), default=0), 44)
    shown = []
    for path, one in zip(paths, files, strict=True):
        sides = " and ".join(safe(side.get("name") or side.get("id")) for side in one.get("missions") or ())
        shown.append([Cell(f"  {pad(clipped(path, widest), widest)}  "), Cell(sides, "accent")])
    return [*lines, *_some(shown, "files")]


def uncommitted(files: Sequence[object]) -> Lines:
    """What would not be landed, as it is not committed; without files: some of it."""
    number = len(files)
    are = "are" if number != 1 else "is"
    said = f"{counted(number, 'file')} of its worktree {are}" if files else "Some work in its worktree is"
    return [[Cell(f"{said} not committed: only commits land.", "slow")], *_some([_file(one) for one in files], "files")]


def to_resolve(fields: Mapping[str, Any]) -> str:
    """What an agent is asked to do about conflicts."""
    target = fields.get("target") or "the base"
    paths = "\n".join(f"- {one['path']}" for one in fields.get("files") or ())
    return f"Your work conflicts with {target}. Merge {target} into your branch, resolve and commit:\n{paths}\n"


def progress(item: Mapping[str, Any]) -> str:
    """What an item of the stream says that goes on; "" when it says nothing for people."""
    words = {"merging": "merging", "verifying": "verifying", "landing": "landing"}
    return words.get(str(item.get("step")), safe(item.get("step")))


def landed(name: str, answer: Mapping[str, Any]) -> str:
    """That it went well, and what to do next."""
    commits = counted(count(answer.get("commits")), "commit")
    return f"landed {safe(name)}: {commits} on {safe(answer.get('target'))} · :wt shows what is left to land"


# discarding


def at_stake(row: Row) -> list[str]:
    """What goes when a worktree is discarded."""
    isolation = row.get("isolation") or {}
    branch = safe(row.get("branch") or isolation.get("branch"))
    held = worktrees.ports({"ports": row.get("ports") or isolation.get("ports")})
    names = ", ".join(safe(name) for name in sorted(row.get("containers") or isolation.get("containers") or {}))
    lines = [f"worktree    {safe(worktrees.folder(row))}", f"branch      {branch}" if branch else ""]
    lines += [f"ports       {held}" if held else "", f"containers  {names}, and their volumes" if names else ""]
    if row.get("dirty"):
        lines.append("not committed: see it with v")
    elif row.get("ahead") and not row.get("merged"):
        lines.append(f"{counted(int(row['ahead']), 'commit')} that nothing else has: see them with v")
    return [line for line in lines if line]


def lost(fields: Mapping[str, Any]) -> list[str]:
    """What would be lost for good, by the supervisor's refusal."""
    found = []
    for word, entries in (("file", fields.get("files")), ("commit", fields.get("commits"))):
        number = count(entries)
        if number:
            found.append(f"{counted(number, word)} that {'is' if number == 1 else 'are'} nowhere else")
        if isinstance(entries, Sequence) and not isinstance(entries, str):
            found += [f"  {''.join(cell.text for cell in _entry(one)).strip()}" for one in entries[:MOST]]
            found += [f"  … and {number - MOST} more"] if number > MOST else []
    return found


def _entry(one: object) -> list[Cell]:
    return _commit(one) if isinstance(one, Mapping) and "subject" in one else _file(one)
