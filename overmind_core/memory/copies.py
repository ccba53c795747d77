"""Copies of a note's text that a purge may not change: where somebody else has it, as far as we know."""

from __future__ import annotations

import os
from glob import escape, glob
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from overmind_core.memory.opened import Reading
    from overmind_core.missions.registry import Registry

EXPORTED = os.path.join(".overmind", "notes")
"""The folder of exported notes, below the top of a checkout."""
DRAFTS = "edits"
"""The folder below the home of what somebody wrote in an editor, and nobody has stored."""
MOST_USES = 100
"""Runs that were given a note, of an answer."""


def of(reading: Reading, note: str, top: str | None) -> tuple[list[str], list[str]]:
    """Return the files with a note, and the missions that wrote it or were given it. On a reader thread.

    Args:
        reading: The notes.
        note: Its id.
        top: The checkout in which exported notes are looked for.
    """
    files = glob(f"{escape(reading.path)}.damaged-*")
    files += glob(os.path.join(escape(os.path.dirname(reading.path)), DRAFTS, f"{note}-*.md"))
    if top is not None:
        folder = os.path.join(top, EXPORTED)
        files = [*(os.path.join(folder, name) for name in glob(f"*-{note}.md", root_dir=folder)), *files]
    wrote = [one.author.mission for one in reading.versions.of(note)]
    uses = [use["mission"] for use in reading.given.uses(note, MOST_USES)]
    return files, [one for one in dict.fromkeys([*wrote, *uses]) if one]


def logs_of(missions: Iterable[str], registry: Registry) -> list[str]:
    """Name the missions that have the text of a note in their log, and maybe in their programs."""
    known = [one for mission in missions if (one := registry.get(mission)) is not None]
    return [f"{'live mission' if one.is_live else 'log of mission'} {one.id}" for one in known]
