"""Missions that were lost with the keeper that held them, or with the machine: what is said of them everywhere."""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

KEEPER_LOST = "keeper_lost"
"""The reason of such an end."""
NOW = "lost with its keeper"
"""What one of them is doing."""
MEND = "overmind restart --lost"
"""The one command that starts all of them again."""


def mission_again(name: str) -> str:
    """Return the command that starts one of them again."""
    from shlex import join  # noqa: PLC0415 - for those alone

    return join(("overmind", "restart", name))


def plan_again(name: str, file: str, variables: Mapping[str, str] | None = None) -> str:
    """Return the command that goes on with a plan that has failed.

    Args:
        name: Of the plan.
        file: Of its blueprint; "" and -: it has none.
        variables: Those that were given beside the file, with their values: without them the file's would count.
    """
    from shlex import join  # noqa: PLC0415 - for plans alone

    if file in {"", "-"}:
        return mission_again(name)
    given = [word for pair in (variables or {}).items() for word in ("--var", "=".join(pair))]
    return join(("overmind", "apply", file, "--name", name, *given, "--rerun", "failed"))


def lost_sentence(count: int) -> str:
    """Return what happened to so many, and what starts them again."""
    missions = "1 mission was lost with its" if count == 1 else f"{count} missions were lost with their"
    again = "it" if count == 1 else "them"
    return f"{missions} keeper. Start {again} again with: {MEND}"
