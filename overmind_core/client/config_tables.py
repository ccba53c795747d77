"""Tables of config.toml that clients read by themselves, at each command: a mistake in them stops no daemon."""

from __future__ import annotations

from overmind_core.errors import OvermindError
from overmind_core.system.small_file import read_small_file

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def named_tables(path: str, family: str, example: str) -> Mapping[str, Any]:
    """Return the tables `[family.NAME]` as they stand there, by name; none where there is no file.

    Args:
        path: Of config.toml.
        family: Of which tables.
        example: How one is written.

    Raises:
        OvermindError: `invalid_config`, it can't be read, or has something else of that name.
    """
    try:
        data = read_small_file(path)
    except OSError as error:
        raise OvermindError("invalid_config", f"{path} can't be read: {error.strerror}. Make it readable.") from None
    if data is None or family.encode() not in data:
        return {}
    import tomllib  # noqa: PLC0415 - most homes have none

    try:
        table = tomllib.loads(data.decode()).get(family, {})
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OvermindError("invalid_config", f"{path}: {error}") from None
    if not isinstance(table, dict):
        raise OvermindError("invalid_config", f"{path}: {family}: write tables, such as {example}")
    return table
