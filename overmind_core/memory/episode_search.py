"""The search for episodes: runs of agents of one repository, the newest first. On a thread that reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.domain.text.moment import format_time
from overmind_core.memory.episode_table import EpisodeTable

if TYPE_CHECKING:
    from overmind_core.memory.answer_types import FoundEpisode, Searched
    from overmind_core.memory.episode_table import FoundRun
    from overmind_core.memory.opened import Reading
    from overmind_core.memory.places import Place
    from overmind_core.memory.requests import Search

MOST_SHOWN = 50
"""Files and commands of each episode: the first files, the newest commands."""


def found_episodes(reading: Reading, asked: str, place: Place | None, limit: int, request: Search) -> Searched:
    """The runs in the folder's repository that have all words of the question, or with `literal` all of it."""
    if place is None:
        return {"notes": [], "episodes": []}
    words = [asked] if request.literal else asked.split()
    found = EpisodeTable(reading.database).find(words, place.repository, limit)
    return {"notes": [], "episodes": [_shown(one) for one in found]}


def _shown(found: FoundRun) -> FoundEpisode:
    stored = found.stored
    episode = stored.episode
    return {
        "mission": stored.mission,
        "name": stored.name,
        "run": stored.run,
        "at": format_time(stored.at),
        "matched": found.matched,
        "files": list(dict.fromkeys((*episode.edited, *episode.read)))[:MOST_SHOWN],
        "commands": [{"command": one.command, "exit_code": one.exit_code} for one in episode.commands[-MOST_SHOWN:]],
    }
