"""The world of whoever calls `run`: folder, umask, environment; what a mission starts from."""

from __future__ import annotations

import os

from overmind_core.cli.envfile import read
from overmind_core.domain.environment import of_login
from overmind_core.errors import OvermindError
from overmind_core.wire.bytestrings import from_wire, to_wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST = 128 * 1024
"""Bytes of an argument or of NAME=VALUE from which on the kernel refuses it. Source: execve(2), MAX_ARG_STRLEN."""


def folder(wanted: str | None) -> str:
    """Return the working directory, absolute; a relative one counts from where the caller stands.

    Raises:
        OvermindError: `cwd_not_found`, the caller's own folder is gone.
    """
    asked = from_wire(wanted or "")
    if os.path.isabs(asked):
        return to_wire(asked)
    try:
        return to_wire(os.path.join(os.getcwd(), asked) if asked else os.getcwd())
    except OSError as error:
        raise OvermindError("cwd_not_found", f"The folder you are in is gone ({error.strerror}). Give --cwd") from None


def umask() -> int:
    """Return the caller's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def inherited(environ: Mapping[str, str], *, clean: bool) -> dict[str, str]:
    """Return the caller's variables; `clean`: only what a login would have set."""
    kept = of_login(environ) if clean else environ
    return checked({to_wire(name): to_wire(value) for name, value in kept.items()})


def chosen(files: Sequence[str], pairs: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables given for this mission: from files, then NAME=VALUE, or NAME alone as the caller has it.

    Raises:
        OvermindError: one can't be handed to a program, or a file has a mistake.
    """
    variables: dict[str, str] = {}
    for path in files:
        variables |= read(path)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name:
            raise OvermindError("invalid", f"--env {pair}: write NAME=VALUE.")
        if equals:
            variables[name] = value
        elif name in environ:
            variables[name] = to_wire(environ[name])
    return checked(variables)


def check_arguments(words: Sequence[str]) -> None:
    """Refuse what the kernel would.

    Raises:
        OvermindError: `too_large` or `invalid`.
    """
    for place, word in enumerate(words):
        _check(word, f"Argument {place + 1} of the command")


def checked(variables: dict[str, str]) -> dict[str, str]:
    """Return the variables, if a program can be given them.

    Raises:
        OvermindError: `too_large` or `invalid`.
    """
    for name, value in variables.items():
        _check(f"{name}={value}", f"The variable {name}")
    return variables


def _check(text: str, what: str) -> None:
    if "\0" in text:
        raise OvermindError("invalid", f"{what} contains a NUL byte, which no program can be given.")
    length = len(text) if text.isascii() else len(os.fsencode(from_wire(text)))
    if length >= LONGEST:
        raise OvermindError("too_large", f"{what} has {length} bytes; the limit is {LONGEST - 1}. Put it into a file.")
