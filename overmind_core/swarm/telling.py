"""How a hive tells the swarm of its posts: all that is due at once, and with its next claims where it has room.

One statement for all of it, so that the disk is waited for once. What is refused of one post would be refused of all:
then each is told of by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from overmind_core.errors import OvermindError
from overmind_core.swarm.reports import OF_ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from overmind_core.swarm.answers import Claims
    from overmind_core.swarm.line import SwarmLine
    from overmind_core.swarm.reports import Reports, Told
    from overmind_core.swarm.store import Session

LARGEST_PART = 4 * 1024 * 1024
"""Characters of what is told or presented at once; a post with more is told of alone."""
MOST_AT_ONCE = 256
"""Posts of which something is told or presented at once."""
Item = TypeVar("Item")


class Telling:
    """Used from the loop's thread."""

    def __init__(self, reports: Reports, line: SwarmLine) -> None:
        self._reports = reports
        self._line = line

    async def due(self) -> list[list[Told]]:
        """Return what is due, in parts that are answered in time.

        Raises:
            SwarmSilent: nobody answers.
        """
        return [part for part, _ in parts_of(await self._reports.gather(), _size_of_told)]

    async def tell(self, session: Session, part: list[Told]) -> list[str]:
        """Tell of these; return the posts whose claims are over.

        Raises:
            SwarmSilent: nobody answers; what was not told is told again.
        """
        told = [one.as_told() for one in part]
        try:
            answers = await self._line.ask(lambda swarm: swarm.tell(session.id, told))
        except OvermindError as error:
            self._check_of_one(error, part)
            return await self._reports.send_each(part)
        return await self._reports.accepted(part, answers)

    async def tell_and_claim(
        self, session: Session, part: list[Told], free: dict[str, Any], seen: Mapping[str, tuple[int, float]]
    ) -> tuple[list[str], Claims]:
        """Tell of these, and then claim; return the posts whose claims are over, and what was given.

        Args:
            session: This hive's.
            part: What is told.
            free: The room that there is once it was told, as `Swarm.claim` takes it.
            seen: As there.

        Raises:
            SwarmSilent: nobody answers; what was not told is told again, and the next beat says what was given.
        """
        told = [one.as_told() for one in part]
        try:
            answer = await self._line.ask(lambda swarm: swarm.exchange(session.id, session.beat, told, free, seen))
        except OvermindError as error:
            self._check_of_one(error, part)
            over = await self._reports.send_each(part)
            return over, await self._line.ask(lambda swarm: swarm.claim(session.id, session.beat, free, seen))
        return await self._reports.accepted(part, answer.told), answer.claimed

    def _check_of_one(self, error: OvermindError, part: list[Told]) -> None:
        """Raise an error that is none of a single post: all of it is told again."""
        if error.code in OF_ALL:
            self._reports.keep_back(part)
            raise error


def parts_of(told: list[Item], size: Callable[[Item], int]) -> Iterator[tuple[list[Item], bool]]:
    """Yield what is told in parts that are answered in time, and whether each is the last one.

    Args:
        told: All of it.
        size: The characters of one.
    """
    part: list[Item] = []
    total = 0
    for one in told:
        length = size(one)
        if part and (total + length > LARGEST_PART or len(part) >= MOST_AT_ONCE):
            yield part, False
            part, total = [], 0
        part.append(one)
        total += length
    if part:
        yield part, True


def size_of(told: Mapping[str, Any]) -> int:
    """Return about how many characters it has."""
    return sum(len(str(value)) for value in told.values())


def _size_of_told(one: Told) -> int:
    return size_of(one.end or one.report or {})
