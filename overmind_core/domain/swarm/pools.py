"""Pools: other engines that give machines, as `[pools.NAME]` of config.toml says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from overmind_core.domain.swarm.instance_names import NAME_RULE, is_instance_name, is_pool_name
from overmind_core.domain.text.cells import did_you_mean
from overmind_core.domain.text.duration import DurationError, parse_duration

SLURM, RAY, KUBERNETES, COMMAND = "slurm", "ray", "kubernetes", "command"
EngineName = Literal["slurm", "ray", "kubernetes", "command"]
ENGINES = (SLURM, RAY, KUBERNETES, COMMAND)

INVITATION_IN_POD = "/etc/overmind/invitation"
"""Where an instance on Kubernetes finds its invitation: the file of the Secret that the manifest mounts."""
PLACEHOLDER = "{instance}"
"""What the words of a pool of commands have where the name belongs by which the engine knows an instance."""
RAY_REACH = ("--address", "--headers", "--verify")
"""Options of each `ray job`: where the cluster is."""
_LONGEST_LABEL = 63
_MOST_SLOTS, _MOST_INSTANCES = 1000, 1000
_LEAST_IDLE = 1.0
"""Seconds; an instance that is idle for less would leave between two posts."""


class PoolSettings(NamedTuple):
    """A table `[pools.NAME]` of config.toml."""

    name: str
    engine: EngineName
    args: tuple[str, ...] = ()
    """Further options of the command that starts an instance: of `sbatch`, `ray job submit`, `kubectl`."""
    labels: Mapping[str, str] = {}
    """What each of its instances is labelled with."""
    slots: int = 1
    """Of each instance."""
    min: int = 0
    max: int = 1
    """Instances, at least and at most."""
    idle: float = 600.0
    """Seconds without work after which an instance leaves."""
    join: float = 600.0
    """Seconds that an instance may take to join once its engine says that it runs; then it is ended."""
    invitation: str = ""
    """Path of the file with the invitation, on the instance's machine; "": nobody said one."""
    image: str = ""
    """Kubernetes: the image of the container that its manifest names."""
    manifest: str = ""
    """Kubernetes: path of a manifest that a person has changed; "": what `pool manifest` prints."""
    up: tuple[str, ...] = ()
    """Command: the words that start an instance; those of the instance's own command are put behind them."""
    down: tuple[str, ...] = ()
    """Command: the words that end an instance."""
    list: tuple[str, ...] = ()
    """Command: the words that print the instances there are."""
    gate: tuple[str, ...] = ()
    """Command: the words that run a gate on an instance; (): it is reached through the swarm only."""


def pool_of(name: str, entry: object) -> PoolSettings:
    """Return what config.toml says of a pool.

    Raises:
        ValueError: a mistake; a sentence that begins with the key.
    """
    key = f"pools.{name}"
    if not is_pool_name(name):
        raise ValueError(f"{key}: {NAME_RULE}")
    if not isinstance(entry, dict):
        raise ValueError(f'{key}: write a table, such as [pools.{name}] with engine = "slurm"')  # noqa: TRY004 - of a file
    engine = _engine(key, entry)
    for unknown in entry:
        if unknown not in _READERS:
            raise ValueError(
                f"{key}: unknown key {unknown!r}.{did_you_mean(unknown, _READERS) or ' See docs/pools.md'}"
            )
        if engine not in _OWNERS.get(unknown, ENGINES):
            owners = " or ".join(_OWNERS[unknown])
            raise ValueError(f"{key}.{unknown}: only a pool of {owners} has it, and this one is of {engine}")
    read: dict[str, Any] = {word: _READERS[word](f"{key}.{word}", value) for word, value in entry.items()}
    found = PoolSettings(**{"name": name, "invitation": _invitation(engine), **read})
    _check(key, found)
    return found


def filled(words: Sequence[str], instance: str) -> list[str]:
    """Return the words of a person's configuration with the instance's name in its places.

    Raises:
        ValueError: no instance can be called so; a sentence.
    """
    if not is_instance_name(instance):
        raise ValueError(f"{instance!r} can't be the name of an instance: it has letters, digits, '.', '_' and '-'")
    return [word.replace(PLACEHOLDER, instance) for word in words]


def options_of(args: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return of a command's options those with one of these names, with their values: `--name=value` or two words."""
    found: list[str] = []
    for at, word in enumerate(args):
        if word in names:
            found += args[at : at + 2]
        elif word.split("=", 1)[0] in names:
            found.append(word)
    return found


def _engine(key: str, entry: Mapping[str, Any]) -> EngineName:
    if "engine" not in entry:
        raise ValueError(f"{key}: give its engine, one of {', '.join(ENGINES)}")
    engine = entry["engine"]
    if engine not in ENGINES:
        hint = did_you_mean(engine, ENGINES) if isinstance(engine, str) else ""
        raise ValueError(f"{key}.engine: {engine!r} is none of {', '.join(ENGINES)}.{hint}".rstrip("."))
    return engine  # type: ignore[no-any-return] # one of them


def _invitation(engine: EngineName) -> str:
    return INVITATION_IN_POD if engine == KUBERNETES else ""


def _text(key: str, given: object) -> str:
    if not isinstance(given, str) or not given or any(not one.isprintable() for one in given):
        raise ValueError(f"{key}: write a string in quotes")
    return given


def _path(key: str, given: object) -> str:
    path = _text(key, given)
    if not path.startswith("/"):
        raise ValueError(f"{key}: write the whole path, from / on")
    return path


def _words(key: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(word, str) and word and "\0" not in word for word in given):
        raise ValueError(f'{key}: write a list of words, such as ["--time=8:00:00"]')
    return tuple(given)


def _labels(key: str, given: object) -> Mapping[str, str]:
    if not isinstance(given, dict):
        raise ValueError(f'{key}: write labels, such as {{ gpu = "yes" }}')  # noqa: TRY004 - of a file
    for name, value in given.items():
        if not isinstance(value, str) or max(len(name), len(value)) > _LONGEST_LABEL or not name:
            raise ValueError(f"{key}.{name}: write a string of up to {_LONGEST_LABEL} characters in quotes")
    return given


def _number(least: int, most: int) -> Callable[[str, object], int]:
    def read(key: str, given: object) -> int:
        if type(given) is not int or not least <= given <= most:
            raise ValueError(f"{key}: write a whole number from {least} to {most}")
        return given

    return read


def _seconds(key: str, given: object) -> float:
    try:
        seconds = parse_duration(given) if isinstance(given, str) else -1.0
    except DurationError:
        seconds = -1.0
    if seconds < _LEAST_IDLE:
        raise ValueError(f'{key}: write a duration of a second or more, such as "10m"')
    return seconds


def _check(key: str, found: PoolSettings) -> None:
    """Raise where two keys do not go together, or one is missing."""
    if found.min > found.max:
        raise ValueError(f"{key}.min: {found.min} is more than max, {found.max}")
    for word in found.args:
        option = word.split("=", 1)[0]
        if why := _OURS.get(found.engine, {}).get(option):
            raise ValueError(f"{key}.args: leave {option} out: {why}")
    _CHECKS[found.engine](key, found)


def _check_command(key: str, found: PoolSettings) -> None:
    for name, words in (("up", found.up), ("down", found.down), ("list", found.list)):
        if not words:
            raise ValueError(f"{key}: give {name}, the words of a command, such as ['my-machines', '{name}']")
    for name, words in (("up", found.up), ("down", found.down), ("gate", found.gate)):
        if words and not any(PLACEHOLDER in word for word in words):
            raise ValueError(f"{key}.{name}: one of its words must have {PLACEHOLDER}, the instance's name")


def _check_ray(key: str, found: PoolSettings) -> None:
    """Without an address, `ray job submit` would start a cluster of its own."""
    if not options_of(found.args, ("--address",)):
        raise ValueError(f"{key}: give args with the cluster's address, such as ['--address=http://head.example:8265']")


def _check_kubernetes(key: str, found: PoolSettings) -> None:
    if not found.image and not found.manifest:
        raise ValueError(
            f"{key}: give image, of a container that has overmind, or manifest, the path of what"
            f" `overmind pool manifest {found.name}` printed and you changed"
        )


_CHECKS: Mapping[str, Callable[[str, PoolSettings], None]] = {
    SLURM: lambda _key, _found: None,
    RAY: _check_ray,
    KUBERNETES: _check_kubernetes,
    COMMAND: _check_command,
}
_READERS: Mapping[str, Callable[[str, object], object]] = {
    "engine": _text,
    "args": _words,
    "labels": _labels,
    "slots": _number(1, _MOST_SLOTS),
    "min": _number(0, _MOST_INSTANCES),
    "max": _number(1, _MOST_INSTANCES),
    "idle": _seconds,
    "join": _seconds,
    "invitation": _path,
    "image": _text,
    "manifest": _path,
    "up": _words,
    "down": _words,
    "list": _words,
    "gate": _words,
}
_OWNERS: Mapping[str, tuple[str, ...]] = {
    "args": (SLURM, RAY, KUBERNETES),
    "image": (KUBERNETES,),
    "manifest": (KUBERNETES,),
    **dict.fromkeys(("up", "down", "list", "gate"), (COMMAND,)),
}
"""Key → the engines whose pools have it; all, where it isn't here."""
_FOUND_BY = "the instance is found again by it"
_ONE = "each instance is one job"
_CLUSTER = "it is looked for in the cluster that SLURM_CONF names"
_AT_ONCE = "nobody waits for an instance"
_GIVEN = "the manifest is given on standard input"
_READ = "its answer is read"
_ONCE = "an instance is started once"
_OURS: Mapping[str, Mapping[str, str]] = {
    SLURM: {
        "-J": _FOUND_BY, "--job-name": _FOUND_BY, "-a": _ONE, "--array": _ONE, "-M": _CLUSTER, "--clusters": _CLUSTER,
        "-W": _AT_ONCE, "--wait": _AT_ONCE, "--requeue": _ONCE, "--wrap": "the instance's command is the script",
    },
    RAY: {"--submission-id": _FOUND_BY, "--job-id": _FOUND_BY},
    KUBERNETES: {
        "-f": _GIVEN, "--filename": _GIVEN, "-l": _FOUND_BY, "--selector": _FOUND_BY, "-o": _READ, "--output": _READ,
    },
}  # fmt: skip
"""Engine → option → why `args` can't have it."""
