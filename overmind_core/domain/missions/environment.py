"""Login variables: those of a person's environment that every login of theirs has."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


LOGIN = frozenset(
    ["HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR"]
)
"""And every LC_*."""


OF_SESSION = ("SSH_AUTH_SOCK", "DISPLAY", "WAYLAND_DISPLAY", "KRB5CCNAME")
"""Addresses of what serves one login session of a person: they end with it, and the next one has others."""


def session_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of the caller's session, as far as it has them: what a restart takes over."""
    return {name: environ[name] for name in OF_SESSION if environ.get(name)}


def renewed_variables(inherited: Mapping[str, str], session: Mapping[str, str]) -> dict[str, str]:
    """What a mission inherited, with the newest session in place of an older one.

    An environment that has only what each login sets was asked for, and stays so.
    """
    if all(name in LOGIN or name.startswith("LC_") for name in inherited):
        return {**inherited}
    return {**inherited, **session_variables(session)}


def login_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Those that a login has set: what `clean_env` keeps."""
    return {name: value for name, value in environ.items() if name in LOGIN or name.startswith("LC_")}
