"""Tables such as `[hives.NAME]` of config.toml, written: all else in the file stays as the person wrote it."""

from __future__ import annotations

import os

from overmind_core.client.daemon import prepare_home
from overmind_core.errors import OvermindError
from overmind_core.system.paths import write_private
from overmind_core.system.small_file import read_small_file

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from overmind_core.system.paths import Home


def write_table(home: Home, kind: str, name: str, entry: Mapping[str, Any], comment: str = "") -> None:
    """Add the table `[kind.name]` to the home's config.toml, with a comment at its top.

    Raises:
        OvermindError: `invalid_config`, it is none, or takes no table there; `forbidden` or `disk_full`, it can't be
            written.
    """
    import tomlkit  # start-up: it costs 30 ms
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import InlineTable

    document = _document(home)
    tables = document.setdefault(kind, tomlkit.table(is_super_table=True))
    if isinstance(tables, InlineTable):
        how = f"write [{kind}.NAME] for each of its entries"
        raise OvermindError("invalid_config", f"{home.config}: {kind} is an inline table, which takes no other: {how}.")
    table = tomlkit.table()
    if comment:
        table.add(tomlkit.comment(comment))
    table.update(entry)
    tables[name] = table
    try:
        tomlkit.parse(tomlkit.dumps(document).encode())  # what nobody could read again is not written
    except (TOMLKitError, ValueError) as error:
        raise OvermindError("invalid_config", f"{home.config} can't take [{kind}.{name}]: {error}.") from None
    _write(home, document)


def remove_table(home: Home, kind: str, name: str) -> None:
    """Take such a table out of the home's config.toml; as `write_table`."""
    document = _document(home)
    del document[kind][name]
    if not document[kind]:
        del document[kind]
    _write(home, document)


def _document(home: Home) -> Any:  # noqa: ANN401 - tomlkit's
    import tomlkit  # start-up: as above
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse((read_small_file(home.config) or b"").decode())
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise OvermindError("invalid_config", f"{home.config}: {error}") from None


def _write(home: Home, document: Any) -> None:  # noqa: ANN401 - as above
    import tomlkit  # start-up: as above

    prepare_home(home)
    path = os.path.realpath(home.config)  # a link into a folder of settings stays one
    try:
        write_private(path, tomlkit.dumps(document))
    except OSError as error:
        code = "disk_full" if error.errno == 28 else "forbidden"  # noqa: PLR2004 - ENOSPC
        raise OvermindError(code, f"{path} can't be written: {error.strerror}.") from None
