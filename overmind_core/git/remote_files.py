"""Files that travel by a branch of a remote, beside the code: commits of that branch have them, and nothing else.

Blocks: runs git. Neither filters nor ignore files change what is sent.
"""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from overmind_core.git.repository import HEADS
from overmind_core.git.run import GitFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.git.run import Git

LARGEST = 16 << 20
"""Bytes of all files of a commit together."""
MOST = 1000
"""Files of a commit."""
_FILE = "100644"
_TRIES = 10
"""How often a commit is pushed while others push theirs to the same branch: one of them has done so each time."""
_WHO = {"GIT_AUTHOR_NAME": "Overmind", "GIT_AUTHOR_EMAIL": "overmind@localhost",
        "GIT_COMMITTER_NAME": "Overmind", "GIT_COMMITTER_EMAIL": "overmind@localhost"}  # fmt: skip


class UnfitFiles(Exception):
    """A commit has other things than files, or more than it may; the text says which."""


def send(git: Git, repository: str, url: str, branch: str, folder: str, *, message: str) -> str:
    """Push a commit with the files of a folder to a branch of a remote, on top of what is there; return the commit.

    Args:
        git: For whoever sends.
        repository: Any, in whose objects the commit is made.
        url: Of the remote.
        branch: Its branch; made where the remote has none.
        folder: With the files, and folders of them.
        message: Of the commit.

    Raises:
        GitFailed: it can't be reached, or refuses.
        GitMissing: there is none.
        UnfitFiles: they are too large.
        OSError: a file can't be read.
    """
    tree = _tree(git, repository, folder)
    name = HEADS + branch
    for left in reversed(range(_TRIES)):
        before = git.run(repository, "ls-remote", "--", url, name).out.partition("\t")[0]
        if before:
            git.run(repository, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", url, name)
        parents = ["-p", before] if before else []
        commit = git.run(repository, "commit-tree", tree, *parents, "-m", message, variables=_WHO).out.strip()
        lease = f"--force-with-lease={name}:{before}"
        words = ("push", "--quiet", "--no-verify", "--no-follow-tags", lease, "--", url, f"{commit}:{name}")
        try:
            git.run(repository, *words)
        except GitFailed:
            now = git.run(repository, "ls-remote", "--", url, name).out.partition("\t")[0]
            if now == before or not left:
                raise
        else:
            return commit
    raise AssertionError


def _tree(git: Git, repository: str, folder: str) -> str:
    """Write the files as a tree; return its hash."""
    found = sorted(_files(folder))
    if len(found) > MOST or sum(os.path.getsize(os.path.join(folder, one)) for one in found) > LARGEST:
        raise UnfitFiles(f"{folder} has more than {LARGEST >> 20} MiB, or more than {MOST} files")
    with tempfile.TemporaryDirectory(prefix="overmind-") as private:
        index = {"GIT_INDEX_FILE": os.path.join(private, "index")}
        for path in found:
            words = ("hash-object", "-w", "--no-filters", "--", os.path.join(folder, path))
            blob = git.run(repository, *words).out.strip()
            git.run(repository, "update-index", "--add", "--cacheinfo", f"{_FILE},{blob},{path}", variables=index)
        if not found:
            git.run(repository, "read-tree", "--empty", variables=index)
        return git.run(repository, "write-tree", variables=index).out.strip()


def _files(folder: str) -> list[str]:
    """Paths, relative to a folder, of all plain files below it."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path) and not os.path.islink(path):
                found.append(os.path.relpath(path, folder))
    return found


def received(git: Git, repository: str, commit: str) -> Mapping[str, bytes]:
    """Return the files of a commit that was fetched, by path.

    Raises:
        GitFailed: there is no such commit.
        UnfitFiles: it has something else, or too much.
    """
    listed = git.run(repository, "ls-tree", "-r", "-z", "-l", commit).out
    entries = [entry.partition("\t") for entry in listed.split("\0") if entry]
    facts = [(head.split(), path) for head, _, path in entries]
    if len(facts) > MOST or any(words[0] != _FILE for words, _ in facts):
        raise UnfitFiles(f"commit {commit[:7]} has more than {MOST} files, or something else than files")
    if sum(int(words[3]) for words, _ in facts) > LARGEST:
        raise UnfitFiles(f"the files of commit {commit[:7]} have more than {LARGEST >> 20} MiB")
    return {path: os.fsencode(git.run(repository, "cat-file", "blob", words[2]).out) for words, path in facts}
