"""Ports: what agents ask of the features above them. The daemon's composition root passes the implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from overmind_core.domain.memory.giving import GivenNotes, Injection
    from overmind_core.domain.missions.mission import Mission
    from overmind_core.missions.answer_types import MissionNotes


class BriefingRequest(NamedTuple):
    """A run that is about to begin, and may know something from its beginning."""

    mission: Mission
    """`run` is the number of the run."""
    conversation: str
    """A name of what is begun or goes on: a run that goes on where another one stopped has the same. A session is one
    conversation, whatever becomes of its processes; each run of anything else is one of its own."""
    question: str | None
    """Its prompt or command, as plain text; None before there is one."""
    injection: Injection
    """Never `OFF`."""
    is_new: bool
    """Whether the conversation may begin with this run; else the program has it already."""


class Briefing(Protocol):
    """Memory: what a run is to know from its beginning. Used from the loop's thread; nothing of it blocks."""

    @property
    def is_on(self) -> bool:
        """Whether anything is given at all; a person may have switched memory off, or it can't be used."""

    @property
    def injection(self) -> Injection:
        """What agents are given whose definition does not say."""

    @property
    def has_notes(self) -> bool:
        """Whether there is any note that could be given.

        Without one nothing is searched for plain commands, and nobody is told why theirs could not be given.
        """

    async def notes_for(self, request: BriefingRequest) -> GivenNotes | None:
        """What the run is given; None, or no text: nothing.

        It is saved before this returns. The same conversation is given the same bytes again, in every daemon, but for
        notes that were purged meanwhile. One that is not new and was given nothing is given nothing.
        May be cancelled at any time; whoever cancels it for a new conversation calls `not_given`.
        """

    async def notes_of(self, mission: Mission, injection: Injection) -> MissionNotes:
        """What the mission's newest run was given, and which notes the mission has written; live or not."""

    def not_given(self, conversation: str) -> None:
        """The conversation begins without: what is saved for it, or will be, counts as not given."""

    def never_begun(self, mission_id: str, run: int) -> None:
        """The run will never begin: what was saved for it counts as not given."""
