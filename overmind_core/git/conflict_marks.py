"""Conflicts that nobody has resolved: those of git's index, and the marks of both sides that were left in files.

Agents commit marks too. They are told from a text that is about marks by what they stand in: a file that was there
before, or one whose marks name a commit of the work itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from overmind_core.git.layout import top_of
from overmind_core.git.run import Git

_MARKS = re.compile(rb"^(<{7,}|>{7,}) ", re.MULTILINE)
"""Git's, around both sides of a conflict. An attribute `conflict-marker-size` makes them longer."""
_COMMIT = re.compile(r"^>{7,} ([0-9a-f]{40}(?:[0-9a-f]{24})?)$", re.MULTILINE)
"""The mark at the end of a conflict of a merge that the engine has begun, as that names a commit."""
_CHANGED = ("diff", "-z", "--name-status", "--find-renames", "--no-ext-diff", "--no-textconv",
            "--ignore-submodules=all", f"-G{_MARKS.pattern.decode()}")  # fmt: skip
"""Names the files with a mark more, or less."""
_NOTHING_IN_COMMON = 128
"""What git ends with where two commits have no commit in common, too."""


def conflicting(git: Git, folder: str) -> tuple[str, ...]:
    """Return the files whose conflicts are not resolved, relative to the top."""
    return tuple(sorted({line.split("\t", 1)[1] for line in git(folder, "ls-files", "-u", "-z").split("\0") if line}))


def unresolved(git: Git, folder: str) -> tuple[str, ...]:
    """Return the conflicting files that nobody has resolved, relative to the top, also of who knows nothing of git.

    A text is resolved when no marks of a conflict are left in it, and whatever was conflicting when it was deleted.
    """
    top = top_of(git, folder)
    sides: dict[str, set[str]] = {}
    for line in git(top, "ls-files", "-u", "-z").split("\0"):
        if line:
            about, path = line.split("\t", 1)
            sides.setdefault(path, set()).add(about.rsplit(" ", 1)[1])
    return tuple(sorted(path for path, stages in sides.items() if not _is_resolved(os.path.join(top, path), stages)))


def marked(git: Git, folder: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Return those of some files, relative to the top, that have the marks of a conflict."""
    top = top_of(git, folder)
    return tuple(path for path in paths if _has_marks(os.path.join(top, path)))


def committed_marks(git: Git, folder: str, commit: str, target: str) -> tuple[str, ...]:
    """Return the files, relative to the top, in which a commit has marks that were not there when it left `target`.

    A file that is new since is not one of them, unless its marks name a commit that the work has brought together.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    answer = git.run(folder, *_CHANGED, f"{target}...{commit}", expected=(0, _NOTHING_IN_COMMON))
    if answer.code or not answer.out:
        return ()
    base = git(folder, "merge-base", target, commit)
    return tuple(
        sorted(
            path
            for before, path in _changed(answer.out)
            if _has_more(git, folder, f"{commit}:{path}", None if before is None else f"{base}:{before}", commit)
        )
    )


def _changed(output: str) -> Iterator[tuple[str | None, str]]:
    """The changed files of `_CHANGED`, as the path before, None for a new one, and the path now."""
    words = iter(output.split("\0"))
    for status in words:
        if status[:1] in {"R", "C"}:
            yield next(words), next(words)
        elif status and (path := next(words)) and status != "D":
            yield None if status == "A" else path, path


def _has_more(git: Git, folder: str, now: str, before: str | None, commit: str) -> bool:
    """Whether a file has more marks than before; a new one, whether one of them names a commit of the work."""
    text = git(folder, "cat-file", "blob", now)
    if before is not None:
        return _count(text) > _count(git(folder, "cat-file", "blob", before))
    words = ("merge-base", "--is-ancestor")
    found = set(_COMMIT.findall(text.replace("\r\n", "\n")))
    return any(git.run(folder, *words, one, commit, expected=(0, 1, 128)).code == 0 for one in found)


def _count(text: str) -> int:
    return len(_MARKS.findall(os.fsencode(text)))


def _has_marks(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return not os.path.islink(path) and bool(_MARKS.search(file.read()))
    except OSError:
        return False


def _is_resolved(path: str, stages: set[str]) -> bool:
    try:
        if os.path.islink(path) or not stages >= {"2", "3"}:
            return not os.path.lexists(path)
        with open(path, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return b"\0" not in text and not _MARKS.search(text)
