"""The types of answers to those who attach. Only annotations name them."""

from __future__ import annotations

from typing import Literal, TypedDict

from overmind_core.agents.answer_types import TurnFinishing
from overmind_core.domain.missions.mission import Status
from overmind_core.missions.answer_types import MissionBrief


class Attached(MissionBrief):
    """The mission whose terminal is joined."""

    status: Status
    write: bool
    """Whether input reaches it."""


class DetachedMission(MissionBrief):
    """The mission from which everybody was detached."""

    detached: int
    """How many."""


class Ticket(TypedDict):
    """The data a client needs to attach to the terminal of a run, at the keeper."""

    run: str
    """Id of the run."""
    ticket: str
    """A ticket for the keeper, valid once within ten seconds."""
    socket: str
    """The keeper's socket."""
    path: str
    """Folder of the run's log."""
    out: int
    """Bytes that the log has."""
    columns: int
    rows: int
    write: bool


class TerminalReady(Ticket):
    """The first run to join (`ready`), or a later one (`run`)."""

    type: Literal["ready", "run"]


class TerminalWaiting(TypedDict):
    """It is between two runs."""

    type: Literal["waiting"]
    status: Status


class TerminalHandedBack(TypedDict):
    """The agent goes back to pipes."""

    type: Literal["handing_back"]
    reason: str | None
    """Why its program could not start in the terminal; null when a person has left it."""


class TerminalDetached(TypedDict):
    """Somebody said `detach`."""

    type: Literal["detached"]


class TerminalEnd(TypedDict):
    """The mission has ended."""

    type: Literal["ended"]
    status: Status
    exit_code: int | None
    reason: str | None
    why: str | None
    """The reason as people read it, with the limit that made it; null: the exit code says it."""


AttachItem = TurnFinishing | TerminalReady | TerminalWaiting | TerminalHandedBack | TerminalDetached | TerminalEnd
