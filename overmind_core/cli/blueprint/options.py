"""The words and options of every command about a blueprint's file."""

from __future__ import annotations

from overmind_core.cli.table import argument, option

DEFAULT = "blueprint.toml"


def variable(word: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`."""
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise ValueError(f"{word!r} is not a variable: write NAME=VALUE")
    return name, value


FILE = argument("file", "the blueprint", metavar="file")
VAR = option(
    "--var", "NAME=VALUE", "what ${vars.NAME} stands for; wins over the file (repeatable)", parse=variable, repeat=True
)
