"""What git leaves out of a project, as `.gitignore` and its kin say it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from overmind_core.git.run import Git, GitFailed, GitMissing

SECONDS = 5.0
"""How long git may take; then nothing counts as ignored."""
# A person may look at a repository before they trust it: nothing is fetched for it.
_OFFLINE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
_NONE_OF_THEM = 1
"""Git's status when it ignores nothing of what it was asked."""


class IgnoreRule(NamedTuple):
    """One line of a file that says what git leaves out."""

    file: str
    """Relative to the top of the checkout, or absolute where it is elsewhere."""
    line: int
    pattern: str

    @property
    def text(self) -> str:
        """`FILE:LINE: PATTERN`."""
        return f"{self.file}:{self.line}: {self.pattern}"


def hiding_rule(git: Git, top: str, path: str) -> IgnoreRule | None:
    """Return the rule by which git ignores a path that it does not track; None: it doesn't, or can't say.

    Args:
        git: For the caller.
        top: The top of the checkout.
        path: Relative to it, there or not; one that ends with / stands for a folder.
    """
    words = ("check-ignore", "--verbose", "-z", "--no-index", "--stdin")
    try:
        answer = git.run(
            top, *words, expected=(0, _NONE_OF_THEM), seconds=SECONDS, variables=_OFFLINE, text=f"{path}\0"
        )
    except (GitFailed, GitMissing):
        return None
    fields = answer.out.split("\0")
    if len(fields) < len(("file", "line", "pattern", "path")) or fields[2].startswith("!"):
        return None
    return IgnoreRule(fields[0], int(fields[1]), fields[2])


def ignored(git: Git, folder: str, names: Iterable[str]) -> frozenset[str]:
    """Return those of `names`, paths relative to `folder`, that git ignores; what is tracked is not ignored.

    In a folder that is no repository, or none into which git looks, as it would be in a new one. Nothing where git
    can't say.
    """
    wanted = "".join(f"{name}\0" for name in names)
    if not wanted:
        return frozenset()
    try:
        return _ignored_of(git, folder, wanted)
    except GitFailed:
        pass
    except GitMissing:
        return frozenset()
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - most projects are repositories

    try:
        with TemporaryDirectory() as scratch:
            git.run(scratch, "init", "--quiet", "--template=", seconds=SECONDS)
            return _ignored_of(git, folder, wanted, f"--git-dir={os.path.join(scratch, '.git')}", "--work-tree=.")
    except (GitFailed, GitMissing, OSError):
        return frozenset()


def _ignored_of(git: Git, folder: str, wanted: str, *where: str) -> frozenset[str]:
    words = (*where, "check-ignore", "-z", "--stdin")
    answer = git.run(folder, *words, expected=(0, _NONE_OF_THEM), seconds=SECONDS, variables=_OFFLINE, text=wanted)
    return frozenset(answer.out.split("\0")) - {""}
