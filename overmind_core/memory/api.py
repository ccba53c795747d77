"""The requests about notes and memory: each with the mission that asks, handed to the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.kernel.request import handles
from overmind_core.memory import requests
from overmind_core.missions.callers import forbid_inside, mission_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from overmind_core.kernel.request import Caller
    from overmind_core.memory import answer_types as answers
    from overmind_core.memory.service import Memory
    from overmind_core.missions.registry import Registry
    from overmind_core.system.paths import Home


class MemoryApi:
    """The requests about notes and memory."""

    def __init__(self, *, notes: Callable[[], Memory], registry: Registry, home: Home) -> None:
        """`notes`: returns the service, which is made at the first request."""
        self._notes = notes
        self._registry = registry
        self._home = home

    @handles(requests.Remember)
    async def remember(self, request: requests.Remember, caller: Caller) -> answers.Remembered:
        """Write a note, or a version of one. With a request key a repeat makes no second one."""
        return await self._notes().remember(request, self._inside(caller))

    @handles(requests.Recall)
    async def recall(self, request: requests.Recall, caller: Caller) -> answers.Recalled:
        """Find what answers a question, the best first."""
        return await self._notes().recall(request, self._inside(caller))

    @handles(requests.Search)
    async def search(self, request: requests.Search, caller: Caller) -> answers.Searched:
        """Find notes, or runs of agents, by their words."""
        return await self._notes().search(request, self._inside(caller))

    @handles(requests.Notes)
    async def notes(self, request: requests.Notes, caller: Caller) -> answers.NoteList:
        """List notes, the newest first."""
        inside = self._inside(caller)
        if request.export:
            forbid_inside(inside, "export notes")
        return await self._notes().notes(request, inside)

    @handles(requests.Note)
    async def note(self, request: requests.Note, caller: Caller) -> answers.NoteInfo:
        """Everything known of one note."""
        return await self._notes().note(request, self._inside(caller))

    @handles(requests.NoteSet)
    async def note_set(self, request: requests.NoteSet, caller: Caller) -> answers.NoteChanged:
        """Change a note; an edit that says what is there already changes nothing."""
        return await self._notes().note_set(request, self._inside(caller))

    @handles(requests.Forget)
    async def forget(self, request: requests.Forget, caller: Caller) -> answers.Forgotten:
        """Forget notes; with `purge` it answers when no byte of them is left."""
        return await self._notes().forget(request, self._inside(caller))

    @handles(requests.Outcome)
    async def outcome(self, request: requests.Outcome, caller: Caller) -> answers.Votes:
        """Vote for notes, or against them; the newest vote of a voter counts."""
        return await self._notes().outcome(request, self._inside(caller))

    @handles(requests.Memory)
    async def memory(self, request: requests.Memory, caller: Caller) -> answers.MemoryState:
        """How memory stands."""
        return await self._notes().memory(request, self._inside(caller))

    @handles(requests.MemorySet)
    async def memory_set(self, request: requests.MemorySet, caller: Caller) -> answers.MemorySwitched:
        """Switch memory on or off."""
        del caller
        return await self._notes().memory_set(request)

    @handles(requests.MemoryReindex)
    async def memory_reindex(self, request: requests.MemoryReindex, caller: Caller) -> answers.Reindexed:
        """Build the index anew; take over what can be read of a damaged file."""
        del request, caller
        return await self._notes().memory_reindex()

    @handles(requests.MemoryImport)
    async def memory_import(self, request: requests.MemoryImport, caller: Caller) -> answers.Imported:
        """Take in files of notes: all of the request, or nothing."""
        del caller
        return await self._notes().memory_import(request)

    @handles(requests.MemoryUsed)
    async def memory_used(self, request: requests.MemoryUsed, caller: Caller) -> answers.Used:
        """Show the notes that a mission was given."""
        return await self._notes().memory_used(request, self._inside(caller))

    @handles(requests.MemoryShare)
    async def memory_share(self, request: requests.MemoryShare, caller: Caller) -> answers.Shared:
        """Share the notes of a repository, or no longer."""
        del caller
        return await self._notes().memory_share(request)

    @handles(requests.MemoryConnect)
    async def memory_connect(self, request: requests.MemoryConnect, caller: Caller) -> answers.Connected:
        """Connect with a Cortex; without `url` disconnect."""
        del caller
        return await self._notes().memory_connect(request)

    @handles(requests.MemorySync)
    async def memory_sync(self, request: requests.MemorySync, caller: Caller) -> answers.Synced:
        """Send and receive now."""
        del request, caller
        return await self._notes().memory_sync()

    def _inside(self, caller: Caller) -> str | None:
        return mission_of(caller, self._registry, self._home.root)
