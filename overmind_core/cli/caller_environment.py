"""The caller's world that a mission starts from: working directory, umask, environment, and variables from files."""

from __future__ import annotations

import os

from overmind_core.documents.variables import parse_variables
from overmind_core.domain.missions.environment import login_variables, session_variables
from overmind_core.domain.swarm.secrets import NAMES as SECRETS
from overmind_core.domain.text.bytestrings import from_wire, to_wire
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


ARGUMENT_LIMIT = 128 * 1024
"""Bytes of an argument or of NAME=VALUE from which on the kernel refuses it. Source: execve(2), MAX_ARG_STRLEN."""


def working_directory(wanted: str | None) -> str:
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
        raise OvermindError(
            "cwd_not_found", f"The current folder no longer exists ({error.strerror}). Go to another one."
        ) from None


def current_umask() -> int:
    """Return the caller's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def inherited_variables(environ: Mapping[str, str], *, clean: bool) -> dict[str, str]:
    """Return the caller's variables, without its secrets of a swarm; `clean`: only what a login would have set."""
    kept = login_variables(environ) if clean else environ
    secrets = environ.get(SECRETS, "").split(",")  # a daemon keeps what it is sent, and these are kept nowhere
    return checked_variables({to_wire(name): to_wire(value) for name, value in kept.items() if name not in secrets})


def session_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what serves the caller's login session, in wire form: a restart takes it over."""
    return {name: to_wire(value) for name, value in session_variables(environ).items()}


def given_variables(files: Sequence[str], pairs: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables given for this mission: from files, then NAME=VALUE, or NAME alone as the caller has it.

    Raises:
        OvermindError: one can't be handed to a program, or a file has a mistake.
    """
    variables: dict[str, str] = {}
    for path in files:
        variables |= read_env_file(path)
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name:
            raise OvermindError("invalid", f"--env {pair}: write NAME=VALUE.")
        if equals:
            variables[name] = value
        elif name in environ:
            variables[name] = to_wire(environ[name])
    return checked_variables(variables)


def check_arguments(words: Sequence[str]) -> None:
    """Refuse what the kernel would.

    Raises:
        OvermindError: `too_large` or `invalid`.
    """
    for place, word in enumerate(words):
        _check_length(word, f"Argument {place + 1} of the command")


def checked_variables(variables: dict[str, str]) -> dict[str, str]:
    """Return the variables, if a program can be given them.

    Raises:
        OvermindError: `too_large` or `invalid`.
    """
    for name, value in variables.items():
        _check_length(f"{name}={value}", f"The variable {name}")
    return variables


def _check_length(text: str, what: str) -> None:
    if "\0" in text:
        raise OvermindError("invalid", f"{what} contains a NUL byte, and no program accepts one.")
    length = len(text) if text.isascii() else len(os.fsencode(from_wire(text)))
    if length >= ARGUMENT_LIMIT:
        raise OvermindError(
            "too_large", f"{what} has {length} bytes; the limit is {ARGUMENT_LIMIT - 1}. Put it into a file."
        )


def read_env_file(path: str) -> dict[str, str]:
    """Return the variables of a file, in wire form.

    Raises:
        OvermindError: `invalid`, naming file and line.
    """
    try:
        with open(from_wire(path), "rb") as file:
            text = to_wire(os.fsdecode(file.read()))
    except OSError as error:
        raise OvermindError("invalid", f"--env-file {path}: {error.strerror}.") from None
    return parse_variables(text, path)
