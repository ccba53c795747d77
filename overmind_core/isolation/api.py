"""`trust`, `isolate` and `ports`: whose file may run commands, what a mission would get, and which ports they have."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overmind_core.domain.isolation.project import FILE
from overmind_core.domain.plans.genome import is_address
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError
from overmind_core.kernel.request import Args, handles
from overmind_core.missions.validate import check_environment

if TYPE_CHECKING:
    from overmind_core.isolation.answer_types import IsolationPlan, PortInfo, PortList, TrustedFile
    from overmind_core.isolation.store import PortTable, TrustTable
    from overmind_core.isolation.workspace import Workspace
    from overmind_core.kernel.journal import Journal
    from overmind_core.kernel.request import Caller
    from overmind_core.missions.registry import Registry
    from overmind_core.system.machine import Clock


class Trust(Args, frozen=True):
    """Trust the file of a folder's project; `revoke`: trust it no longer."""

    cwd: str
    env: dict[str, str] = {}
    """The caller's environment: git looks at it."""
    sha256: str | None = None
    """SHA-256 of the reviewed content, in hex: another content is refused. Null: the current content."""
    revoke: bool = False
    genome: str | None = None
    """Instead of a project's file, one from which blueprints take agents: `URL//FILE`. It takes `sha256`, too."""


class Isolate(Args, frozen=True):
    """The folder in which a mission would be started."""

    cwd: str
    env: dict[str, str] = {}
    """The caller's environment: git and the container engine depend on it."""


class PortsWanted(Args, frozen=True):
    """Which ports to list; null means all."""

    cwd: str | None = None
    """Only those of missions of the repository that this folder is in."""


class IsolationApi:
    """The requests about isolation."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        journal: Journal,
        trust_table: TrustTable,
        clock: Clock,
        port_table: PortTable,
        registry: Registry,
    ) -> None:
        self._workspace = workspace
        self._journal = journal
        self._trust_table = trust_table
        self._clock = clock
        self._port_table = port_table
        self._registry = registry

    @handles(Trust)
    async def trust(self, request: Trust, caller: Caller) -> TrustedFile:
        """Trust a project's file in its current form, or no longer; answers its path, its SHA-256 and its commands."""
        del caller
        check_environment(request.env)
        if request.genome is not None:
            return await self._trust_genome(request.genome, request)
        if request.revoke:
            return await self._revoke(request)
        looked = await self._workspace.projects.inspect(request.cwd, request.env)
        found = looked.found
        if found is None:
            raise OvermindError(
                "not_found", f"{to_wire(looked.source)} has no {FILE}. Write one: overmind init --isolation"
            )
        path = to_wire(found.path)
        if request.sha256 not in {None, found.sha256}:
            raise OvermindError("invalid", f"{path} has changed since it was shown. Review it again.")
        self._journal.save(lambda: self._trust_table.save(path, found.sha256, self._clock.wall()))
        await self._journal.saved()
        from overmind_core.project_file.file import commands  # noqa: PLC0415 - YAML is for those who have such a file

        return {"path": path, "sha256": found.sha256, "commands": list(commands(found.project)), "trusted": True}

    async def _trust_genome(self, path: str, request: Trust) -> TrustedFile:
        """Trust a file in git, as a person has seen it, or no longer; it is fetched by who uses it."""
        sha256 = request.sha256
        self._journal.flush()
        if request.revoke:
            if self._trust_table.sum_of(path) is None:
                raise OvermindError("not_found", f"{path} is not trusted.")
            self._journal.save(lambda: self._trust_table.remove(path))
        elif sha256 is None or not is_address(path):
            raise OvermindError("invalid", "A genome is trusted as URL//FILE, with the SHA-256 of what was reviewed.")
        else:
            self._journal.save(lambda: self._trust_table.save(path, sha256, self._clock.wall()))
        await self._journal.saved()
        is_trusted = not request.revoke
        return {"path": path, "sha256": sha256 if is_trusted else None, "commands": [], "trusted": is_trusted}

    async def _revoke(self, request: Trust) -> TrustedFile:
        """A file that is broken, or gone, may have been trusted before."""
        try:
            looked = await self._workspace.projects.inspect(request.cwd, request.env)
            path = to_wire(os.path.join(looked.source, FILE))
        except OvermindError as error:
            if "path" not in error.fields:
                raise
            path = str(error.fields["path"])
        self._journal.flush()
        if self._trust_table.sum_of(path) is None:
            raise OvermindError("not_found", f"{path} is not trusted.")
        self._journal.save(lambda: self._trust_table.remove(path))
        await self._journal.saved()
        return {"path": path, "sha256": None, "commands": [], "trusted": False}

    @handles(Isolate)
    async def isolate(self, request: Isolate, caller: Caller) -> IsolationPlan:
        """The isolation a mission in a folder would get, and its problems; changes nothing."""
        del caller
        from overmind_core.isolation.explain import explain  # noqa: PLC0415 - loads git, for who asks

        check_environment(request.env)
        if not await self._workspace.in_thread(os.path.isdir, from_wire(request.cwd)):
            raise OvermindError("cwd_not_found", f"The folder {request.cwd} does not exist.")
        return await explain(self._workspace, request.cwd, request.env)

    @handles(PortsWanted)
    async def ports(self, request: PortsWanted, caller: Caller) -> PortList:
        """Every port of isolated missions, by number; one not held is reserved for an ended mission."""
        del caller
        within = None if request.cwd is None else await self._workspace.around(request.cwd)
        self._journal.flush()
        rows = [row for row in self._port_table.all() if within is None or row.mission in within]
        missions = {row.mission: self._registry.get(row.mission) for row in rows}
        records = self._workspace.records
        found: list[PortInfo] = []
        for row in rows:
            mission, record = missions[row.mission], records.get(row.mission)
            name = mission.definition.name if mission is not None else record.name if record is not None else None
            found.append(
                {
                    "mission": row.mission,
                    "service": row.service or None,
                    "port": row.port,
                    "held": row.held,
                    "name": name,
                    "status": self._workspace.port_status(row.mission, row.service),
                }
            )
        return {"ports": found}
