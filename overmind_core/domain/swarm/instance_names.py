"""Names of pools and of their instances: what each may be, and what is read from one. Pure.

A gate on an instance is started for each command: nothing is imported here.
"""

from __future__ import annotations

NAME_RULE = "a pool's name has lower-case letters, digits and -, begins with a letter, and has at most 24 characters"
LONGEST_NAME = 24
"""Of a pool: its instances are called after it, and are hives, whose names have up to 32."""
_LONGEST_INSTANCE = 63
_LONGEST_NUMBER = 7
_SWARM_ID = 8
"""Characters of a swarm's id."""
_AT_ENGINE = "overmind-"
_LETTERS, _DIGITS, _HEX = "abcdefghijklmnopqrstuvwxyz", "0123456789", "0123456789abcdef"
_OF_POOL = frozenset(_LETTERS + _DIGITS + "-")
_OF_INSTANCE = frozenset(_LETTERS + _LETTERS.upper() + _DIGITS + "._-")


def is_pool_name(name: str) -> bool:
    """Whether a pool can be called so."""
    return 0 < len(name) <= LONGEST_NAME and name[0] in _LETTERS and _OF_POOL.issuperset(name)


def is_instance_name(name: str) -> bool:
    """Whether an instance of any engine can be called so: nothing in it means something to a shell or an engine."""
    fits = 0 < len(name) <= _LONGEST_INSTANCE and _OF_INSTANCE.issuperset(name)
    return fits and not name.startswith(("-", ".")) and ".." not in name


def instance_name(pool: str, number: int) -> str:
    """Return how the instance of a pool with this number is called: its engine and the swarm know it by that."""
    return f"{pool}-{number}"


def pool_and_number(instance: str) -> tuple[str, int] | None:
    """Return of which pool an instance is, and its number; None: no instance is called so."""
    pool, _, number = instance.rpartition("-")
    is_number = 0 < len(number) <= _LONGEST_NUMBER and set(number) <= set(_DIGITS) and number[0] != "0"
    return (pool, int(number)) if is_number and is_pool_name(pool) else None


def name_at_engine(swarm: str, instance: str) -> str:
    """Return how an engine knows an instance: two swarms of one account may have pools of one name.

    `swarm`: its id.
    """
    return f"{_AT_ENGINE}{swarm}-{instance}"


def swarm_and_instance(name: str) -> tuple[str, str] | None:
    """Return the swarm's id and the instance that an engine knows by this name; None: it is another name."""
    swarm, dash, instance = name.removeprefix(_AT_ENGINE).partition("-")
    is_swarm = name.startswith(_AT_ENGINE) and len(swarm) == _SWARM_ID and set(swarm) <= set(_HEX)
    return (swarm, instance) if is_swarm and dash and pool_and_number(instance) is not None else None
