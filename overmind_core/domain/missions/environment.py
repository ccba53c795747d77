"""Login variables: those of a person's environment that every login of theirs has."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


LOGIN = frozenset(
    ["HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR"]
)
"""And every LC_*."""


def login_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Those that a login has set: what `clean_env` keeps."""
    return {name: value for name, value in environ.items() if name in LOGIN or name.startswith("LC_")}
