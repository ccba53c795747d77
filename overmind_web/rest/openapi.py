"""The document that is served: which requests there are, and how their arguments read in a query.

`make docs` writes it from the types of requests and answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from overmind_core.errors import OvermindError

Schema = Mapping[str, Any]


@cache
def text() -> bytes:
    """Return the document as it is served."""
    return files(__package__).joinpath("openapi.json").read_bytes()


@cache
def queries() -> dict[str, dict[str, Schema]]:
    """Return path → parameter of its query → schema of that, for all that can be asked by GET."""
    paths: dict[str, Any] = msgspec.json.decode(text())["paths"]
    return {
        path.removeprefix("/"): {one["name"]: one["schema"] for one in row["get"]["parameters"] if one["in"] == "query"}
        for path, row in paths.items()
        if "get" in row
    }


def query_arguments(path: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the arguments that a query says.

    Args:
        path: What is asked, such as `ps`; one that can be asked by GET.
        pairs: Names and values as they stand in the query; a list repeats its name.

    Raises:
        OvermindError: `invalid`, an argument that there is not, that is there twice, or that is of another type.
    """
    schemas = queries()[path]
    found: dict[str, Any] = {}
    for name, value in pairs:
        schema = schemas.get(name)
        if schema is None:
            known = ", ".join(schemas) or "none"
            raise OvermindError("invalid", f"{path} has no argument {name[:64]!r} in a query. It has: {known}.")
        if schema.get("type") == "array":
            found.setdefault(name, []).append(_value(name, value, schema["items"]))
        elif name in found:
            raise OvermindError("invalid", f"{name} is given more than once.")
        else:
            found[name] = _value(name, value, schema)
    return found


_WORDS = {"true": True, "false": False}
_NUMBERS = {"integer": int, "number": float}


def _value(name: str, text: str, schema: Schema) -> Any:  # noqa: ANN401 - as the schema says
    """Return a value as the first type reads it that can: `5` where numbers are taken, `5m` where texts are, too."""
    kinds = [str(one.get("type", "string")) for one in schema.get("anyOf", (schema,))]
    for kind in kinds:
        if kind == "boolean" and text in _WORDS:
            return _WORDS[text]
        if kind in _NUMBERS and (number := _number(text, whole=kind == "integer")) is not None:
            return number
        if kind == "string":
            return text
    wanted = " or ".join("true or false" if kind == "boolean" else kind for kind in kinds)
    raise OvermindError("invalid", f"{name} must be {wanted}, not {text[:64]!r}.")


_DIGITS = 19
"""Of the longest whole number that is one: more is no amount of anything."""


def _number(text: str, *, whole: bool) -> int | float | None:
    digits = text.removeprefix("-")
    if not digits.isascii() or len(digits) > _DIGITS:
        return None
    if digits.isdigit():
        return int(text) if whole else float(text)
    before, point, behind = digits.partition(".")
    if not whole and point and before.isdigit() and behind.isdigit():
        return float(text)
    return None
