"""Copies of a note's text that a purge may not change: where somebody else has it, as far as we know."""

from __future__ import annotations

import os
from contextlib import suppress
from glob import escape, glob
from typing import TYPE_CHECKING

from overmind_core.memory.purge import HANDED_IN, HANDED_ON, files_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from overmind_core.memory.opened import Reading
    from overmind_core.missions.registry import Registry

EXPORTED = os.path.join(".overmind", "notes")
"""The folder of exported notes, below the top of a checkout."""
DRAFTS = "edits"
"""The folder below the home of what somebody wrote in an editor, and nobody has stored."""
MOST_USES = 100
"""Runs that were given a note, of an answer."""
_MOST_SEARCHED = 1 << 26
"""Bytes of a file."""


def of(reading: Reading, note: str, top: str | None, private: str) -> tuple[list[str], list[str]]:
    """Return the files with a note, and the missions that wrote it or were given it. On a reader thread.

    Args:
        reading: The notes.
        note: Its id.
        top: The checkout in which exported notes are looked for.
        private: The folder of missions' private files.
    """
    files = glob(f"{escape(reading.path)}.damaged-*")
    files += glob(os.path.join(escape(os.path.dirname(reading.path)), DRAFTS, f"{note}-*.md"))
    if top is not None:
        folder = os.path.join(top, EXPORTED)
        files = [*(os.path.join(folder, name) for name in glob(f"*-{note}.md", root_dir=folder)), *files]
    known = reading.versions.of(note)
    uses = [use["mission"] for use in reading.given.uses(note, MOST_USES)]
    missions = [one for one in dict.fromkeys([*(one.author.mission for one in known), *uses]) if one]
    texts = [one.content.text.encode(errors="surrogatepass") for one in known if one.content.text]
    return [*files, *_handed_in(private, missions, texts)], missions


def _handed_in(private: str, missions: Sequence[str], texts: Sequence[bytes]) -> Iterator[str]:
    """Yield the files with such a text that missions have handed in, and the copies that others were given."""
    sizes = set[tuple[str, int]]()
    for mission in missions:
        for path in files_below(os.path.join(private, mission, HANDED_IN)):
            if _holds(path, texts):
                sizes.add((os.path.basename(path), os.path.getsize(path)))
                yield path
    for folder in glob(os.path.join(escape(private), "*", HANDED_ON)) if sizes else ():
        for path in files_below(folder):
            if (os.path.basename(path), os.path.getsize(path)) in sizes and _holds(path, texts):
                yield path


def _holds(path: str, texts: Sequence[bytes]) -> bool:
    with suppress(OSError), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        held = file.read(_MOST_SEARCHED)
        return any(text in held for text in texts)
    return False


def logs_of(missions: Iterable[str], registry: Registry) -> list[str]:
    """Name the missions that have the text of a note in their log, and maybe in their programs."""
    known = [one for mission in missions if (one := registry.get(mission)) is not None]
    return [f"{'live mission' if one.is_live else 'log of mission'} {one.id}" for one in known]
