"""Contexts: what runs and quests are given together, by one name: variables, secrets, and where they go. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_core.domain.swarm.secrets import NAME_RULE, is_secret_name
from overmind_core.domain.text.cells import did_you_mean

ANY = "any"
_KEYS = ("env", "secrets", "on")
_LONGEST_LABEL = 63


class RunContext(NamedTuple):
    """A table `[contexts.NAME]` of config.toml."""

    name: str
    env: Mapping[str, str]
    """Variables; those that a command gives itself win."""
    secrets: tuple[str, ...]
    on: Mapping[str, str] | None
    """Labels that a hive must have, none: any hive; None: it says nothing of hives."""


def context_of(name: str, entry: object) -> RunContext:
    """Return what config.toml says of a context.

    Raises:
        ValueError: a mistake; a sentence that begins with the key.
    """
    key = f"contexts.{name}"
    if not isinstance(entry, dict):
        raise ValueError(f'{key}: write a table, such as [contexts.{name}] with env = {{ STAGE = "test" }}')  # noqa: TRY004 - of a file
    for unknown in entry:
        if unknown not in _KEYS:
            hint = did_you_mean(unknown, _KEYS)
            raise ValueError(f"{key}: unknown key {unknown!r}.{hint or ' A context has env, secrets and on'}")
    secrets = entry.get("secrets", [])
    if not isinstance(secrets, list) or not all(isinstance(one, str) for one in secrets):
        raise ValueError(f'{key}.secrets: write a list of names, such as ["NPM_TOKEN"]')
    for one in secrets:
        if not is_secret_name(one):
            raise ValueError(f"{key}.secrets: {one!r} can't be the name of a secret. {NAME_RULE}")
    return RunContext(name, _variables(key, entry.get("env", {})), tuple(secrets), _labels(key, entry))


def _variables(key: str, given: object) -> Mapping[str, str]:
    if not isinstance(given, dict):
        raise ValueError(f'{key}.env: write a table, such as {{ STAGE = "test" }}')  # noqa: TRY004 - of a file
    for name, value in given.items():
        if not is_secret_name(name):
            raise ValueError(f"{key}.env: {name!r} can't be the name of a variable. {NAME_RULE}")
        if not isinstance(value, str) or "\0" in value:
            raise ValueError(f"{key}.env.{name}: write a string in quotes")
    return given


def _labels(key: str, entry: Mapping[str, Any]) -> Mapping[str, str] | None:
    given = entry.get("on")
    if given is None:
        return None
    if given == ANY:
        return {}
    if not isinstance(given, dict) or not given:
        raise ValueError(f'{key}.on: write labels, such as {{ region = "eu" }}, or "any"')
    for name, value in given.items():
        if not isinstance(value, str) or max(len(name), len(value)) > _LONGEST_LABEL or not name:
            raise ValueError(f"{key}.on.{name}: write a string of up to {_LONGEST_LABEL} characters in quotes")
    return given
