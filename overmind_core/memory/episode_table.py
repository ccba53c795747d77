"""The table of episodes, and of the lessons that were proposed from them. They never leave the machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.memory.episodes import Episode, lines
from overmind_core.kernel.codec import Codec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.kernel.database import Database, Row

SHORTEST_LINE = 12
"""Characters of a line of a longer text that is looked for."""


class StoredEpisode(NamedTuple):
    """The episode of one run."""

    mission: str
    run: int
    name: str
    """Of the mission."""
    repository: str
    at: float
    """When the run was first heard of; seconds since the epoch."""
    out: int | None
    """How far the run's log was read, up to the end of a line; None: it tells nothing that can be read."""
    ended: bool
    proposed: int
    """How many of its lessons were proposed, or were known."""
    episode: Episode

    @property
    def is_emptied(self) -> bool:
        """Whether a purge has emptied it: what it was is not to come back."""
        return self.ended and self.episode == Episode()


class FoundRun(NamedTuple):
    """An episode that was found, and the line that matched best."""

    stored: StoredEpisode
    matched: str


class EpisodeTable:
    """Episodes by run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, mission: str, run: int) -> StoredEpisode | None:
        """Return one."""
        row = self._database.read_one(f"{_SELECT} WHERE mission = ? AND run = ?", (mission, run))
        return _stored(row) if row else None

    def save(self, stored: StoredEpisode) -> None:
        """Store one, inside of a transaction."""
        text = "\n".join(lines(stored.episode)).lower()
        data = _CODEC.encode(stored.episode)
        self._database.write(_SAVE, (*stored[:-1], data, text))

    def unfinished(self) -> list[tuple[str, int]]:
        """Mission and run of those that have not ended, as far as is stored."""
        rows = self._database.read("SELECT mission, run FROM episodes WHERE NOT ended ORDER BY row")
        return [(mission, run) for mission, run in rows]

    def runs(self) -> list[tuple[str, int]]:
        """Return mission and run of all, oldest first."""
        return [(mission, run) for mission, run in self._database.read("SELECT mission, run FROM episodes ORDER BY at")]

    def find(self, words: Sequence[str], repository: str, limit: int) -> list[FoundRun]:
        """Return those of a repository that have all these words, the newest first."""
        wanted = [word.lower() for word in words if word]
        if not wanted:
            return []
        has_all = "NOT EXISTS (SELECT 1 FROM json_each(?) WHERE instr(text, value) = 0)"  # however many there are
        sql = f"{_SELECT} WHERE repository = ? AND {has_all} ORDER BY at DESC, row DESC LIMIT ?"
        rows = self._database.read(sql, (repository, json.dumps(list(dict.fromkeys(wanted))), limit))
        return [FoundRun(stored, _best(lines(stored.episode), wanted)) for stored in map(_stored, rows)]

    def take_lesson(self, key: str, at: float) -> bool:
        """Remember that a lesson is proposed, inside of a transaction; False: it was before."""
        return bool(self._database.write("INSERT OR IGNORE INTO lessons (key, at) VALUES (?, ?)", (key, at)))

    def remove_before(self, at: float) -> None:
        """Delete episodes that began earlier, inside of a transaction."""
        self._database.write("DELETE FROM episodes WHERE at < ?", (at,))

    def empty(self, missions: Iterable[str], texts: Iterable[str]) -> None:
        """Empty those of missions, and those that hold a line of a text, inside of a transaction.

        They count as ended: what is read of a log later could bring the text back.
        """
        for mission in filter(None, missions):
            self._database.write(f"{_EMPTY} WHERE mission = ?", (_NOTHING, mission))
        for text in texts:
            lines_of_it = [line for line in map(str.strip, text.lower().splitlines()) if len(line) >= SHORTEST_LINE]
            for line in lines_of_it or filter(None, [text.lower().strip()]):
                self._database.write(f"{_EMPTY} WHERE instr(text, ?) > 0", (_NOTHING, line))

    def rename_repository(self, old: str, new: str) -> None:
        """Move those of a repository that is called otherwise now, inside of a transaction."""
        self._database.write("UPDATE episodes SET repository = ? WHERE repository = ?", (new, old))


_SELECT = "SELECT mission, run, name, repository, at, out, ended, proposed, data FROM episodes"
_EMPTY = "UPDATE episodes SET data = ?, text = '', ended = 1"
_CODEC = Codec(Episode)
_NOTHING = _CODEC.encode(Episode())
_SAVE = """INSERT INTO episodes (mission, run, name, repository, at, out, ended, proposed, data, text)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (mission, run) DO UPDATE SET name = excluded.name, repository = excluded.repository,
    out = excluded.out, ended = excluded.ended, proposed = excluded.proposed, data = excluded.data,
    text = excluded.text"""


def _stored(row: Row) -> StoredEpisode:
    mission, run, name, repository, at, out, ended, proposed, data = row
    return StoredEpisode(mission, run, name, repository, at, out, bool(ended), proposed, _CODEC.decode(data))


def _best(found: Sequence[str], wanted: Sequence[str]) -> str:
    """The line with most of the words; of several the first."""
    return max(found, key=lambda line: sum(word in line.lower() for word in wanted), default="")
