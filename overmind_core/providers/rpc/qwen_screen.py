"""The screen of a `qwen`: its prompt, its dialogs and the keys that answer them, and how a message is entered. Pure.

Found by experiment with 0.24.4, in English, at 100x30 and 80x24.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import Asked, Behaviour, Decision
from overmind_core.domain.agents.permission import FETCH, SHELL
from overmind_core.providers.lines import Object, objects_at, one_line, text_at
from overmind_core.providers.rpc.tools import EDIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_MARKS = (">", "*")
_SHELL_MARK = "!"
"""Before its prompt in place of those: what is typed is run by a shell."""
_RULE = re.compile(r"─{8,}")
_EMPTY = re.compile(r"  Type your message")
"""Behind the mark of an empty prompt; what was typed stands one blank behind it."""
_BAR = re.compile(r"[│█]\s*$")
"""The end of a line of a conversation that is longer than the screen."""
_NO_WIDTH = "\u200b"
"""Stands behind what was typed; before a text it keeps that from being a command."""
_SPINNER = re.compile(r" *[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ")
_STEERS = "Enter to steer"
"""Below the prompt while a turn is under way."""
_FEEDBACK = "How is Qwen doing this session"
"""A question above the prompt that takes the next key."""
_NEAR = 5
"""Lines that are not empty next to the prompt."""
_SAID = re.compile(r" {0,2}\S")
"""The first line of a piece of the conversation."""
_ERROR = "  ✕ "
_REFUSED = re.compile(r"  (?:●\ufe0e? Request cancelled\.|- )")
"""That of a turn that a person has cancelled, and of a tool that they have not allowed."""
_OPTION = re.compile(r"[│ ]*([›❯●])?\s+(\d+)\. (.*)")
_CHOSEN = re.compile(r"[│ ]*[›❯●] \d+\. ")
_DIALOG_LINES = 24
_YES, _NO = "Yes, allow once", "No, suggest changes (esc)"
_SELECTS, _WORDS = "Enter: Select", "Type something..."
_YES_KEY, _NO_KEY = b"1", b"\x1b"
_RUNS, _CHANGES, _PROCEEDS = "Allow execution of: ", "Apply this change?", "Do you want to proceed?"
_HEADER = re.compile(r"  \? (?:WriteFile Writing to|Edit) (.*)")
_COMMAND = " " * 5
"""Before each line of a command in its dialog."""
_HIDDEN = re.compile(r" *\.\.\. last (\d+) lines? hidden \.\.\.")
_URL = re.compile(r" +- (\S+)")
_WARNING = "⚠"
_ELLIPSIS = "..."
_PAGES: Mapping[str, tuple[str, str]] = {
    "trust this folder": ("trust", "trust this folder?"),
    "Connect a Provider": ("login", "log in"),
}
"""Words of a page → its name in events, and its summary."""
_LEAVES = frozenset({"exit", "quit", ":q", ":q!", ":wq", ":wq!"})
"""Words that end it."""
_ASIDE = re.compile(r"[/?]btw(?:\s|$)")
MOST_CHARACTERS, MOST_LINE_ENDS = 1000, 9
"""The longest paste. A line stands in the prompt for a longer one, and its model gets that line from the second on."""
MOST_OPTIONS = 8
"""The most options of a question that a digit answers; one more is for words."""


class _Dialog(NamedTuple):
    """A dialog about a permission: the line that asks, and what stands above it."""

    question: str
    above: Sequence[str]


def dialog(lines: Sequence[str]) -> Asked | None:
    """Return the page of options in the place of its prompt; None: there is none."""
    shown = [_bare(line) for line in lines]
    end = [line for line in shown if line][-_DIALOG_LINES:]
    text = "\n".join(shown).strip("\n")
    known = next((page for words, page in _PAGES.items() if words in text), None)
    if _prompt_at(lines) is not None or not (known or any(map(_CHOSEN.match, end))):
        return None
    asks = next((line.strip() for line in reversed(end) if line.endswith("?")), "a dialog")
    name, summary = known or ("page", f"answer it on its screen: {one_line(asks)}")
    return Asked(name, AgentNeed.SETUP, "", summary, {"dialog": name, "text": text})


def is_idle(lines: Sequence[str]) -> bool:
    """Whether its prompt is there, and nothing says that a turn is under way."""
    return typed(lines) is not None and not _works(lines)


def is_ready(lines: Sequence[str]) -> bool:
    """Whether its prompt is there and empty, and takes the next key."""
    near = [line for line in lines if line.strip()][-_NEAR * 2 :]
    return is_idle(lines) and typed(lines) == "" and not any(_FEEDBACK in line for line in near)


def was_interrupted(lines: Sequence[str]) -> bool:
    """Whether a person has cancelled the turn, or refused a tool, as is said right above the prompt.

    A turn in which nothing was said is taken back instead, and its message put into the prompt.
    """
    at = _prompt_at(lines)
    if at is None or _works(lines):
        return False
    said = next((line for line in reversed(lines[: at - 1]) if _SAID.match(line)), "")
    return _REFUSED.match(said) is not None or (bool(typed(lines)) and not said.startswith(_ERROR))


def keys_for(lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
    """The key of the plain yes or no, while the dialog shows all that the question is about, and nothing else."""
    if question.need is AgentNeed.QUESTION:
        return _key_of_choice(lines, question.subject, decision)
    asks = _permission_dialog(lines)
    if asks is None or not _shows(asks, question):
        return None
    return _NO_KEY if decision.behaviour is Behaviour.DENY else _YES_KEY


def pastes(text: str) -> Sequence[str]:
    """Return what to paste, piece by piece: each too small for a line that stands for it."""
    return [*_pieces(f"{_NO_WIDTH}{text.lstrip()}" if is_command(text) else text.replace("\r\n", "\n"))]


def labels_of(given: Object) -> list[str]:
    """The options of one question with one choice; [] for others."""
    questions = objects_at(given, "questions")
    one = questions[0] if len(questions) == 1 and questions[0].get("multiSelect") is not True else {}
    labels = [text_at(option, "label") for option in objects_at(one, "options")]
    return labels if text_at(one, "question") and all(labels) and len(labels) <= MOST_OPTIONS else []


def is_command(text: str) -> bool:
    """Whether it would be a command of the program's own: its first word is a slash and a name."""
    said = text.strip()
    word = said.split(maxsplit=1)[0] if said else ""
    is_name = word.startswith("/") and not word.startswith(("//", "/*")) and "/" not in word[1:]
    return is_name or said in _LEAVES or _ASIDE.match(said) is not None


def _pieces(text: str) -> Iterator[str]:
    begin = ends = 0
    for at, one in enumerate(text):
        if at - begin == MOST_CHARACTERS or (one == "\n" and ends == MOST_LINE_ENDS):
            yield text[begin:at]
            begin, ends = at, 0
        ends += one == "\n"
    yield text[begin:]


def _bare(line: str) -> str:
    return _BAR.sub("", line.rstrip()).rstrip()


def _prompt_at(lines: Sequence[str]) -> int | None:
    """The line in which the prompt begins, between its two rules; None when it is not on the screen."""
    for at in range(len(lines) - 1, 0, -1):
        is_prompt = lines[at][:2].rstrip() in {*_MARKS, _SHELL_MARK} and _RULE.match(lines[at - 1])
        if is_prompt and any(map(_RULE.match, lines[at + 1 :])):
            return at
    return None


def typed(lines: Sequence[str]) -> str | None:
    """What stands in the prompt; None when that is not on the screen."""
    at = _prompt_at(lines)
    if at is None:
        return None
    end = next(below for below in range(at + 1, len(lines)) if _RULE.match(lines[below]))
    mark = _SHELL_MARK if lines[at].startswith(_SHELL_MARK) else ""
    held = [] if _EMPTY.match(lines[at][2:]) else [lines[at][2:], *lines[at + 1 : end]]
    return mark + " ".join(held).replace(_NO_WIDTH, "").strip()


def _works(lines: Sequence[str]) -> bool:
    """Whether a turn is under way, or it has not begun yet, as the lines next to its prompt tell."""
    at = _prompt_at(lines)
    if at is None:
        return True
    above = [line for line in lines[:at] if line.strip()][-_NEAR:]
    below = [line for line in lines[at + 1 :] if line.strip()]
    return any(_STEERS in line for line in below) or any(map(_SPINNER.match, (*above, *below)))


def _permission_dialog(lines: Sequence[str]) -> _Dialog | None:
    """The dialog about a permission at the end of the screen; None when it is another one, or there is none."""
    shown = [_bare(line) for line in lines]
    options = [(at, found) for at, line in enumerate(shown) if (found := _OPTION.match(line))]
    first = max((at for at, found in options if found[2] == "1" and found[1]), default=None)
    if first is None or _prompt_at(lines) is not None:
        return None
    labels = [found[3].strip() for at, found in options if at >= first]
    asks = next((at for at in range(first - 1, -1, -1) if shown[at]), None)
    if labels[0] != _YES or labels[-1] != _NO or asks is None:
        return None
    return _Dialog(shown[asks].strip(), shown[:asks])


def _key_of_choice(lines: Sequence[str], given: Object, decision: Decision) -> bytes | None:
    """The digit of the option that was chosen, while its question is shown with all its options, and one for words."""
    shown = [_bare(line) for line in lines]
    end = [line for line in shown if line][-_NEAR:]
    options = [(at, found) for at, line in enumerate(shown) if (found := _OPTION.match(line))]
    first = max((at for at, found in options if found[2] == "1"), default=None)
    if first is None or _prompt_at(lines) is not None or not any(_SELECTS in line for line in end):
        return None
    above, labels = flat("".join(shown[:first])), labels_of(given)
    asked = flat("".join(text_at(one, "question") for one in objects_at(given, "questions")))
    is_shown = [found[3].strip() for at, found in options if at >= first] == [*labels, _WORDS]
    if not labels or not is_shown or not above.endswith(asked):
        return None
    if decision.behaviour is Behaviour.DENY:
        return _NO_KEY
    chosen = decision.chosen[0] if len(decision.chosen) == 1 else ()
    return str(labels.index(chosen[0]) + 1).encode() if len(chosen) == 1 and chosen[0] in labels else None


def _shows(asks: _Dialog, question: Asked) -> bool:
    """Whether a dialog is about this question: the whole command, the file or the address.

    Of a command that does not fit it shows the beginning: the caller checks that no other question begins so.
    """
    given = question.subject
    if question.tool == SHELL and asks.question.startswith(_RUNS):
        return _shows_command(asks.above, text_at(given, "command"))
    if question.tool == EDIT and asks.question == _CHANGES:
        header = next((found for line in reversed(asks.above) if (found := _HEADER.match(line))), None)
        path = "" if header is None else header[1].removesuffix("←").strip().rpartition(_ELLIPSIS)[2]
        return len(path) > 1 and f"/{text_at(given, 'file_path')}".endswith(path if path[0] == "/" else f"/{path}")
    if question.tool == FETCH and asks.question == _PROCEEDS:
        above = asks.above[max((at for at, line in enumerate(asks.above) if "URLs to fetch:" in line), default=0) :]
        return [found[1] for line in above if (found := _URL.match(line))] == [text_at(given, "url")]
    return False


def _shows_command(above: Sequence[str], command: str) -> bool:
    body: list[str] = []
    rest = [*above]
    while rest and (not rest[-1] or rest[-1].startswith(_COMMAND)):
        body.insert(0, rest.pop())
    while body and not body[0]:
        body.pop(0)
    if body and body[0].strip().startswith(_WARNING):
        body = body[body.index("") :] if "" in body else []
    hidden = next(((at, int(found[1])) for at, line in enumerate(body) if (found := _HIDDEN.match(line))), None)
    shown = flat("".join(body if hidden is None else body[: hidden[0]]))
    if not rest or not shown:  # its beginning is above the screen
        return False
    if hidden is None:
        return shown == flat(command)
    return hidden[1] <= command.count("\n") + len(command) and flat(command).startswith(shown)


def flat(text: str) -> str:
    """Without what wrapping adds."""
    return "".join(text.split())
