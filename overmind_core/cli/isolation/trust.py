"""Trust in a project's file: it runs commands, so a person sees them and says yes before anything of it is used.

Also which project a command is about, and the explanation that `overmind isolate` prints.
"""

from __future__ import annotations

import os
import shlex

from overmind_core.cli import caller_environment
from overmind_core.cli.command import argument
from overmind_core.cli.context import answered_yes, is_interactive
from overmind_core.domain.text.cells import display_safe
from overmind_core.errors import OvermindError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from overmind_core.cli.context import Context
    from overmind_core.client.client import Client

    Args = Mapping[str, Any]
    Answer = Mapping[str, Any]


FOLDER = argument("folder", "folder of the project (default: the current one)", nargs="?")


def project_request(args: Namespace, context: Context) -> dict[str, Any]:
    """Return whose project it is, and in which world: `cwd` and `env`.

    Raises:
        OvermindError: `cwd_not_found`.
    """
    folder = os.path.normpath(caller_environment.working_directory(args.folder))
    return {"cwd": folder, "env": caller_environment.inherited_variables(context.environ, clean=False)}


def print_problems(context: Context, problems: Sequence[str]) -> None:
    """Print what is wrong with a file, a line each with its place."""
    for problem in problems:
        context.note(display_safe(problem))


def project_file_error(explained: Mapping[str, Any]) -> OvermindError:
    """Return what to raise when the problems have been printed."""
    count = len(explained["problems"])
    what = explained.get("path") or "The project's file"
    return OvermindError("invalid", f"{what} has {'a mistake' if count == 1 else f'{count} mistakes'}.")


QUESTION = "Trust this file?"
_UNTRUSTED = "untrusted_project"
_WITHOUT = {"apply": "leave out isolate = true"}
"""Command → how to do without isolation, where that is another way than of most."""


def call_trusted(context: Context, client: Client, command: str, request: Args, *, trust: bool | None = None) -> Any:  # noqa: ANN401  (an answer is any JSON)
    """Send a request that may use a project's file; where that is not trusted yet, ask the person and send it again.

    Args:
        context: Where to ask.
        client: Sends it.
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
                print_problems(context, facts["problems"])
                raise project_file_error(facts) from None
            if error.code != _UNTRUSTED or not {"path", "sha256", "commands"} <= facts.keys():
                raise
            if context.hive is not None:
                raise _untrusted_there(facts, context.hive.name, _WITHOUT.get(command, "--no-isolate")) from None
            if not trust and not _person_agrees(context, facts):
                raise _untrusted_error(facts, _WITHOUT.get(command, "--no-isolate"), here=trust is not None) from None
            if "genome" in facts:
                client.call("trust", {"cwd": "/", "genome": facts["path"], "sha256": facts["sha256"]})
                continue
            folder = os.path.dirname(facts["path"])
            work = request.get("quest") or request.get("apply") or request
            client.call("trust", {"cwd": folder, "env": work["env"], "sha256": facts["sha256"]})


def trust_lines(path: str, commands: Sequence[str], *, changed: bool) -> list[str]:
    """Return what a person has to know before they trust a file, safe for a terminal."""
    why = "has changed since you trusted it" if changed else "is not trusted yet"
    head = f"{display_safe(path)} {why}."
    if not commands:
        return [head, "It runs no commands."]
    return [head, "It runs:", *(f"  {display_safe(command)}" for command in commands)]


def _person_agrees(context: Context, facts: Mapping[str, Any]) -> bool:
    if not is_interactive():
        return False
    for line in trust_lines(facts["path"], facts["commands"], changed=bool(facts.get("changed"))):
        context.note(line)
    return answered_yes(QUESTION)


def _untrusted_error(facts: Mapping[str, Any], without: str, *, here: bool) -> OvermindError:
    """`here`: trust is said with the command itself, and lasts as long as its home."""
    why = "has changed since it was trusted" if facts.get("changed") else "is not trusted"
    if "genome" in facts:
        message = f"{facts['path']} {why}; nothing was started. Review and trust it:"
        return OvermindError(_UNTRUSTED, f"{message} overmind trust {shlex.quote(facts['genome'])}", **facts)
    folder = os.path.dirname(facts["path"])
    where = (
        "" if f"{caller_environment.working_directory(None)}/".startswith(f"{folder}/") else f" {shlex.quote(folder)}"
    )
    return OvermindError(
        _UNTRUSTED,
        f"{facts['path']} {why}; nothing was started. Review it: overmind isolate --check{where}. Trust it: "
        f"{'--trust' if here else f'overmind trust{where}'}. Run without it: {without}",
        **facts,
    )


def _untrusted_there(facts: Mapping[str, Any], hive: str, without: str) -> OvermindError:
    """Whoever trusts a file of another machine has to be able to look at it there."""
    why = "has changed since it was trusted" if facts.get("changed") else "is not trusted"
    word = shlex.quote(os.path.dirname(facts["path"]))
    return OvermindError(
        _UNTRUSTED,
        f"{facts['path']} {why} on {hive}; nothing was started. On that machine, review it: overmind isolate --check "
        f"{word}. Trust it: overmind trust {word}. Run without it: {without}",
    )


_WIDTH = 10
"""Cells of the words on the left."""


def is_wrong(answer: Answer) -> bool:
    """Whether a mission could not be isolated like that."""
    return bool(answer["problems"]) or answer["engine_problem"] is not None


def explanation_text(answer: Answer) -> str:
    """Return the whole text, safe for a terminal."""
    facts = [f"{word:<{_WIDTH}}{display_safe(what)}" for word, what in _facts(answer)]
    parts = ["\n".join(facts)]
    lists = {
        "Runs": answer["commands"],
        "Steps": [f"{number}. {one['text']}" for number, one in enumerate(answer["steps"], start=1)],
        "Notes": answer["notes"],
        "Problems": [*answer["problems"], *([answer["engine_problem"]] if answer["engine_problem"] else [])],
    }
    parts += [
        "\n".join([title, *(f"  {display_safe(one)}" for one in lines)]) for title, lines in lists.items() if lines
    ]
    return "\n\n".join(parts)


def _facts(answer: Answer) -> Iterator[tuple[str, str]]:
    yield "File", answer["path"] or f"none in {answer['source']}"
    if answer["path"] is not None and answer["sha256"] is not None:
        yield "Trusted", _trust(answer)
    if answer["path"] is not None and answer["sha256"] is None:  # it could not be read: nothing is known
        return
    if answer["worktree"]:
        yield "Worktree", f"{answer['source']}/.overmind/worktrees/<id>"
        yield "Branch", " from ".join(filter(None, (answer["branch"], answer["base"])))
    else:
        yield "Worktree", "none"
    if answer["ports"]:
        yield "Ports", ", ".join(map(_port, answer["ports"]))
    if answer["engine"]:
        yield "Engine", answer["engine"]


def _trust(answer: Answer) -> str:
    if answer["trusted"]:
        return "yes"
    return "no, it has changed: overmind trust" if answer["changed"] else "not yet: overmind trust"


def _port(one: Mapping[str, Any]) -> str:
    from overmind_core.domain.isolation.project import service_and_number  # start-up: only `isolate` has ports

    name = service_and_number(one["service"] or "PORT")[0]
    port = "none" if one["port"] is None else str(one["port"])
    wanted = one["wanted"]
    return f"{name} {port}" if wanted in {None, one["port"]} else f"{name} {port} (for {wanted})"
