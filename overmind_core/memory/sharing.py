"""Memory that may be connected with a Cortex: its requests, and what the others gain by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from overmind_core.memory import validate
from overmind_core.memory.answers import note_info
from overmind_core.memory.service import Memory
from overmind_core.memory.sync import CortexSync
from overmind_core.memory.tables import StoredNote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from overmind_core.domain.settings import CortexSettings
    from overmind_core.kernel.event_log import EventLog
    from overmind_core.memory import answer_types as answers
    from overmind_core.memory import requests
    from overmind_core.memory.store import Change
    from overmind_core.system.machine import Clock
    from overmind_core.system.paths import Home


class SharingMemory(Memory):
    """Notes of one home, which may share some with others."""

    def __init__(
        self, *, home: Home, clock: Clock, events: EventLog, cortex_settings: CortexSettings, **parts: object
    ) -> None:
        """`parts`: as of memory itself."""
        super().__init__(home=home, clock=clock, events=events, **parts)  # type: ignore[arg-type] # passed on
        self.cortex = CortexSync(
            write=self.write,
            on_changes=self._on_received,
            events=events,
            clock=clock,
            token_file=home.cortex_token,
            settings=cortex_settings,
        )

    def close(self) -> None:
        """End the threads, after what is under way."""
        self.cortex.close()
        super().close()

    async def memory(self, request: requests.Memory, inside: str | None) -> answers.MemoryState:
        """How memory stands, and the connection."""
        state = await super().memory(request, inside)
        if state["reason"] is None and self.cortex.is_connected:
            state["cortex"] = await self.cortex.state()
        return state

    async def recall(self, request: requests.Recall, inside: str | None) -> answers.Recalled:
        """Find what answers a question, here or in the Cortex."""
        if not request.remote:
            return await super().recall(request, inside)
        asked, _ = self._redacted(inside, validate.questions(request.questions))
        found = await self.cortex.search({
            "question": " ".join(asked), "limit": validate.limit(request.limit), "kind": request.kind,
            "scope": request.scope, "tag": request.tag,
        })  # fmt: skip
        notes: list[answers.FoundNote] = [
            {
                "note": note_info(StoredNote(0, note, 0, None), stale=False),
                "score": score,
                "why": ["meaning" if word == "meaning" else "words" for word in why],
                "corrected": {},
            }
            for note, score, why in found
        ]
        return {"notes": notes, "with_meaning": False, "why_not": None}

    async def memory_connect(self, request: requests.MemoryConnect) -> answers.Connected:
        """Connect with a Cortex, or disconnect."""
        if request.url is None:
            await self.cortex.disconnect()
        else:
            await self.cortex.connect(request.url, request.token or "", request.ca or "")
        return {"cortex": await self.cortex.state()}

    async def memory_share(self, request: requests.MemoryShare) -> answers.Shared:
        """Share the notes of a folder's repository, or no longer."""
        place = await self._sights.place_of(request.cwd)
        notes = await self.cortex.share(place.repository, is_local=place.is_local, on=request.on)
        return {"repository": place.repository, "on": request.on, "notes": notes}

    async def memory_sync(self) -> answers.Synced:
        """Send and receive now."""
        return await self.cortex.sync()

    def _on_received(self, changes: Sequence[Change]) -> None:
        super()._record_changes(changes)
        if any(one.change == "purged" for one in changes):
            self._meaning.forget()

    def _record_changes(self, changes: Iterable[Change]) -> None:
        super()._record_changes(changes)
        self.cortex.wake()
