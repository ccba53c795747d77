"""What demonstrations leave in memory, and how it goes."""

from __future__ import annotations

from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from overmind_core.client.client import Client

_MOST_NOTES = 1000


def purge_notes(client: Client, missions: Collection[str]) -> None:
    """Purge what these missions have written, or Overmind has noticed about them."""
    if not missions:
        return
    try:
        listed = client.call("notes", {"all": True, "limit": _MOST_NOTES})["notes"]
        ids = [row["id"] for row in listed if row["author"]["mission"] in missions]
        if ids:
            client.call("forget", {"notes": ids, "purge": True})
    except OvermindError as error:
        if error.code != "memory_off":  # then nothing was written, either
            raise
