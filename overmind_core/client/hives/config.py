"""The hives that config.toml names, as places."""

from __future__ import annotations

from overmind_core.client.config_tables import named_tables
from overmind_core.client.hives.hive import Hive
from overmind_core.domain import hives
from overmind_core.domain.text.cells import did_you_mean
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


def read_hives(path: str) -> dict[str, Hive]:
    """Return the hives of a config.toml by their names, in its order; none where there is none.

    Raises:
        OvermindError: `invalid_config`, it can't be read, or says of a hive what makes no sense.
    """
    return {name: _hive(path, name, entry) for name, entry in hive_tables(path).items()}


def hive_tables(path: str) -> Mapping[str, Any]:
    """Return the tables below `[hives]` as they stand there.

    Raises:
        OvermindError: `invalid_config`, it can't be read, or `hives` is no table.
    """
    return named_tables(path, "hives", '[hives.eu1] with ssh = "eu1"')


def named(found: Mapping[str, Hive], name: str) -> Hive:
    """Return the hive of that name.

    Raises:
        OvermindError: `hive_unknown`.
    """
    if name not in found:
        raise unknown(name, list(found))
    return found[name]


def unknown(name: str, known: Sequence[str]) -> OvermindError:
    """Return the error about a hive that nobody knows."""
    hint = did_you_mean(name, known) or (" See them with: overmind hive list" if known else "")
    add = "" if known else f" Add it with: overmind hive add {name} HOST"
    where = " in config.toml" if add else ""
    return OvermindError("hive_unknown", f"There is no hive {name!r}{where}.{hint}{add}")


def _hive(path: str, name: str, entry: object) -> Hive:
    try:
        return Hive(name, hives.gate_of(name, entry), config=path)
    except ValueError as error:
        raise OvermindError("invalid_config", f"{path}: {error}") from None
