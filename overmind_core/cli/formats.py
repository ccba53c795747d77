"""Formats of answers besides JSON: YAML, and names alone."""

from __future__ import annotations

import json
import re

import yaml

from overmind_core.cli.output import UNSAFE
from overmind_core.domain.hives import LOCAL
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import UsageError

_SEPARATOR = "---\n"
_NAMES = ("name", "id")
"""Fields that name a thing, the better one first."""


def yaml_document(value: object, *, first: bool) -> str:
    """Return `value` as a document of YAML that no terminal acts on; all but the first begin with a separator."""
    plain = re.search(UNSAFE, json.dumps(value, ensure_ascii=False)) is None
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=plain, default_flow_style=False, width=10_000)
    return ("" if first else _SEPARATOR) + text.removesuffix("\n").removesuffix("\n...")


def names(value: object) -> str:
    """Return the names of the things in an answer, a line each.

    Raises:
        UsageError: it has none.
    """
    rows = value if isinstance(value, list) else [value]
    return "\n".join(display_safe(_name(row)) for row in rows)


def _name(row: object) -> str:
    found = next((row[key] for key in _NAMES if row.get(key)), None) if isinstance(row, dict) else None
    if found is None:
        raise UsageError("This output has no names. Use -o json or -o yaml instead.")
    hive = row.get("hive", LOCAL) if isinstance(row, dict) else LOCAL
    return str(found) if hive == LOCAL else f"{hive}/{found}"
