"""Whether work is in a branch though its commits are not: it was rebased, picked or squashed."""

from __future__ import annotations

from overmind_core.git.run import Git, GitFailed

SECONDS = 60.0
"""A comparison that takes longer counts as a difference: then nothing is removed."""
FAR = 2000
"""Commits beyond which a branch is not searched: each costs about a millisecond."""
_NOBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "overmind"), ("EMAIL", "overmind@localhost"), ("DATE", "1000000000 +0000"))
}
"""Always the same, so that the same question makes the same object."""


def landed(git: Git, folder: str, tip: str, target: str) -> bool:
    """Whether `target` has all that was done up to the commit `tip`. When in doubt it has not.

    Raises:
        GitMissing: there is no git.
    """
    try:
        return _landed(git, folder, tip, target)
    except GitFailed:
        return False


def _landed(git: Git, folder: str, tip: str, target: str) -> bool:
    fork = git.ask(folder, "merge-base", target, tip, expected=(0, 1)).out.strip()
    if not fork or fork == target:
        return fork == tip
    touched = _paths(git, folder, fork, tip)
    if not touched:
        return False  # what was done and undone again is in no other place
    if touched.isdisjoint(_paths(git, folder, tip, target)):
        return True
    if int(git(folder, "rev-list", "--count", f"--max-count={FAR}", f"{fork}..{target}")) >= FAR:
        return False
    return _picked(git, folder, tip, target) or _squashed(git, folder, tip, target, fork)


def _paths(git: Git, folder: str, one: str, other: str) -> set[str]:
    """Paths whose content is not the same."""
    out = git.ask(folder, "diff-tree", "-r", "-z", "--name-only", "--no-renames", one, other, seconds=SECONDS).out
    return {path for path in out.split("\0") if path}


def _picked(git: Git, folder: str, tip: str, target: str) -> bool:
    """Whether each commit is there as another one. A merge may hold work of its own, which this does not see."""
    if git(folder, "rev-list", "--max-count=1", "--merges", tip, f"^{target}"):
        return False
    return _cherry(git, folder, tip, target)


def _squashed(git: Git, folder: str, tip: str, target: str, fork: str) -> bool:
    """Whether all together are there as one commit. The object that is made for the question is garbage to git."""
    words = ("commit-tree", "--no-gpg-sign", f"{tip}^{{tree}}", "-p", fork, "-m", "all of it as one")
    one = git.ask(folder, *words, variables=_NOBODY).out.strip()
    return _cherry(git, folder, one, target)


def _cherry(git: Git, folder: str, tip: str, target: str) -> bool:
    lines = git(folder, "cherry", target, tip, seconds=SECONDS).splitlines()
    return bool(lines) and all(line.startswith("- ") for line in lines)
