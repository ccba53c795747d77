"""Ports of missions: chosen, reserved, let go. The store's constraint has the last word."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.isolation import OWN
from overmind_core.domain.isolation.ports import PortRangeExhausted, PortRequest, choose_ports
from overmind_core.domain.isolation.project import Strategy, service_and_number
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from overmind_core.domain.isolation.project import Project
    from overmind_core.isolation.store import PortTable
    from overmind_core.kernel.journal import Journal

ANYWHERE = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))  # noqa: S104 - bound to see whether it can be
_NO_IPV6 = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Ports:
    """Who holds which port. Used from the loop's thread."""

    def __init__(self, table: PortTable, journal: Journal, threads: Executor) -> None:
        self._table = table
        self._journal = journal
        self._threads = threads
        self._turn = asyncio.Lock()
        self._held: dict[str, dict[str, int]] = {}
        """Mission → service → port, of those that hold some."""

    def load(self) -> None:
        """Read who holds which."""
        for row in self._table.all():
            if row.held:
                self._held.setdefault(row.mission, {})[row.service] = row.port

    async def reserve(self, mission: str, project: Project, before: Mapping[str, int]) -> dict[str, int]:
        """Choose and reserve each port of the mission's services, and one of its own; service → port.

        Nobody else gets them from now on; `hold` writes it down.

        Raises:
            OvermindError: `port_range_exhausted`, also where one that the file insists on is not free; nothing is
                reserved.
        """
        async with self._turn:
            taken = {port: other for other, ports in self._held.items() if other != mission for port in ports.values()}
            loop = asyncio.get_running_loop()
            self._held[mission] = chosen = await loop.run_in_executor(
                self._threads, lambda: choice(project, before, taken)
            )
        return chosen

    async def reserve_again(self, mission: str, project: Project, before: Mapping[str, int]) -> dict[str, int]:
        """What the mission holds; `reserve` when it holds nothing any more."""
        held = self._held.get(mission)
        return dict(held) if held else await self.reserve(mission, project, before)

    def held_by(self, mission: str) -> dict[str, int]:
        """Service → port of what the mission holds now."""
        return dict(self._held.get(mission, {}))

    def hold(self, mission: str) -> None:
        """Write down what was reserved; inside of a transaction."""
        self._table.hold(mission, self._held.get(mission, {}).items())

    def save(self, mission: str) -> None:
        """Queue `hold`."""
        self._journal.save(lambda: self.hold(mission))

    def drop(self, mission: str) -> None:
        """Nothing came of the mission: others may have its ports."""
        self._held.pop(mission, None)

    def release(self, mission: str) -> None:
        """Others may have the mission's ports; it gets them again if they are still free then."""
        if self._held.pop(mission, None) is not None:
            self._journal.save(lambda: self._table.release(mission))

    def forget(self, mission: str) -> None:
        """The mission wants none of them again."""
        self._held.pop(mission, None)
        self._journal.save(lambda: self._table.forget(mission))


def choice(project: Project, before: Mapping[str, int], taken: Mapping[int, str]) -> dict[str, int]:
    """Return service → port as the project's strategy has it; asks the machine, so for a thread.

    Of a service with several ports each has a key of its own; see `Service.ports`.

    Args:
        project: Whose.
        before: Service → the port that the mission had.
        taken: Port → the mission that holds it.

    Raises:
        OvermindError: `port_range_exhausted`, naming what is in the way.
    """
    asked = {key: port for one in project.services for key, port in one.ports.items()}
    if project.strategy is Strategy.NONE:
        for key, port in asked.items():
            if port in taken or not is_free(port):
                service, _ = service_and_number(key)
                raise OvermindError("port_range_exhausted", occupied(service, port, taken.get(port)))
        if len({*asked.values()}) < len(asked):
            raise OvermindError("port_range_exhausted", "Two services use the same port. See .overmind.yml.")
        return asked
    wanted = [PortRequest(key, _preferred(before, key)) for key in (OWN, *asked)]
    try:
        return choose_ports(wanted, project.first_port, project.last_port, taken, is_free)
    except PortRangeExhausted:
        raise OvermindError("port_range_exhausted", exhausted(project)) from None


def is_free(port: int) -> bool:
    """Whether a server could listen at the port, on IPv4 and, where there is such a thing, on IPv6."""
    for family, host in ANYWHERE:
        try:
            probe = socket.socket(family, socket.SOCK_STREAM)
        except OSError:  # the machine has no IPv6
            continue
        with probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                if family is socket.AF_INET6 and error.errno in _NO_IPV6:
                    continue
                return False
            try:
                probe.listen(1)
            except OSError:
                return False
    return True


def _preferred(before: Mapping[str, int], key: str) -> tuple[int, ...]:
    return (before[key],) if key in before else ()


def occupied(service: str, port: int, holder: str | None) -> str:
    """Why a service does not get the one port that it asks for, and what to do."""
    who = "another program listens on it" if holder is None else f"mission {holder} holds it"
    return (
        f"Port {port}, requested by {service}, is not free: {who}. Stop that, or give each mission its own ports "
        "with `strategy: ports` in .overmind.yml."
    )


def exhausted(project: Project) -> str:
    """Why a project gets no ports, and what to do."""
    span = f"{project.first_port}-{project.last_port}"
    return (
        f"The port range {span} has too few free ports. List the ports in use with: overmind ports. "
        "Widen port_range in .overmind.yml, or stop missions."
    )
