"""A project's file runs commands: a person sees them, and says yes, before anything of it is used."""

from __future__ import annotations

import os
import shlex

from overmind_core.cli import caller
from overmind_core.cli.ask import answered_yes, is_attended
from overmind_core.cli.isolation.project import mistaken, tell_problems
from overmind_core.domain.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.client.calls import Client

    Args = Mapping[str, Any]

QUESTION = "Trust this file?"
_UNTRUSTED = "untrusted_project"
_WITHOUT = {"apply": "leave out isolate = true"}
"""Command → how to do without isolation, where that is another way than of most."""


def call(context: Context, client: Client, command: str, request: Args, *, trust: bool | None = None) -> Any:  # noqa: ANN401  (an answer is any JSON)
    """Send a request that may use a project's file; where that is not trusted yet, ask the person and send it again.

    Args:
        context: Where to ask.
        client: Whom to ask.
        command: Its name on the socket.
        request: Its arguments, among them `env`, or those of a ritual's work.
        trust: The person said yes on the command line; None where that is not the place for it.

    Raises:
        OvermindError: the daemon said no; `untrusted_project`, the person said no, or there is nobody to ask.
    """
    while True:
        try:
            return client.call(command, request)
        except OvermindError as error:
            facts: Mapping[str, Any] = error.fields
            if facts.get("problems"):
                tell_problems(context, facts["problems"])
                raise mistaken(facts) from None
            if error.code != _UNTRUSTED or not {"path", "sha256", "commands"} <= facts.keys():
                raise
            if not trust and not _asked(context, facts):
                raise _refused(facts, _WITHOUT.get(command, "--no-isolate"), here=trust is not None) from None
            folder = os.path.dirname(facts["path"])
            world = request.get("quest") or request.get("apply") or request
            client.call("trust", {"cwd": folder, "env": world["env"], "sha256": facts["sha256"]})


def lines(path: str, commands: Sequence[str], *, changed: bool) -> list[str]:
    """Return what a person has to know before they trust a file, safe for a terminal."""
    why = "has changed since you trusted it" if changed else "is not trusted yet"
    head = f"{display_safe(path)} {why}."
    if not commands:
        return [head, "It runs no commands."]
    return [head, "It runs:", *(f"  {display_safe(command)}" for command in commands)]


def _asked(context: Context, facts: Mapping[str, Any]) -> bool:
    if not is_attended():
        return False
    for line in lines(facts["path"], facts["commands"], changed=bool(facts.get("changed"))):
        context.note(line)
    return answered_yes(QUESTION)


def _refused(facts: Mapping[str, Any], without: str, *, here: bool) -> OvermindError:
    """`here`: trust is said with the command itself, and lasts no longer."""
    why = "has changed since it was trusted" if facts.get("changed") else "is not trusted"
    folder = os.path.dirname(facts["path"])
    where = "" if f"{caller.folder(None)}/".startswith(f"{folder}/") else f" {shlex.quote(folder)}"
    return OvermindError(
        _UNTRUSTED,
        f"{facts['path']} {why}; nothing was started. See what it does: overmind isolate --check{where}. "
        f"Allow it: {'--trust' if here else f'overmind trust{where}'}. Do without it: {without}",
        **facts,
    )
