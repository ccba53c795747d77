"""The screen of a `copilot`: its prompt, its dialogs and the keys that answer them, and how a message is entered. Pure.

Found by experiment with 1.0.102 at 100x30 and 80x24, with the frame around its prompt and, on terminals that tell no
colours, with lines above and below it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import Asked, Behaviour, Decision
from overmind_core.domain.agents.permission import SHELL
from overmind_core.domain.text.cells import width
from overmind_core.providers.lines import one_line, text_at
from overmind_core.providers.rpc.tools import EDIT

if TYPE_CHECKING:
    from collections.abc import Sequence

WORKING, WAITING, IDLE, FAILED = "working", "waiting", "idle", "failed"
"""States that its screen tells."""
_TOP, _BOTTOM = re.compile(r"╻▄{8,}|─{8,}"), re.compile(r"╹▀{8,}|─{8,}")
"""The lines around its prompt."""
_FRAME, _MARK = "┃", "❯ "
"""Before each line of the prompt, or before its first."""
_MOST_FOOTERS = 4
_WORKS = re.compile(r" [◉◎●○] (?:Working|Cancelling|Thinking)")
"""The line below the prompt while a turn is under way."""
_SAID = re.compile(r" {1,2}([●✗❯$○✓!]) (.*)")
"""The first line of a piece of the conversation."""
_CANCELLED, _ERROR, _TOOLS = "Operation cancelled by user", "✗", "  "
_ABORTED = "Operation aborted by user"
"""Stands behind a tool for a moment before that, or in its place."""
_OPTION = re.compile(r"[│ ]*(❯)?\s+(\d)\. (.*)")
_SELECTS = re.compile(r"[│ ]*↑/↓ .*\benter (?:to )?(?:select|submit|confirm|accept)")
"""The last line of a dialog."""
_YES, _NO = "Yes", "No, and tell Copilot what to do differently (Esc to stop)"
_YES_KEY, _NO_KEY = b"1", b"\x1b"
_BOX_TOP, _BOX_BOTTOM = re.compile(r"│ ╭─{4,}╮ │"), re.compile(r"│ ╰─{4,}╯ │")
"""The frame around a command, in the dialog about it."""
_ROW = re.compile(r"│ │ (.*) │ │\s*$")
_RUNS = "Do you want to run this command?"
_CHANGES = ("Do you want to create ", "Do you want to edit ")
_PAGES = {"Do you trust the files in this folder?": ("trust", "trust this folder?")}
"""Words of a page → its name in events, and its summary."""
_NO_WIDTH = "\u200b"
"""Before a text it keeps that from being a command."""
_COMMANDS = ("/", "!", "?", "&")
_LEAVES = frozenset({"exit", "quit", "exit()", "quit()", ":q", ":wq"})
"""Words that end it."""
_MOST_LINES = 10
"""The most lines of a paste that stand in the prompt; one line stands for more, and its model gets the text."""
_MOST_CELLS = 600
"""Of a message that the prompt of a small screen shows whole."""
_FOLDED = re.compile(r"\[Paste #\d+ - (\d+) lines\]")


class _Dialog(NamedTuple):
    """A dialog about a permission: the lines that ask, and what stands above them."""

    question: str
    above: Sequence[str]


def state(lines: Sequence[str]) -> str:
    """The state that the screen tells; "": none."""
    if dialog(lines) is not None:
        return WAITING
    at = _prompt_at(lines)
    if at is None:
        return ""
    if _works(lines):
        return WORKING
    return FAILED if failure_words(lines) else IDLE


def dialog(lines: Sequence[str]) -> Asked | None:
    """Return the page of options in the place of its prompt; None: there is none."""
    end = [line for line in lines if line.strip()][-3:]
    if _prompt_at(lines) is not None or not any(map(_SELECTS.match, end)):
        return None
    text = "\n".join(line.rstrip() for line in lines).strip("\n")
    known = next((page for words, page in _PAGES.items() if words in text), None)
    asks = next((line.strip("│ ") for line in reversed(lines) if line.rstrip("│ ").endswith(("?", "."))), "a dialog")
    name, summary = known or ("page", f"answer it on its screen: {one_line(asks)}")
    return Asked(name, AgentNeed.SETUP, "", summary, {"dialog": name, "text": text})


def is_idle(lines: Sequence[str]) -> bool:
    """Return whether the prompt is there, and nothing says that a turn is under way."""
    return typed(lines) is not None and not _works(lines)


def was_interrupted(lines: Sequence[str]) -> bool:
    """Whether a person has cancelled the turn, as is said right above the prompt.

    A turn in which nothing was said is taken back instead, and its message put into the prompt.
    """
    if not is_idle(lines):
        return False
    mark, words = _said_last(lines)
    if mark == _ERROR:
        return flat(_ABORTED) in flat(words)
    return words.startswith(_CANCELLED) or bool(typed(lines))


def failure_words(lines: Sequence[str]) -> str:
    """The error right above the prompt; "" where there is none. That of a tool has what the model said below it."""
    mark, words = _said_last(lines)
    return words if mark == _ERROR else ""


def keys_for(lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
    """The key of the plain yes or no, while the dialog shows all that the question is about, and nothing else."""
    asks = _permission_dialog(lines)
    if asks is None or not _shows(asks, question):
        return None
    return _NO_KEY if decision.behaviour is Behaviour.DENY else _YES_KEY


def paste_of(text: str) -> str:
    """Return what to paste: no command, and closed by a blank, without which Enter may choose from a list of files.

    A text that the screen may not show whole gets more lines, so that one line stands for it.
    """
    piece = f"{_NO_WIDTH if is_command(text) else ''}{text.replace(chr(13) + chr(10), chr(10))} "
    missing = _MOST_LINES - piece.count("\n") if width(text) > _MOST_CELLS else 0
    return piece + "\n" * missing


def draft_of(text: str) -> str:
    """The line that stands for a long one, else the text."""
    lines = paste_of(text).count("\n") + 1
    return _folded(lines) if lines > _MOST_LINES else text


def is_command(text: str) -> bool:
    """Whether it would be a command of the program's own, or of a shell."""
    said = text.strip()
    return said.startswith(_COMMANDS) or said.lower() in _LEAVES


def typed(lines: Sequence[str]) -> str | None:
    """What stands in the prompt; None when that is not on the screen."""
    at = _prompt_at(lines)
    if at is None:
        return None
    held = []
    for line in lines[at:]:
        if _BOTTOM.match(line):
            break
        held.append(f"{line} ".removeprefix(_FRAME).removeprefix(_MARK).strip())
    text = " ".join(held).replace(_NO_WIDTH, "").strip()
    return _FOLDED.sub(lambda found: _folded(int(found[1])), text)


def flat(text: str) -> str:
    """Without what wrapping adds."""
    return "".join(text.split())


def _folded(lines: int) -> str:
    return f"[Paste - {lines} lines]"


def _prompt_at(lines: Sequence[str]) -> int | None:
    """The first line of the prompt, between the last two that frame it; None when it is not on the screen."""
    bottom = next((at for at in range(len(lines) - 1, 0, -1) if _BOTTOM.match(lines[at])), None)
    if bottom is None or sum(bool(line.strip()) for line in lines[bottom + 1 :]) > _MOST_FOOTERS:
        return None
    top = next((at for at in range(bottom - 1, -1, -1) if _TOP.match(lines[at])), None)
    if top is None or top + 1 == bottom:
        return None
    first = lines[top + 1]
    return top + 1 if first.startswith(_FRAME) or f"{first} ".startswith(_MARK) else None


def _works(lines: Sequence[str]) -> bool:
    return any(map(_WORKS.match, [line for line in lines if line.strip()][-_MOST_FOOTERS:]))


def _without_bar(line: str) -> str:
    """The line of a conversation without the bar at its end, which one that is longer than the screen has."""
    shown = line.rstrip()
    return shown[:-1].rstrip() if shown.endswith(("┃", "█")) else shown


def _said_last(lines: Sequence[str]) -> tuple[str, str]:
    """The mark and the words of the last piece of the conversation above the prompt."""
    at = _prompt_at(lines)
    above = [_without_bar(line) for line in lines[: (at or 1) - 1]]
    begin = next((index for index in range(len(above) - 1, -1, -1) if _SAID.match(above[index])), None)
    found = None if begin is None else _SAID.match(above[begin])
    if begin is None or found is None:
        return "", ""
    rest = [line for line in above[begin + 1 :] if line.startswith(_TOOLS)]
    return found[1], one_line(" ".join([found[2], *(line.strip() for line in rest)]), 1000)


def _permission_dialog(lines: Sequence[str]) -> _Dialog | None:
    """The dialog about a permission at the end of the screen; None when it is another one, or there is none."""
    if dialog(lines) is None:
        return None
    options = [(at, found) for at, line in enumerate(lines) if (found := _OPTION.match(line))]
    first = max((at for at, found in options if found[2] == "1" and found[1]), default=None)
    if first is None:
        return None
    labels = [found[3].strip("│ ") for at, found in options if at >= first]
    bare = [line.strip("│ ") for line in lines]
    asks = next((at for at in range(first - 1, -1, -1) if bare[at]), None)
    if labels[0] != _YES or labels[-1] != _NO or asks is None:
        return None
    begin = next((at + 1 for at in range(asks, -1, -1) if not bare[at]), 0)
    return _Dialog(" ".join(bare[begin : asks + 1]), lines[:begin])


def _shows(asks: _Dialog, question: Asked) -> bool:
    """Whether a dialog is about this question: the whole command, or the file.

    Of a command that does not fit it shows the end: the caller checks that no other question ends so.
    """
    if question.tool == SHELL and asks.question == _RUNS:
        return _shows_command(asks.above, text_at(question.subject, "command"))
    if question.tool == EDIT:
        path = text_at(question.subject, "file_path")
        return bool(path) and flat(asks.question) in {flat(f"{words}{path}?") for words in _CHANGES}
    return False


def _shows_command(above: Sequence[str], command: str) -> bool:
    bottom = next((at for at in range(len(above) - 1, -1, -1) if _BOX_BOTTOM.match(above[at])), None)
    if bottom is None:
        return False
    top = next((at for at in range(bottom - 1, -1, -1) if _BOX_TOP.match(above[at])), None)
    rows = [_ROW.match(line) for line in above[top or 0 : bottom]]
    shown = flat("".join(row[1] for row in rows if row is not None))
    if not shown:
        return False
    return flat(command) == shown if top is not None else flat(command).endswith(shown)
