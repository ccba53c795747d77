"""The texts of files in commits, all of them read by two gits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from overmind_core.git.run import Git

LARGEST = 1 << 20
"""Bytes of a text that is read."""
_FACTS = 3
"""Words about an object that is there: hash, type, size. Source: git-cat-file(1), `--batch-check`."""


def file_texts(git: Git, folder: str, files: Sequence[tuple[str, str]]) -> list[str | None]:
    """Return the text of each file; None: there is none.

    What is no text, or larger than `LARGEST`, is a NUL and its hash: it can only be compared.

    Args:
        git: For the look.
        folder: Any of the repository.
        files: Commit, and path relative to the top.

    Raises:
        GitFailed: git refused.
        GitMissing: there is none.
    """
    names = [f"{commit}:{path}" for commit, path in files]
    asked = [name for name in dict.fromkeys(names) if "\n" not in name]
    text = "".join(f"{name}\n" for name in asked)
    listed = git.run(folder, "cat-file", "--batch-check", text=text).out.split("\n") if asked else []
    found: dict[str, str] = {}
    for name, line in zip(asked, listed, strict=False):
        facts = line.rsplit(" ", _FACTS - 1)
        if len(facts) == _FACTS and facts[-1].isdigit():
            is_read = facts[1] == "blob" and int(facts[2]) <= LARGEST
            found[name] = facts[0] if is_read else f"\0{facts[0]}"
    hashes = list(dict.fromkeys(one for one in found.values() if not one.startswith("\0")))
    texts = dict(zip(hashes, _contents(git, folder, hashes), strict=True))
    return [None if name not in found else texts.get(found[name], found[name]) for name in names]


def _contents(git: Git, folder: str, hashes: Sequence[str]) -> Iterator[str]:
    if not hashes:
        return
    data = os.fsencode(git.run(folder, "cat-file", "--batch", text="".join(f"{one}\n" for one in hashes)).out)
    place = 0
    for one in hashes:
        end = data.index(b"\n", place) + 1
        size = int(data[place:end].split()[-1])
        content = data[end : end + size]
        yield f"\0{one}" if b"\0" in content else os.fsdecode(content)
        place = end + size + 1
