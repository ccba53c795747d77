"""Which ports a mission gets. Pure: whether one can be bound, the caller finds out."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import NamedTuple


class PortRequest(NamedTuple):
    """One port that is wanted."""

    service: str
    """`record.OWN` for the mission's own; of a service with several, what `Service.ports` keeps it under."""
    preferred: tuple[int, ...] = ()
    """Taken first, in this order, when they are in the range and free: what it had before, what the file says."""


class PortRangeExhausted(Exception):
    """The range has fewer free ports than are wanted; nothing was chosen.

    Attributes:
        wanted: How many ports are.
        first: Of the range.
        last: Of the range.
    """

    def __init__(self, wanted: int, first: int, last: int) -> None:
        self.wanted, self.first, self.last = wanted, first, last
        ports = "1 port is" if wanted == 1 else f"{wanted} ports are"
        super().__init__(f"{ports} needed, and fewer are free between {first} to {last}")


def choose_ports(
    wanted: Sequence[PortRequest],
    first: int,
    last: int,
    taken: Container[int],
    bindable: Callable[[int], bool],
) -> dict[str, int]:
    """Return service → port: a preferred one where that is possible, else the lowest one that is free.

    Preferences go first, whoever has them, so that nobody loses a port that it had before to a neighbour without any.

    Args:
        wanted: Each service once.
        first: The lowest port of the range.
        last: The highest.
        taken: Ports that other missions hold.
        bindable: Whether something could listen at a port now; asked at most once for each port.

    Raises:
        PortRangeExhausted: there are too few; nothing was chosen.
    """
    asked: dict[int, bool] = {}

    def is_free(port: int) -> bool:
        if not first <= port <= last or port in taken:
            return False
        if port not in asked:
            asked[port] = bindable(port)
        return asked[port]

    chosen: dict[str, int] = {}
    given: set[int] = set()

    def give(one: PortRequest, ports: Iterable[int]) -> bool:
        port = next((port for port in ports if port not in given and is_free(port)), None)
        if port is None:
            return False
        chosen[one.service] = port
        given.add(port)
        return True

    rest = [one for one in wanted if not give(one, one.preferred)]
    candidates = iter(range(first, last + 1))
    for one in rest:
        if not give(one, candidates):
            raise PortRangeExhausted(len(wanted), first, last)
    return {one.service: chosen[one.service] for one in wanted}
