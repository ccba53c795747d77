"""Containers that nobody has any more: of missions that are gone, and of homes that are."""

from __future__ import annotations

import json
import logging
import os
import platform
from typing import TYPE_CHECKING

from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from overmind_core.containers.engine import Engine
    from overmind_core.containers.model import OwnContainer
    from overmind_core.isolation.workspace import Workspace

FACT = "engines"
"""Key of the store's fact that lists the addresses of all engines that were used."""
_log = logging.getLogger(__name__)


def remember(workspace: Workspace, url: str) -> None:
    """An engine is used: from now on each start looks for what was left there."""
    meta = workspace.meta_table
    known = _known(workspace)
    if url not in known:
        text = json.dumps([*known, url])
        workspace.journal.save(lambda: meta.save(FACT, text))


async def clean(workspace: Workspace) -> None:
    """Remove such containers and their volumes, wherever an engine answers."""
    home = to_wire(workspace.home)
    for url in _known(workspace):
        try:
            await workspace.in_thread(_clean, workspace, url, home)
        except OvermindError as error:
            _log.info("%s: %s", url, error.message)


def _known(workspace: Workspace) -> list[str]:
    workspace.journal.flush()
    saved = workspace.meta_table.get(FACT)
    return list(json.loads(saved)) if saved else []


def _clean(workspace: Workspace, url: str, home: str) -> None:
    from overmind_core.containers.model import ContainerFailed, EngineMissing  # noqa: PLC0415 - for who has containers

    try:
        engine = workspace.engines.at(url)
        for one in engine.all_labelled():
            # Asked after the listing: a mission is on record before its first container is made.
            ours = one.home == home and one.host in {here(), ""}
            gone = one.mission not in workspace.records if ours else _is_orphan(one)
            if gone:
                _log.info("removing the container %s: mission %s no longer exists", one.name, one.mission)
                _remove(engine, one.name, one.mission, one.home)
    except (EngineMissing, ContainerFailed) as error:
        raise OvermindError("docker_missing", str(error)) from None


def here() -> str:
    """What tells this machine, or container, from others that use the same engine."""
    return platform.node()


def account() -> str:
    """Return the number of this account: others of the machine may use the same engine."""
    return str(os.geteuid())


def _is_orphan(one: OwnContainer) -> bool:
    """True where the home that it was made for was this account's on this machine, and is no more."""
    return one.host == here() and one.user in {account(), ""} and _is_gone(from_wire(one.home))


def _is_gone(home: str) -> bool:
    """True of a home that was removed, and is not only out of our sight.

    For that the folder around it has to be open to us, as those of other accounts are not, and to hold something else:
    an empty one may be the place of a disk that is not mounted.
    """
    around, name = os.path.split(os.path.normpath(home))
    try:
        names = os.listdir(around)
    except OSError:
        return False
    return bool(names) and name not in names


def _remove(engine: Engine, name: str, mission: str, home: str) -> None:
    engine.remove(name)
    engine.remove_volumes(engine.volumes_of(mission, home))
