"""What `[tui]` of config.toml may say, and what the command line said; everything has a default.

```toml
[tui]
theme = "dark"          # dark | light | any theme of Textual
symbols = "auto"        # auto | unicode | ascii
confirm_kill = false    # ctrl-k asks too
mouse = true
log_time = false        # times in the log
log_wrap = false
```
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

SYMBOLS = ("auto", "unicode", "ascii")


class Settings(NamedTuple):
    """How the program looks and asks."""

    theme: str = "dark"
    symbols: str = "auto"
    confirm_kill: bool = False
    mouse: bool = True
    log_time: bool = False
    log_wrap: bool = False


class BadSettings(ValueError):
    """The configuration has a mistake; a sentence that names it."""


def load(path: str) -> Settings:
    """The settings in the file; the defaults when there is none.

    Raises:
        BadSettings: it can't be read, or says what makes no sense.
    """
    if not os.path.exists(path):
        return Settings()
    import tomllib  # noqa: PLC0415 - most homes have no configuration

    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"config.toml: {error}") from None
    return read(document.get("tui", {}))


def read(table: Mapping[str, Any]) -> Settings:
    """The settings of the table `[tui]`; what is not known here is for somebody else.

    Raises:
        BadSettings: a value makes no sense.
    """
    given = {key: value for key, value in table.items() if key in Settings._fields}
    for key, value in given.items():
        if not isinstance(value, type(Settings._field_defaults[key])):
            raise BadSettings(f"config.toml: tui.{key}: {value!r} is not allowed here")
    if given.get("symbols", "auto") not in SYMBOLS:
        raise BadSettings(f"config.toml: tui.symbols: write one of {', '.join(SYMBOLS)}")
    return Settings(**given)


def ascii_only(symbols: str, environ: Mapping[str, str]) -> bool:
    """Whether marks are drawn with ASCII: as told, else where the terminal speaks no UTF-8."""
    if symbols != "auto":
        return symbols == "ascii"
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return environ.get("TERM") in {"linux", "dumb"} or "utf" not in locale.lower().replace("-", "")
