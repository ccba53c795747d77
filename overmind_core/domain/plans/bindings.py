"""What the texts of a blueprint's agent refer to, and its fields with the values in place of the references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from overmind_core.domain.agents.agent import RAW
from overmind_core.domain.plans.references import bind_shell, bind_text, references

Wanted = tuple[str, str, str]
"""Source, name and field of a reference."""


def wanted(fields: Mapping[str, Any]) -> set[Wanted]:
    """What the texts of an agent's fields refer to.

    Raises:
        BrokenReference: one is misspelt.
    """
    found: set[Wanted] = set()

    def look(text: str) -> str:
        found.update((one.source, one.name, one.field) for one in references(text))
        return text

    _mapped(fields, look)
    return found


def bound(fields: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a `run` request with values for references; those in a shell command become variables of it.

    Args:
        fields: Of the request, with references in their texts.
        values: What each of them stands for, by its text between the braces.

    Raises:
        BrokenReference: one is misspelt, or stands where a shell can't be given its value.
        ValueError: there is no value for one, or none that a program can be given.
    """
    rest = dict(fields)
    command = rest.pop("command", "")
    found: dict[str, Any] = _mapped(rest, lambda text: bind_text(text, values))
    if isinstance(command, str) and rest.get("provider", RAW) == RAW:
        found["command"], environment = bind_shell(command, values)
        found["env_set"] = {**found.get("env_set", {}), **environment}
    else:
        found["command"] = _mapped(command, lambda text: bind_text(text, values))
    return found


def _mapped(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """The same value with every text in it changed; names of fields stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [_mapped(one, change) for one in value]
    if isinstance(value, Mapping):
        return {name: _mapped(one, change) for name, one in value.items()}
    return value
