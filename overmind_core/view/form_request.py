"""The form of a new mission as a request: the arguments of `run` but for the world, and which entry an error is about.

Pure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from overmind_core.domain.text.duration import CountError, parse_count
from overmind_core.errors import OvermindError
from overmind_core.view.form_fields import Form, ProgramKind

_ABOUT = {"name_taken": "name", "cwd_not_found": "cwd", "provider_missing": "what", "unknown_provider": "what",
          "empty_command": "text", "not_found": "text", "untrusted_project": "isolate", "docker_missing": "isolate",
          "port_range_exhausted": "isolate", "git_failed": "isolate"}  # fmt: skip
_WORDS = {
    "--allow": "allow", "--deny": "deny", "--model": "model", "--permission-mode": "permission_mode",
    "--max-cost": "max_cost", "--max-tokens": "max_tokens", "--timeout": "timeout", "restart policy": "restart",
    "label": "labels", "environment": "env", "A name": "name", "working directory": "cwd",
}  # fmt: skip


SHELLS = frozenset({"ash", "bash", "dash", "fish", "ksh", "nu", "sh", "tcsh", "zsh"})
"""Commands that end at once where nobody can type into them."""


class Talk(StrEnum):
    """How a person talks with what begins."""

    TERMINAL = "terminal"
    """By what they type into its terminal."""
    MESSAGES = "messages"
    """By messages, in a session that has no screen."""
    NOT = "not"
    """It does this one thing, and ends."""


class Wrong(ValueError):
    """An entry makes no sense."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key
        self.sentence = sentence


def request(form: Form, talk: Talk) -> dict[str, Any]:
    """The arguments of `run` that the form says; `talk`: with what begins.

    Raises:
        Wrong: an entry makes no sense.
    """
    sort = form.what.sort
    if sort is ProgramKind.COMMAND and not form.text("text"):
        raise Wrong("text", "type a command")
    return {
        **begun(form.what.name, form.text("text"), talk),
        "name": form.text("name") or form.generated,
        "restart": form.text("restart"),
        "labels": _pairs(form, "labels"),
        "env_set": _pairs(form, "env"),
        "timeout": _with_unit(form.text("timeout")) or 0,
        **_isolation(form.text("isolate")),
        **(_agent(form) if sort is ProgramKind.AGENT else {}),
    }


def begun(what: str, text: str, talk: Talk) -> dict[str, Any]:
    """The arguments of `run` for an agent with its first message or its task, a shell, or a command.

    Args:
        what: An agent, `shell` or `command`.
        text: The prompt or the command.
        talk: How a person talks with it.
    """
    session = {} if talk is Talk.NOT else {"type": "session"}
    if what in {ProgramKind.COMMAND, ProgramKind.SHELL}:
        return {"command": text, **session}
    interactive = {"interactive": True} if talk is Talk.TERMINAL else {}
    return {"command": "", "provider": what, "agent": {"prompt": text or None}, **session, **interactive}


def _agent(form: Form) -> dict[str, Any]:
    mode = form.text("permission_mode")
    agent = {
        "prompt": form.text("text") or None,
        "model": form.text("model") or None,
        "permission_mode": None if mode == "default" else mode,
        "allow": form.text("allow").splitlines(),
        "deny": form.text("deny").splitlines(),
    }
    limits = {"max_cost": _dollars(form.text("max_cost")), "max_tokens": _tokens(form.text("max_tokens"))}
    return {"agent": agent, **limits}


def _isolation(chosen: str) -> dict[str, bool]:
    """Whether it gets a worktree and ports of its own; nothing where its project says that."""
    return {"isolate": chosen == "yes"} if chosen in {"yes", "no"} else {}


def _pairs(form: Form, key: str) -> dict[str, str]:
    try:
        words = shlex.split(form.text(key))
    except ValueError:
        raise Wrong(key, "a quote is not closed") from None
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise Wrong(key, f"{name or '='}: write name=value, and quote values with spaces")
    return {name: value for name, _, value in pairs}


def _with_unit(time: str) -> str:
    """The time that was typed; one without a unit is in seconds, as on the command line: requests take milliseconds."""
    return f"{time}s" if re.fullmatch(r"[0-9]+(\.[0-9]*)?", time) else time


def _dollars(text: str) -> float:
    digits = text.removeprefix("$") or "0"
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,6})?", digits):
        raise Wrong("max_cost", f"{text} is not an amount in US dollars: write a number, e.g. 2.50")
    return float(digits)


def _tokens(text: str) -> int:
    try:
        return parse_count(text or "0")
    except CountError:
        raise Wrong("max_tokens", f"{text} is not a number of tokens: write one such as 500k or 2M") from None


def wrong_entry(error: OvermindError) -> str:
    """The entry that an error is about."""
    known: Mapping[str, str] = _ABOUT
    named = [(error.message.find(words), key) for words, key in _WORDS.items() if words in error.message]
    return known.get(error.code, min(named)[1] if named else "text")  # what it names first is wrong, the rest helps


_OPTIONS: tuple[tuple[str, str], ...] = (
    (r" with --(?:name|cwd|into)\b", ""),
    (r"\bor run with --no-isolate\b", "or set isolate to no"),
    (r"\buse --label key=value", "write key=value"),
    (r"--permission-mode\b", "mode"),
    (r"--([a-z]+(?:-[a-z]+)*)", r"\1"),
)
"""What a sentence for the command line says of options → what it says beside the entries of a form."""


def without_options(sentence: str) -> str:
    """What an error of the daemon says, for a form: its entries have names, and no options."""
    for option, words in _OPTIONS:
        sentence = re.sub(option, words, sentence)
    return sentence
