"""The pools whose instances this home can start: tables of its config.toml, the invitation, and an installed engine."""

from __future__ import annotations

import os
import sys
import tomllib
from shutil import which
from typing import TYPE_CHECKING

import msgspec

from overmind_core.domain.swarm.pools import COMMAND, KUBERNETES, RAY, SLURM, PoolSettings, pool_of
from overmind_core.domain.text.cells import did_you_mean
from overmind_core.errors import OvermindError
from overmind_core.system.paths import write_private
from overmind_core.system.small_file import read_small_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overmind_core.system.paths import Home

_PROGRAMS = {SLURM: "sbatch", RAY: "ray", KUBERNETES: "kubectl"}


class Invitation(msgspec.Struct, frozen=True):
    """What the instances of a pool join with."""

    pool: str
    url: str
    """With the password of the pool's login."""
    key: str
    """Private, hexadecimal: opens the secrets that are sealed for the pool."""

    def __repr__(self) -> str:
        """Show the name alone."""
        return f"Invitation({self.pool})"


class HomePools:
    """What this home knows of pools; config.toml is read again when it has changed."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._read: tuple[tuple[int, int] | None, dict[str, PoolSettings]] = (None, {})

    def tables(self) -> Mapping[str, PoolSettings]:
        """Return the tables `[pools.NAME]` of config.toml, by name.

        Raises:
            OvermindError: `invalid_config`.
        """
        path = self._home.config
        try:
            found = os.stat(path)
        except OSError:
            return {}
        stamp = (found.st_mtime_ns, found.st_size)
        if self._read[0] != stamp:
            self._read = (stamp, _tables(path))
        return self._read[1]

    def named(self, name: str) -> PoolSettings:
        """Return a table.

        Raises:
            OvermindError: `not_found`; `invalid_config`.
        """
        known = self.tables()
        if name not in known:
            hint = did_you_mean(name, known) or " See them with: overmind pool list"
            raise OvermindError("not_found", f"There is no [pools.{name}] in config.toml.{hint}")
        return known[name]

    def startable(self) -> tuple[str, ...]:
        """Return the names of those whose instances can be started from here; of a mistake in the file: none."""
        try:
            return tuple(name for name, one in self.tables().items() if not self.hindrance(one))
        except OvermindError:
            return ()

    def hindrance(self, settings: PoolSettings) -> str:
        """Return why instances of a pool can't be started from here, a sentence; empty: they can."""
        program = settings.up[0] if settings.engine == COMMAND else _PROGRAMS[settings.engine]
        if which(program) is None:
            return f"Engine {settings.engine} of pool {settings.name} is not installed here: there is no {program}."
        if not settings.invitation and self.invitation(settings.name) is None:
            return (
                f"There is no invitation of pool {settings.name} here. An owner of the swarm makes one: overmind swarm"
                f" invite {settings.name} --role worker --pool"
            )
        return ""

    def invitation(self, name: str) -> Invitation | None:
        """Return the invitation that is kept here."""
        return read_invitation(self._home.pool_invitation(name))

    def keep(self, invitation: Invitation) -> None:
        """Keep it, for the account alone."""
        path = self._home.pool_invitation(invitation.pool)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_private(path, msgspec.json.encode(invitation).decode())

    def command(self, settings: PoolSettings, instance: str) -> list[str]:
        """Return the command of an instance that its engine knows by this name: nothing in it is secret."""
        labels = [word for name, value in settings.labels.items() for word in ("--label", f"{name}={value}")]
        path = settings.invitation or self._home.pool_invitation(settings.name)
        return [
            *_program(settings), "hive", "serve", "--pool", settings.name, "--instance", instance,
            "--idle", f"{settings.idle:g}s", "--slots", str(settings.slots), *labels, "--invitation", path,
        ]  # fmt: skip


def read_invitation(path: str) -> Invitation | None:
    """Return what a file says; None: there is none.

    Raises:
        OvermindError: `invalid`, it is damaged; `forbidden`, it can't be read.
    """
    try:
        data = read_small_file(path)
    except OSError as error:
        raise OvermindError("forbidden", f"{path} can't be read: {error.strerror}.") from None
    return None if data is None else decoded_invitation(data, path)


def decoded_invitation(data: bytes, where: str) -> Invitation:
    """Return what was written.

    Raises:
        OvermindError: `invalid`; nothing of it is quoted.
    """
    try:
        return msgspec.json.decode(data, type=Invitation)
    except msgspec.DecodeError:
        raise OvermindError("invalid", f"{where} is no invitation of a pool.") from None


def _tables(path: str) -> dict[str, PoolSettings]:
    try:
        data = read_small_file(path)
    except OSError as error:
        raise OvermindError("invalid_config", f"{path} can't be read: {error.strerror}. Make it readable.") from None
    if data is None or b"pools" not in data:
        return {}
    try:
        entries = tomllib.loads(data.decode()).get("pools", {})
        if not isinstance(entries, dict):
            raise ValueError('pools: write tables, such as [pools.hpc] with engine = "slurm"')  # noqa: TRY004, TRY301
        return {name: pool_of(name, entry) for name, entry in entries.items()}
    except ValueError as error:  # also of a text that is no TOML
        message = str(error)
        end = "" if message.endswith("?") else "."
        raise OvermindError("invalid_config", f"{path}: {message}{end}") from None


def _program(settings: PoolSettings) -> list[str]:
    """How an instance calls this program: as it is installed here, or on the image of a container."""
    if settings.engine == KUBERNETES:
        return ["overmind"]
    script = os.path.join(os.path.dirname(sys.executable), "overmind")
    return [script] if os.access(script, os.X_OK) else [sys.executable, "-P", "-m", "overmind_core.cli"]
