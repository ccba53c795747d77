"""The changes of a worktree beyond a commit: commits, what is not committed, and files that git does not know yet.

The worktree's own index and the repository's objects stay as they are, whoever works there meanwhile: all that is
written goes into a copy of the index, and into objects in a folder that is removed afterwards.
"""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from overmind_core.git.layout import git_folders, top_of
from overmind_core.git.look import WorktreeLook, look_at
from overmind_core.git.run import Git, GitFailed

MAX_BYTES = 8 * 1024 * 1024
"""Of a diff; what is beyond is left out."""
MAX_FILES = 10_000
"""Files that are listed."""
LARGE, MOST_READ, MOST_LARGE = 32 << 20, 512 << 20, 1000
"""Bytes of one file, and of all together, that are not committed and read for a look; and files left out for that."""
MAX_COMMITS = 1000
"""Commits that are listed, the newest."""
_READING = ("-c", "core.untrackedCache=false", "-c", "core.splitIndex=false",
            "-c", "core.safecrlf=false", "-c", "advice.addEmbeddedRepo=false")  # fmt: skip
"""Before the command: nothing but our copy is written, and no setting makes a question of a look."""
_COMPARE = ("diff", "-M", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "-O/dev/null",
            "--submodule=short", "--ignore-submodules=none", "--src-prefix=a/", "--dst-prefix=b/")  # fmt: skip
_DIFF = (*_COMPARE, "--cached")
_RENAMED = frozenset("RC")
_FIELDS = 5
"""Of a raw line: two modes, two hashes, the status. Source: git-diff(1), raw output format."""


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file. Paths are relative to the top of the worktree."""

    path: str
    old_path: str | None
    """Where it was, when it was moved."""
    status: str
    """A, M, D, R, T as git has it; ? for one that git does not know yet."""
    added: int
    """Lines; 0 for a binary file."""
    removed: int
    binary: bool


class CommitLine(NamedTuple):
    """One commit: its full hash and the first line of its message."""

    hash: str
    subject: str


@dataclass(frozen=True, slots=True)
class WorktreeChanges:
    """All that a worktree has beyond `since`."""

    top: str
    """The worktree's folder."""
    branch: str | None
    """What is checked out there; None for no branch."""
    since: str
    """The commit that it is compared with; a tree without files where there is no commit."""
    commits: tuple[CommitLine, ...]
    """Newest first."""
    files: tuple[ChangedFile, ...]
    diff: str
    cut: str
    """Why this is not all, and how to see the rest; "" when it is."""


def worktree_changes(git: Git, folder: str, base: str | None = None) -> WorktreeChanges:
    """Return what the worktree around `folder` has beyond its merge base with `base`; without one, beyond HEAD.

    Raises:
        GitFailed: there is no repository, or git refused.
        GitMissing: there is none.
    """
    top = top_of(git, folder)
    look = look_at(git, top)
    since = merge_base(git, top, base) if base is not None else look.head or _empty_tree(git, top)
    with throwaway_objects(git, top) as (objects, scratch):
        staged = stage_all(git, top, look, objects, os.path.join(scratch, "index"))
        files, text, whole = staged_changes(git, top, staged, since, os.path.join(scratch, "diff"))
    unknown, notes = staged.unknown, [*too_large(staged.large), *staged.notes]
    files += [ChangedFile(path, None, "?" if path in unknown else "M", 0, 0, binary=True) for path in staged.large]
    commits = [] if base is None or since == look.head else _commits(git, top, since)
    if not whole or len(files) > MAX_FILES or len(commits) > MAX_COMMITS:
        notes.append(f"The output is truncated. See all changes with: git -C {shlex.quote(top)} diff {since[:12]}")
    return WorktreeChanges(
        top=top,
        branch=look.branch,
        since=since,
        commits=tuple(commits[:MAX_COMMITS]),
        files=tuple(files[:MAX_FILES]),
        diff=text,
        cut=" ".join(notes),
    )


def commit_changes(git: Git, folder: str, since: str, until: str, *, tip: str = "") -> WorktreeChanges:
    """Return what the commit `until` has beyond `since`, wherever both are checked out; its `branch` is None.

    Args:
        git: For the mission.
        folder: Any of the repository.
        since: Commit.
        until: Commit.
        tip: The commit whose history is listed; `until` by default.

    Raises:
        GitFailed: one of them does not exist, or git refused.
        GitMissing: there is none.
    """
    text, whole = diff_between(git, folder, since, until, most=MAX_BYTES)
    files, commits = names_between(git, folder, since, until), _commits(git, folder, since, tip or until)
    is_all = whole and len(files) <= MAX_FILES and len(commits) <= MAX_COMMITS
    rest = f"git -C {shlex.quote(folder)} diff {since[:12]} {until[:12]}"
    return WorktreeChanges(
        top=folder,
        branch=None,
        since=since,
        commits=tuple(commits[:MAX_COMMITS]),
        files=files[:MAX_FILES],
        diff=text,
        cut="" if is_all else f"The output is truncated. See all changes with: {rest}",
    )


def diff_between(git: Git, folder: str, since: str, until: str, *paths: str, most: int) -> tuple[str, bool]:
    """Return the beginning of the diff of two commits, whole lines of at most `most` bytes, and whether that is all.

    Args:
        git: For the mission.
        folder: Any of the repository.
        since: Commit.
        until: Commit.
        paths: Relative to the top; none: of all files.
        most: Bytes.

    Raises:
        GitFailed: one of them does not exist, or git refused.
        GitMissing: there is none.
    """
    only = [f":(top,literal){path}" for path in paths]
    with tempfile.TemporaryDirectory(prefix="overmind-changes-", ignore_cleanup_errors=True) as scratch:
        diff = os.path.join(scratch, "diff")
        git.run(folder, *_COMPARE, "--patch", f"--output={diff}", since, until, "--", *only)
        return _beginning(diff, most)


def merge_base(git: Git, folder: str, base: str, branch: str = "HEAD") -> str:
    """Return the commit from which `branch` and `base` went apart; `base` itself where they have none in common.

    Raises:
        GitFailed: one of them does not exist.
    """
    found = git.run(folder, "merge-base", branch, base, expected=(0, 1)).out.strip()
    return found or git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")


def commits_between(git: Git, folder: str, since: str, until: str = "HEAD") -> tuple[CommitLine, ...]:
    """Return what `until` has and `since` has not, newest first, at most `MAX_COMMITS`."""
    return tuple(_commits(git, folder, since, until)[:MAX_COMMITS])


class WorkHistory(NamedTuple):
    """The commits of a worktree beside what they change together; what is not committed counts as one more."""

    has_rest: bool
    """Something is not committed yet."""
    passing: tuple[str, ...]
    """Files that some of them change, and that are as before all the same."""
    undone: tuple[str, ...]
    """Files that change, and in which one of them undoes something of another."""


def work_history(git: Git, top: str, since: str) -> WorkHistory:
    """Return the history of a worktree beyond the commit `since`; of a merge counts what none of its sides has.

    Raises:
        GitFailed: there is no such commit, or git refused.
        GitMissing: there is none.
    """
    log = ("log", "--topo-order", "--no-renames", "--no-show-signature", "--no-ext-diff", "--no-textconv",
           "--ignore-submodules=none", "--format=%x01%H", "-z")  # fmt: skip
    made = (f"{since}..HEAD", "--")
    touched = _by_commit(git.run(top, *log, "--cc", "--name-only", *made).out)
    numbers = _by_commit(git.run(top, *log, "--no-merges", "--numstat", *made).out)
    each = {commit: _counted_lines(words) for commit, words in numbers.items()}
    with throwaway_objects(git, top) as (objects, scratch):
        staged = stage_all(git, top, look_at(git, top), objects, os.path.join(scratch, "index"))
        words = (*_DIFF, "--no-renames", "--numstat", "-z")
        whole, rest = (
            _counted_lines(git.run(top, *words, other, "--", variables=staged.variables).out.split("\0"))
            for other in (since, "HEAD")
        )
    counts: dict[str, list[int | None]] = {}
    for one in chain(*each.values(), rest):
        counts.setdefault(one.path, []).append(one.added)
    changed = {one.path: one.added for one in whole}
    merged = _undone_of_merges(touched, each, rest)
    return WorkHistory(
        has_rest=bool(rest),
        passing=tuple(sorted({*chain(*touched.values()), *counts} - {*changed})),
        undone=tuple(
            sorted(path for path in changed if path in merged or _is_undone(counts.get(path, []), changed[path]))
        ),
    )


class _CountedLines(NamedTuple):
    """How many lines a change adds to a file, and removes from it; None: it is binary."""

    path: str
    added: int | None
    removed: int | None


def _by_commit(listed: str) -> dict[str, list[str]]:
    """Commit → the words that a log with `--format=%x01%H -z` has of it, in the log's order."""
    found: dict[str, list[str]] = {}
    words: list[str] = []
    for word in listed.split("\0"):
        if word.startswith("\x01"):
            words = found.setdefault(word[1:], [])
        elif text := word.lstrip("\n"):
            words.append(text)
    return found


def _counted_lines(words: Iterable[str]) -> list[_CountedLines]:
    """Those of the words of `--numstat -z`."""
    found = (word.split("\t", 2) for word in words if word)
    return [_CountedLines(path, *(None if one == "-" else int(one) for one in lines)) for *lines, path in found]


def _undone_of_merges(
    touched: Mapping[str, Sequence[str]], each: Mapping[str, Sequence[_CountedLines]], rest: Sequence[_CountedLines]
) -> set[str]:
    """The files that a merge changes by itself, and from which something later removes lines: maybe those.

    Args:
        touched: Commit → the files that it changes, of a merge by itself; the newest first.
        each: Commit → the lines of its files, of all but merges.
        rest: Of what is not committed.
    """
    found: set[str] = set()
    reduced = {one.path for one in rest if one.removed != 0}
    for commit, paths in touched.items():
        if commit in each:
            reduced |= {one.path for one in each[commit] if one.removed != 0}
        else:
            found |= reduced & set(paths)
            reduced |= set(paths)
    return found


def _is_undone(each: Sequence[int | None], whole: int | None) -> bool:
    """Whether several changes of a file have added more than it has of them in the end.

    Of a binary one, whether there are several: the last is all that is left.
    """
    numbers = [one for one in each if one is not None]
    return len(each) > 1 if whole is None or len(numbers) < len(each) else sum(numbers) > whole


def names_between(git: Git, folder: str, since: str, until: str) -> tuple[ChangedFile, ...]:
    """Return the files in which two commits differ."""
    return tuple(_files(git.run(folder, *_COMPARE, "--raw", "--numstat", "-z", "--no-abbrev", since, until).out))


def staged_changes(
    git: Git, top: str, staged: StagedCopy, since: str, output: str, *paths: str
) -> tuple[list[ChangedFile], str, bool]:
    """Return what differs between a commit or tree and a staged copy: the files, the diff, and whether that is all.

    Args:
        git: For the mission.
        top: Top of the worktree.
        staged: Of `stage_all`.
        since: The commit or tree.
        output: Path of a file for the diff, where nothing is.
        paths: Pathspecs; none: all files.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    only = ("--", *paths) if paths else ()
    words = ("--raw", "--numstat", "-z", "--no-abbrev", since, *only)
    listed = git.run(top, *_DIFF, *words, variables=staged.variables).out
    git.run(top, *_DIFF, "--patch", f"--output={output}", since, *only, variables=staged.variables)
    return [_marked(one, staged.unknown) for one in _files(listed)], *_beginning(output, MAX_BYTES)


class StagedCopy(NamedTuple):
    """All that is in a worktree, staged in a copy of its index."""

    variables: Mapping[str, str]
    """They lead git to that copy, and to the objects in it."""
    unknown: frozenset[str]
    """Files that git does not know yet."""
    large: tuple[str, ...]
    """Files that are too much to be read for a look: they are as they were committed last."""
    notes: tuple[str, ...]
    """Why others are not in it, for people."""


def stage_all(
    git: Git,
    top: str,
    look: WorktreeLook,
    objects: Mapping[str, str],
    index: str,
    *,
    without: Collection[str] = (),
    most: int | None = None,
) -> StagedCopy:
    """Stage everything in a worktree, also new files, but in a copy of its index.

    Args:
        git: For the mission.
        top: Top of the worktree.
        look: What git's status says of it.
        objects: Of `throwaway_objects`, or others of `object_variables`.
        index: Path of the copy, where nothing is.
        without: Files that are not read, whatever their size.
        most: Bytes that are read, of all files together; `MOST_READ` by default.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    large = _large(top, look, without, MOST_READ if most is None else most)
    notes: list[str] = []
    left_out = [exclude(path) for path in large]
    with suppress(FileNotFoundError):  # nothing was ever added
        # With its time: git compares the content of files that are as young as their index, and those alone.
        shutil.copy2(os.path.join(git_folders(git, top).own, "index"), index)
    variables = {**objects, "GIT_INDEX_FILE": index}
    if look.unstaged or look.new:
        words = ("add", "-A", "--ignore-errors", "--", ":(top)", *left_out)
        added = git.run(top, *_READING, *words, expected=(0, 1, 128), variables=variables)
        if added.code != 0:
            notes.append(f"Some files can't be read: {_first_line(added.err)}.")
    return StagedCopy(variables, frozenset(look.new), tuple(large), tuple(notes))


def exclude(path: str) -> str:
    """Return the pathspec that leaves out a file; relative to the top."""
    return f":(exclude,top,literal){path}"


@contextmanager
def throwaway_objects(git: Git, folder: str, *more: str) -> Iterator[tuple[Mapping[str, str], str]]:
    """A place for new objects that are gone afterwards: the variables that lead git there, and the folder around it.

    Args:
        git: For the mission.
        folder: Any of the repository.
        more: Folders with objects that are looked for beside those of the repository.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    with tempfile.TemporaryDirectory(prefix="overmind-changes-", ignore_cleanup_errors=True) as scratch:
        own = os.path.join(scratch, "objects")
        os.mkdir(own)
        yield object_variables(git, folder, own, *more), scratch


def object_variables(git: Git, folder: str, own: str, *more: str) -> Mapping[str, str]:
    """Return the variables that have git put new objects into `own`, and look for others in the repository too.

    Raises:
        GitFailed: there is no repository.
        GitMissing: there is no git.
    """
    known = (os.path.join(git_folders(git, folder).common, "objects"), *more)
    return {"GIT_OBJECT_DIRECTORY": own, "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(map(_quoted, known))}


def too_large(paths: Sequence[str]) -> list[str]:
    """What is said of changed files that are too large to be read for a look."""
    return [f"Too large to show: {', '.join(paths)}."] if paths else []


def _large(top: str, look: WorktreeLook, without: Collection[str], most: int) -> list[str]:
    """The files that are too much to be read for a look."""
    found: list[str] = []
    total = 0
    for path in sorted({*look.new, *look.unstaged}):
        try:
            size = os.lstat(os.path.join(top, path)).st_size
        except OSError:  # removed
            continue
        if path in without or size > LARGE or total + size > most:
            found.append(path)
        else:
            total += size
    if len(found) > MOST_LARGE:
        raise GitFailed(("diff",), None, f"{top} has {len(found)} large uncommitted files: add them to .gitignore")
    return found


def _empty_tree(git: Git, top: str) -> str:
    return git.run(top, "hash-object", "-t", "tree", "--stdin", text="").out.strip()


def _commits(git: Git, folder: str, since: str, until: str = "HEAD") -> list[CommitLine]:
    listed = git(folder, "log", f"--max-count={MAX_COMMITS + 1}", "--no-show-signature", "-z", "--format=%H %s",
                 f"{since}..{until}", "--")  # fmt: skip
    return [CommitLine(*line.partition(" ")[::2]) for line in listed.split("\0") if line]


def _quoted(path: str) -> str:
    """A path in a list of them. Source: git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES."""
    if ":" not in path and not path.startswith('"'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _beginning(path: str, most: int) -> tuple[str, bool]:
    """Whole lines of a file, at most so many bytes, and whether that is all."""
    with open(path, "rb") as file:
        data = file.read(most + 1)
    whole = len(data) <= most
    if not whole:
        data = data[: data.rfind(b"\n", 0, most) + 1]
    return os.fsdecode(data), whole


def _files(listed: str) -> list[ChangedFile]:
    """Raw lines, then the same files with their numbers of lines; each with its paths after it."""
    words = iter(listed.split("\0"))
    states: dict[str, tuple[str, str | None]] = {}
    counts: dict[str, tuple[str, str]] = {}
    for word in words:
        if word.startswith(":"):
            status = word.split(" ", _FIELDS - 1)[-1][0]
            path = next(words)
            old = path if status in _RENAMED else None
            states[next(words) if status in _RENAMED else path] = (status, old)
        elif word:
            added, removed, path = word.split("\t", 2)
            if not path:
                next(words)  # where it was
                path = next(words)
            counts[path] = (added, removed)
    return [_file(path, *state, *counts.get(path, ("0", "0"))) for path, state in states.items()]


def _file(path: str, status: str, old: str | None, added: str, removed: str) -> ChangedFile:
    binary = added == "-"
    return ChangedFile(path, old, status, 0 if binary else int(added), 0 if binary else int(removed), binary)


def _marked(file: ChangedFile, unknown: Collection[str]) -> ChangedFile:
    if file.status != "A" or file.path not in unknown:
        return file
    return ChangedFile(file.path, None, "?", file.added, file.removed, file.binary)


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.startswith(("error:", "fatal:"))]
    return lines[0].split(": ", 1)[-1] if lines else "see git add --dry-run"
