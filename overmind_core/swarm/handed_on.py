"""The outputs of a plan's agent, between the hive that has run it and that of its plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from overmind_core.errors import OvermindError

if TYPE_CHECKING:
    from collections.abc import Mapping

HANDS_ON = "hands_on"
"""Key of a post's definition, and of the result of its end."""


class HandsOn(msgspec.Struct, frozen=True):
    """What a definition says of it."""

    outputs: list[str] = []
    """Those that the agent declares."""


class HandedOn(msgspec.Struct, frozen=True):
    """What the plan gets, of an attempt that has ended."""

    result: str | None = None
    output: str | None = None
    facts: dict[str, str] = {}
    problem: tuple[str, str] | None = None
    by_hand: bool = False


def hands_on(definition: Mapping[str, Any]) -> HandsOn | None:
    """Return what an attempt of a plan is to hand on; None: the post is none.

    Raises:
        OvermindError: `invalid`, nobody can say.
    """
    given = definition.get(HANDS_ON)
    try:
        return None if given is None else msgspec.convert(given, HandsOn)
    except msgspec.ValidationError as error:
        raise OvermindError("invalid", f"Its outputs can't be read here: {error}") from None
