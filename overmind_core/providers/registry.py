"""Which agent programs there are: a row for each, and no other place names them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from overmind_core.domain.agents.agent import ONCE, is_own

if TYPE_CHECKING:
    from overmind_core.providers.base import Provider, Renderer

ROWS: Mapping[str, tuple[str, str]] = {
    "raw": ("overmind_core.providers.raw", "Raw"),
    "claude": ("overmind_core.providers.claude.provider", "Claude"),
    "codex": ("overmind_core.providers.rpc.codex", "Codex"),
    "gemini": ("overmind_core.providers.rpc.provider", "gemini"),
    "opencode": ("overmind_core.providers.rpc.provider", "opencode"),
    "qwen": ("overmind_core.providers.rpc.provider", "qwen"),
    "copilot": ("overmind_core.providers.rpc.provider", "copilot"),
}
"""The module and what makes one; imported when first asked for, for the command line starts often and needs few."""


NOT_LOGGED_IN = "not_logged_in"
"""The reason of a program's failure that has no login."""


class UnknownProvider(LookupError):
    """There is no provider of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(unknown(name))
        self.name = name


def unknown(name: str) -> str:
    """Return what is said of a name that is no provider's: the nearest ones, and how any program runs."""
    from difflib import get_close_matches  # noqa: PLC0415 - for a mistake alone

    near = get_close_matches(name, names(), 1)
    known = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(names())}."
    return f"Unknown provider {name!r}. {known} Any program runs with: overmind run --type session -- PROGRAM"


def names() -> tuple[str, ...]:
    """All providers that are known by themselves, the plain one first."""
    return tuple(ROWS)


def is_known(name: str) -> bool:
    """Whether its lines can be read: it is one of `names`, or called as a person's own agent is."""
    return name in ROWS or is_own(name)


def log_in_first(name: str, reason: str | None) -> str:
    """What to do before an agent of that provider runs again that failed for this reason; "" where that is no login."""
    if reason != NOT_LOGGED_IN:
        return ""
    how = get(name).log_in if is_known(name) else ""
    return f"log in first: {how}" if how else ""


def renderer(name: str) -> Renderer | None:
    """A renderer for one run of that provider; None: its lines are plain, or nobody here knows it."""
    provider = get(name) if is_known(name) else None
    return provider.renderer() if provider is not None and provider.speaks_json else None


@cache
def get(name: str) -> Provider:
    """The provider of that name.

    Raises:
        UnknownProvider: There is none.
    """
    if is_own(name):
        if name.startswith(f"{ONCE}:"):
            from overmind_core.providers.once import Once  # noqa: PLC0415 - as the rows

            return Once(name)
        from overmind_core.providers.rpc.provider import own  # noqa: PLC0415 - as the rows

        return own(name)
    if name not in ROWS:
        raise UnknownProvider(name)
    module, kind = ROWS[name]
    make = cast("Callable[[], Provider]", getattr(import_module(module), kind))
    return make()
