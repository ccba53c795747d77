"""Instances of pools as hives: reached as config.toml here and the engine's own list say, and by nothing else.

Nothing that the swarm holds becomes a word of a command here: it is the engine that is asked where an instance runs.
"""

from __future__ import annotations

from overmind_core.client.config_tables import named_tables
from overmind_core.client.hives.hive import Hive
from overmind_core.domain.swarm.instance_names import pool_and_number, swarm_and_instance
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overmind_core.domain.swarm.pools import PoolSettings
    from overmind_core.pool_engines.engine import SeenInstance

HINT = "See: overmind pool list"
"""What to do about an instance that can't be asked."""
_WITHOUT_GATE = "Look at it with: overmind ps -H swarm"


def is_instance(path: str, name: str) -> bool:
    """Whether a hive that is called so would be an instance of a pool of a config.toml.

    Raises:
        OvermindError: `invalid_config`, it can't be read.
    """
    return _pool(path, name) is not None


def instance_hive(path: str, name: str) -> Hive | None:
    """Return an instance as a place, for whose gate its engine will be asked; None: no pool of config.toml has it.

    Raises:
        OvermindError: `invalid_config`.
    """
    found = _pool(path, name)
    if found is None:
        return None
    return Hive(name, lambda: _gate(path, name, *found), config=path, known_by=[name, repr(found)], hint=HINT)


def _gate(path: str, name: str, pool: str, table: object) -> list[str]:
    """Return the command that runs the gate of an instance, for which its engine is asked."""
    from overmind_core.domain.swarm.pools import pool_of  # noqa: PLC0415 - start-up: only for pools
    from overmind_core.pool_engines.engine import EngineSilent, engine_of  # noqa: PLC0415 - same

    try:
        settings = pool_of(pool, table)
    except ValueError as error:
        raise OvermindError("invalid_config", f"{path}: {error}") from None
    engine = engine_of(settings)
    try:
        seen = _of_name(engine.alive(), name)
        running = _only([one for one in seen if one.state == "running"], name)
        if running is None:  # what it was remains to be said
            seen = _of_name(engine.seen(), name)
        gate = None if running is None else engine.gate(running)
    except EngineSilent as error:
        raise OvermindError("hive_silent", f"{name} can't be asked: {error}") from None
    if gate is None:
        raise OvermindError("hive_silent", f"{name} can't be asked: {_why(settings, seen)}")
    return list(gate)


def _pool(path: str, name: str) -> tuple[str, object] | None:
    """Return the name and the table of the pool that an instance would be of."""
    pool, _, number = name.rpartition("-")
    if not pool or not number.isdigit():
        return None
    tables = named_tables(path, "pools", '[pools.hpc] with engine = "slurm"')
    if pool not in tables:
        return None
    return (pool, tables[pool]) if pool_and_number(name) is not None else None


def _of_name(instances: Sequence[SeenInstance], name: str) -> list[SeenInstance]:
    """Return those that a swarm knows by this name."""
    return [one for one in instances if (swarm_and_instance(one.name) or ("", ""))[1] == name]


def _only(running: list[SeenInstance], name: str) -> SeenInstance | None:
    """Return the one of these; None: there is none.

    Raises:
        OvermindError: `ambiguous`, two swarms of this account have an instance of that name.
    """
    names = sorted({one.name for one in running})
    if len(names) > 1:
        raise OvermindError(
            "ambiguous", f"{name} may be one of {len(names)} swarms: {', '.join(names)}. {_WITHOUT_GATE}"
        )
    return running[0] if running else None


def _why(settings: PoolSettings, seen: list[SeenInstance]) -> str:
    """Return why there is no gate: one or two sentences without a subject."""
    states = {one.state for one in seen}
    if "running" in states:
        return f"a pool of {settings.engine} without a gate is reached through the swarm only. {_WITHOUT_GATE}"
    if "pending" in states:
        return f"{settings.engine} has not started it yet. {HINT}"
    return (
        f"{settings.engine} says that it has ended. {HINT}"
        if seen
        else f"{settings.engine} knows no such instance. {HINT}"
    )
