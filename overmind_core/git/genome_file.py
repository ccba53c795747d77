"""One file of a repository somewhere, at a branch, tag or commit: fetched with the account's own git. Blocks."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import NamedTuple

from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.git.run import Git, GitFailed, GitMissing

TYPE_CHECKING = False

if TYPE_CHECKING:
    from overmind_core.domain.plans.genome import GenomeAddress

SECONDS = 60.0
"""That a fetch may take."""
_MISSING = ("couldn't find remote ref", "not our ref", "no such remote ref", "upload-pack: not our ref")
"""How git says that a remote has no such branch, tag or commit."""


class FetchedFile(NamedTuple):
    """A file as a commit has it."""

    commit: str
    data: bytes


def fetch(git: Git, address: GenomeAddress, largest: int) -> FetchedFile:
    """Fetch the file of an address.

    Args:
        git: Of the account.
        address: It was checked, see `domain.plans.genome.parse`.
        largest: Bytes of the file.

    Raises:
        OvermindError: `git_failed`, the repository can't be read; `not_found`, it has no such ref or file;
            `too_large`.
    """
    url, file = from_wire(address.url), from_wire(address.file)
    try:
        with TemporaryDirectory(prefix="overmind-genome-") as folder:
            git(folder, "init", "--quiet", "--bare", "--template=", seconds=SECONDS)
            commit = _fetched(git, folder, url, address)
            kind = git.run(folder, "cat-file", "-t", f"{commit}:{file}", expected=(0, 128)).out.strip()
            if kind != "blob":
                raise OvermindError(
                    "not_found", f"{address.url} has no file {address.file!r} at {address.ref} ({commit[:7]})"
                )
            size = int(git(folder, "cat-file", "-s", f"{commit}:{file}"))
            if size > largest:
                raise OvermindError("too_large", f"{address.place} has {size} bytes; at most {largest} are read")
            # As text it is what it was as bytes: UTF-8 or not is judged by who reads it.
            text = git.run(folder, "cat-file", "blob", f"{commit}:{file}").out
            return FetchedFile(commit, text.encode(errors="surrogateescape"))
    except GitFailed as error:
        raise OvermindError("git_failed", f"{address.url} can't be fetched: {to_wire(error.reason)}") from None
    except GitMissing:
        raise OvermindError("git_failed", "git is not installed here") from None


def _fetched(git: Git, folder: str, url: str, address: GenomeAddress) -> str:
    words = ("fetch", "--quiet", "--no-tags", "--depth=1", "--no-auto-maintenance", "--no-recurse-submodules")
    ref = from_wire(address.ref)
    try:
        git(folder, *words, "--", url, ref, seconds=SECONDS)
    except GitFailed as error:
        if not any(words in error.output for words in _MISSING):
            raise
        raise OvermindError("not_found", f"{address.url} has no branch, tag or whole commit {address.ref!r}") from None
    return git(folder, "rev-parse", "--verify", "FETCH_HEAD^{commit}")
