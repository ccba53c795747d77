"""One request: its envelope, the base of its arguments, who asks, and how a stream answers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, TypeVar

import msgspec

from overmind_core.domain.actor import CLIENT
from overmind_core.system.process_table import read
from overmind_core.system.run_mark import MARK_RLIMIT, MARK_UNKNOWN, NO_MARK, PERSON_MARK, mark_of, unmarked_limit
from overmind_core.system.unixsocket import Peer


class Caller:
    """The other end of one connection; what it is is found out once, when a command first asks."""

    __slots__ = ("_of_a_run", "came_dead", "inside", "known", "mark", "peer")

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.mark = mark_of(peer.pid)
        """Read at once, as it may be killed before its request is looked at: a mission's end is full of those."""
        self.came_dead = MARK_RLIMIT is not None and self.mark == MARK_UNKNOWN
        """Whether it was gone by then: its pid may be somebody else's later, and its connection anybody's."""
        self._of_a_run = self.mark != PERSON_MARK and NO_MARK < self.mark < unmarked_limit()
        self.known = False
        self.inside: str | None = None
        """The id of the mission that it runs in, once `known`."""

    def died_inside(self) -> bool:
        """Whether it ran in some mission and is dead: most likely it was ended together with that."""
        if not self._of_a_run:
            return False
        process = read(self.peer.pid)
        return process is None or process.dead


def ourselves() -> Caller:
    """Who asks when the supervisor itself does: nobody inside a mission."""
    caller = Caller(Peer(os.getpid(), os.geteuid()))
    caller.known = True
    return caller


class Request(msgspec.Struct, frozen=True):
    """The envelope: which command, its arguments, and an id to echo."""

    cmd: str
    args: msgspec.Raw = msgspec.Raw(b"{}")
    id: Any = None
    by: Annotated[str, msgspec.Meta(pattern=CLIENT)] | None = None
    """The client in whose name a program asks that serves several, such as `web:phone`."""
    request: Annotated[str, msgspec.Meta(pattern="^[^:]+$", max_length=128)] | None = None
    """A key of a change that could not be repeated otherwise: see `keyed_requests`. Other requests take none here."""


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of all arguments: an unknown name is an error, never ignored."""


RequestKey = Annotated[str, msgspec.Meta(pattern="^[^:]*$")]
"""A key of the caller's choice, by which the repetition of a request is recognised. A colon is in each of our own keys,
and in none of a caller's: a mission could else begin what the daemon begins by itself, such as its own check."""

Handler = TypeVar("Handler", bound=Callable[..., Any])


def handles(arguments: type[Args]) -> Callable[[Handler], Handler]:
    """Mark a method as the handler of the request of its name, which takes these arguments."""

    def mark(handler: Handler) -> Handler:
        handler.arguments = arguments  # type: ignore[attr-defined] # an attribute of ours
        return handler

    return mark


First = TypeVar("First")
Item = TypeVar("Item")
Stream = AsyncIterator[First | Item]
"""What the handler of a stream returns: `First` answers the request, any number of `Item` follow."""
