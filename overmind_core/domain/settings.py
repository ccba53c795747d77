"""Settings that are a record of their own for each table of config.toml. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

STEER_MODES = ("off", "ask", "auto")
"""What the guardian may do by itself: nothing, ask a person, or act."""


class OwnAgent(NamedTuple):
    """A table `[providers.NAME]` of an agent of a person's own."""

    provider: str
    """As it is called: `acp:NAME`."""
    program: str
    """A name that PATH resolves, or a path."""
    arguments: tuple[str, ...] = ()
    """What makes it speak its protocol; see `argument_places`."""
    answer: str = ""
    """As `Agent.answer`."""
    install: str = ""
    """How to get its program, in one command."""


class QueueSettings(NamedTuple):
    """Table `[queue]`; times in seconds."""

    slots: int = 3
    """Quests of the queue that run at once."""
    agent: str | tuple[str, ...] = ""
    """What does a quest that has no command: a provider's name, or a command; "": nothing does."""
    providers: Mapping[str, int] = MappingProxyType({})
    """Provider → quests of the queue that it runs at once; the others have no limit of their own."""
    max_cost_per_day: float = 0.0
    """US dollars of all quests of the queue from midnight to midnight, local time; 0 = no limit."""
    activity_timeout: float = 900.0
    """Silence after which an agent of the queue is killed; 0 = never."""
    backoff: float = 2.0
    """Pause after the first failed attempt; doubles with each."""


class HealthSettings(NamedTuple):
    """Table `[health]`; all but `beat` are counted in beats."""

    beat: float = 30.0
    """Seconds between two looks at a mission."""
    quiet: int = 3
    """Missed beats after which a mission is quiet."""
    stalled: int = 10
    """Missed beats after which it is stalled; always more than `quiet`."""
    hung: int = 2
    """Beats missed after a steer until it is hung."""


class GuardianSettings(NamedTuple):
    """Table `[guardian]`; times in seconds."""

    steer: str = "ask"
    """One of `STEER_MODES`."""
    every: float = 15.0
    """Least time between two samples of a mission."""
    pause: float = 300.0
    """Least time between two steers of a mission."""
    most: int = 3
    """Steers of one mission; after that a person is asked."""
    review: str = ""
    """Provider that judges a mission with `health --review`; "": nobody does."""


class ReportSettings(NamedTuple):
    """Table `[reports]`: reports past these limits ask a person."""

    depth: int = 3
    """Reports that led to each other, one within the work of the other."""
    per_source: int = 5
    """Quests that the reports of one mission queue."""
    per_spec: int = 20
    """Unfinished quests that reports have queued for one spec, or below one quest outside of specs."""


INJECTIONS = ("auto", "pinned", "off")
"""Which notes agents are given: those that fit, pinned ones, none."""
FROM_AGENTS = ("live", "propose")
"""What agents remember: notes at once, or proposals."""


class MemorySettings(NamedTuple):
    """Table `[memory]`."""

    inject: str = "auto"
    """One of `INJECTIONS`."""
    agents: str = "live"
    """One of `FROM_AGENTS`."""
    ask: bool = True
    """Whether agents without notes are told of `recall` and `remember`."""
    tokens: int = 1500
    """The largest size of what is given."""
    keep: float = 90 * 86_400.0
    """Seconds that episodes are kept."""
    model: str = ""
    """The folder of the model that finds by meaning; "": words alone."""
    repositories: Mapping[str, str] = MappingProxyType({})
    """Repository → the one whose notes it has, too."""


class CortexSettings(NamedTuple):
    """Table `[cortex]`."""

    incoming: str = "live"
    """One of `FROM_AGENTS`: what others write, too."""
    every: float = 30.0
    """Seconds between two exchanges."""


class SwarmSettings(NamedTuple):
    """Table `[swarm]`."""

    accept: Mapping[str, Any] = MappingProxyType({})
    """What this hive takes of its swarm, as far as it is said: `from`, `repositories`, `providers` (lists of texts) and
    `commands` (a truth)."""


class WebSettings(NamedTuple):
    """Table `[web]`: what `overmind web` does where its options say nothing."""

    port: int = 7600
    host: str = "127.0.0.1"
    """The address that it listens on; another than the machine's own wants `cert` and `key`."""
    cert: str = ""
    """Path of the certificate, with those that it is signed by; "": no TLS."""
    key: str = ""
    """Path of its private key."""
    public_url: str = ""
    """The address at which a proxy serves it, such as `https://box.example/om`; "": it is used directly."""
    session: float = 30 * 86_400.0
    """Seconds that a login lasts."""
