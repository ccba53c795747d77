"""What demonstrations leave in memory, and how it goes."""

from __future__ import annotations

import os

from overmind_core.demo.project import SHOP
from overmind_core.domain.text.bytestrings import to_wire
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from overmind_core.client.client import Client

_MOST_NOTES = 1000


def purge_notes(client: Client, missions: Collection[str], root: str) -> None:
    """Purge what these missions have written, or Overmind has noticed about them, and what any have in the shop.

    Args:
        client: Of the daemon.
        missions: Their ids, and those of quests.
        root: The folder of the demonstration, in which the shop is.
    """
    try:
        repository = _repository_of(client, os.path.join(root, SHOP))
        if not missions and repository is None:
            return
        listed = client.call("notes", {"all": True, "limit": _MOST_NOTES})["notes"]
        ids = [row["id"] for row in listed if _is_theirs(row, missions, repository)]
        if ids:
            client.call("forget", {"notes": ids, "purge": True})
    except OvermindError as error:
        if error.code != "memory_off":  # then nothing was written, either
            raise


def _is_theirs(note: Mapping[str, Any], missions: Collection[str], repository: str | None) -> bool:
    """Return True for a note that goes with them, or that a mission wrote in the shop which was removed before."""
    author = note["author"]["mission"]
    in_shop = repository is not None and note["repository"] == repository
    return author in missions or (in_shop and author is not None)


def _repository_of(client: Client, shop: str) -> str | None:
    """Return memory's name of the shop's own repository; None where it has none: one around it is a person's."""
    if not os.path.isdir(os.path.join(shop, ".git")):
        return None
    found: str | None = client.call("memory", {"cwd": to_wire(shop)})["repository"]
    return found
