"""A memory that gives each new conversation a text of its own, and the same one again as long as it goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from overmind_core.domain.memory.giving import GivenNotes, Injection
from overmind_core.domain.memory.notes import NoteKind

if TYPE_CHECKING:
    from overmind_core.agents.ports import BriefingRequest
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.answer_types import GivenNote, MissionNotes

IDS = ("N-7f3k9c2m4q", "N-0000000001")


class Remembered:
    """Stands where memory does.

    Attributes:
        asked: Every request so far.
        saved: Conversation → what it was given; it outlives a supervisor.
        fault: What happens to a search: `hangs`, `fails`; "": nothing does.
    """

    def __init__(self, *, injection: Injection = Injection.AUTO, is_on: bool = True, has_notes: bool = True) -> None:
        self.injection = injection
        self.is_on = is_on
        self.has_notes = has_notes
        self.asked: list[BriefingRequest] = []
        self.saved: dict[str, GivenNotes] = {}
        self.refused: list[str] = []
        self.withdrawn: list[tuple[str, int]] = []
        self.fault = ""
        self._count = 0

    async def notes_for(self, request: BriefingRequest) -> GivenNotes | None:
        """What is saved, else another text."""
        self.asked.append(request)
        await asyncio.sleep(0)
        if self.fault == "hangs":
            await asyncio.Event().wait()
        if self.fault == "fails":
            raise RuntimeError("a mistake in memory")
        if request.conversation not in self.saved and request.is_new:
            self._count += 1
            text = f"<notes>\n  | é \U0010dc80 {self._count}: {request.question}\n</notes>\n"
            self.saved[request.conversation] = GivenNotes(text, IDS, tokens=12, left_out=3)
        return self.saved.get(request.conversation)

    async def notes_of(self, mission: Mission, injection: Injection) -> MissionNotes:
        """The first of those that its newest run was given."""
        if self.fault == "hangs":
            await asyncio.Event().wait()
        given: GivenNote = {"id": IDS[0], "kind": NoteKind.GOTCHA, "why": "words", "text": str(mission.run)}
        return {"inject": injection, "given": [given], "tokens": 12, "left_out": 3, "wrote": [IDS[1]]}

    def not_given(self, conversation: str) -> None:
        """It has begun without."""
        self.refused.append(conversation)
        self.saved.pop(conversation, None)

    def never_begun(self, mission_id: str, run: int) -> None:
        """It has not begun."""
        self.withdrawn.append((mission_id, run))
