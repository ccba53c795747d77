"""Screen rules of a `claude` on a terminal: what screen and window title show, and how a message is typed into it.

Tables of what its versions print. A dialog that comes before any hook can run (trust, key, theme, login) is known by
its sentences; a question by its numbered options, and by what it is about standing right above them. Nothing is ever
answered on a guess.

Typing was found by experiment with 2.1.328. A paste of more than 800 UTF-16 units or of more than three lines is handed
on between tags, `<pasted_content>`. A text that begins with `/` and a name is a command of the program's own, whatever
blanks and invisible characters stand before it, and one that begins with `!` is run by a shell; both also when they are
pasted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from unicodedata import category

from overmind_core.domain.agents.agent import AgentNeed
from overmind_core.domain.agents.agent_events import AgentFact, Asked, Behaviour, Decision, TurnBegan, TurnEnded
from overmind_core.providers.claude.stream import QUESTION_TOOL
from overmind_core.providers.lines import objects_at, text_at

WORKS = frozenset("◐◑◒◓⠂⠐⠁⠈⠠⠄✶✻✽✢·")
"""First characters of the title while a turn is under way."""
RESTS = "✳"
"""Its first character otherwise, also while a question is open."""


class KnownDialog(NamedTuple):
    """A dialog of the program's own.

    Args:
        name: How it is called in events.
        since: The version in which it was seen with these words.
        words: What stands on the screen, all of it.
        summary: What a person reads.
    """

    name: str
    since: str
    words: tuple[str, ...]
    summary: str


DIALOGS: tuple[KnownDialog, ...] = (
    KnownDialog("trust", "2.1.328", ("Accessing workspace:", "Yes, I trust this folder"), "trust this folder?"),
    KnownDialog("trust", "2.0", ("Do you trust the files in this folder?",), "trust this folder?"),
    KnownDialog(
        "key", "2.1.328", ("Detected a custom API key in your environment",), "use the API key of the environment?"
    ),
    KnownDialog("theme", "2.1.328", ("Choose the text style that looks best",), "choose a text style"),
    KnownDialog("login", "2.1.328", ("Select login method",), "log in"),
    KnownDialog("login", "2.1.328", ("Paste code here if prompted",), "log in"),
    KnownDialog("network", "2.1.328", ("Unable to connect to Anthropic services",), "can't connect to Anthropic"),
    KnownDialog(
        "bypass", "2.1.328", ("running in Bypass Permissions mode", "Yes, I accept"), "skip all permission checks?"
    ),
    KnownDialog("mode", "2.1.328", ("Make auto mode your default permission mode?",), "make auto mode the default?"),
    KnownDialog("mcp", "2.1.328", ("New MCP server found in this project",), "use this project's MCP server?"),
    KnownDialog("imports", "2.1.328", ("Allow external CLAUDE.md file imports?",), "read files outside this folder?"),
    KnownDialog("settings", "2.1.328", ("Settings Error",), "the settings have errors"),
    KnownDialog("resume", "2.1.328", ("Resume from summary", "Resume full session"), "resume from a summary?"),
)
"""Dialogs that only a person can answer."""

UNDER_WAY = "esc to interrupt"
"""Stands below the prompt during a turn."""
INTERRUPTED = "Interrupted ·"
"""Stands behind a turn that a person has ended, until something is said again."""
PLACEHOLDERS = ('Try "', "Resend your message")
"""What the empty prompt shows by itself."""

PLAIN_YES = re.compile(r"Yes\.?|Yes, (and )?manually approve edits|Yes, and switch to default .*")
"""Options that allow this once and change nothing else."""
NO = re.compile(r"No\b.*")
"""Options that deny."""

CURSOR = "\u276f"
"""Stands before the prompt, and before the chosen option."""

_OPTION = re.compile(rf"^\s*[{CURSOR}>]?\s*(\d)\.\s+(.*\S)\s*$")
_PROMPT = re.compile(rf"^\s*{CURSOR}[\s\u00a0]*(.*)$")
_RULE = re.compile(r"^\s*[─▔╌]{8,}")
_CUT = re.compile(r"^\s*─+ ↑ \d+ more ─{8,}")
"""Stands above a prompt that holds more than fits."""
_NO_TEXT = re.compile(rf"[\s\u00a0│{CURSOR}]+")
_SHORTEST = 4
"""Characters of a subject that tell it from another."""
_BELOW = 6
"""Lines that are not empty from the end of the conversation on: it, a hint, the prompt between its rules, a hint."""
_FURTHEST = 60
"""Lines above its options in which a question's subject stands."""


def title(shown: str) -> Sequence[AgentFact]:
    """What the window title means."""
    mark, _, name = shown.partition(" ")
    if mark == RESTS:
        return (TurnEnded(None),)
    return (TurnBegan(),) if name and mark in WORKS else ()


def dialog(lines: Sequence[str]) -> Asked | None:
    """The dialog of the program's own on the screen; None when there is none."""
    screen = "\n".join(lines)
    flat = _flat(screen)
    for known in DIALOGS:
        if all(_flat(word) in flat for word in known.words):
            subject = {"dialog": known.name, "text": "\n".join(line.rstrip() for line in lines).strip("\n")}
            return Asked(known.name, AgentNeed.SETUP, "", known.summary, subject)
    return None


def is_idle(lines: Iterable[str]) -> bool:
    """Whether no turn is under way and no dialog open: the prompt is there, whatever was typed into it."""
    return _typed(list(lines)) is not None


def is_ready(lines: Iterable[str]) -> bool:
    """Whether what is typed now becomes a message of its own."""
    typed = _typed(list(lines))
    return typed is not None and _is_empty(typed)


def draft(lines: Iterable[str]) -> str:
    """What was typed into the prompt and not sent."""
    typed = _typed(list(lines))
    return "" if typed is None or _is_empty(typed) else typed


def was_interrupted(lines: Sequence[str]) -> bool:
    """Whether a person has ended the turn: it says so, or has put the text back into the prompt."""
    typed = _typed(lines)
    if typed is None:
        return False
    end = [line for line in lines if line.strip()][-_BELOW:]
    return not _is_empty(typed) or any(INTERRUPTED in line for line in end)


def keys_for(lines: Sequence[str], question: Asked, decision: Decision) -> bytes | None:
    """The number of the option that means `decision`, while the screen shows `question`."""
    shown = _options(lines)
    if not shown or not _shows(lines[: shown[0].line], question):
        return None
    wanted = _choice(shown, question, decision)
    return wanted.key.encode() if wanted is not None else None


class _Option(NamedTuple):
    line: int
    key: str
    label: str


def _typed(lines: Sequence[str]) -> str | None:
    """What stands in the prompt between its two rules; None when it is not there, or a turn is under way."""
    for at in range(len(lines) - 1, 0, -1):
        first = _first_typed(lines[at - 1], lines[at])
        if first is None:
            continue
        end = next((below for below in range(at + 1, len(lines)) if _RULE.match(lines[below])), None)
        if end is None:  # of a list of completions below the prompt
            continue
        if any(UNDER_WAY in line for line in lines[end:]):
            return None
        return " ".join([first, *lines[at + 1 : end]]).strip()
    return None


def _first_typed(above: str, line: str) -> str | None:
    """What stands in the first line of the prompt, where `line` below `above` is that line."""
    if _CUT.match(above):
        return line
    found = _PROMPT.match(line)
    return None if found is None or not _RULE.match(above) or _OPTION.match(line) else found[1]


def _is_empty(typed: str) -> bool:
    return not typed or typed.startswith(PLACEHOLDERS)


def _options(lines: Sequence[str]) -> list[_Option]:
    """The numbered options at the bottom of the screen, from 1 on."""
    found = [_Option(at, match[1], match[2]) for at, line in enumerate(lines) if (match := _OPTION.match(line))]
    begin = max((at for at, option in enumerate(found) if option.key == "1"), default=None)
    if begin is None or is_idle(lines):
        return []
    shown = found[begin:]
    return shown if [option.key for option in shown] == [str(at + 1) for at in range(len(shown))] else []


def _shows(above: Sequence[str], question: Asked) -> bool:
    """Whether all that the question is about stands above the options."""
    screen = _flat("".join(above[-_FURTHEST:]))
    subjects = [_flat(subject) for subject in _subjects(question)]
    return bool(subjects) and all(len(subject) >= _SHORTEST and subject in screen for subject in subjects)


def _subjects(question: Asked) -> list[str]:
    """What the dialog must show, by tool; none: it can't be told."""
    given = question.subject
    if question.tool == QUESTION_TOOL:
        return [text_at(asked, "question") for asked in objects_at(given, "questions")]
    if question.need is AgentNeed.PLAN:
        return ["plan mode?"]
    fields = {"Bash": "command", "WebFetch": "url"}
    if question.tool in fields:
        return [text_at(given, fields[question.tool])]
    path = text_at(given, "file_path") or text_at(given, "notebook_path")
    return [path.rpartition("/")[2]] if path else []


def _choice(shown: Sequence[_Option], question: Asked, decision: Decision) -> _Option | None:
    if question.need is AgentNeed.QUESTION:
        return _label(shown, question, decision)
    pattern = NO if decision.behaviour is Behaviour.DENY else PLAIN_YES
    return next((option for option in shown if pattern.fullmatch(option.label)), None)


def _label(shown: Sequence[_Option], question: Asked, decision: Decision) -> _Option | None:
    """Of a single question with a single choice; more takes more than one key."""
    questions = objects_at(question.subject, "questions")
    if len(questions) != 1 or questions[0].get("multiSelect") is True or len(decision.chosen) != 1:
        return None
    return next((option for option in shown if (option.label,) == decision.chosen[0]), None)


def _flat(text: str) -> str:
    """Without what wrapping adds."""
    return _NO_TEXT.sub("", text)


LONGEST = 799
"""UTF-16 units of a piece; one is left for the blank at the end."""
LINE_ENDS = 2
"""The same in line ends."""
MAX_PIECES = 64
"""The program draws its prompt anew for each: beyond this, which takes seconds, the tags are the lesser evil."""
BLOCK = "\n" * 4
"""Behind a text it makes a paste of many lines of it, which is never taken for a command or for an empty prompt."""
BLANK = " "
"""Before a text it keeps `!` from the shell. Behind one the program drops it; it keeps a backslash at the end from
making a line end of Enter, and a list of completions from opening."""
_FILLERS = "\u115f\u1160\u3164\uffa0"
"""Letters without a shape."""


def pastes(text: str) -> Sequence[str]:
    """What to paste, piece by piece; then comes Enter."""
    if _is_command(text) or text.lstrip().startswith(PLACEHOLDERS):
        return (text + BLOCK,)
    guarded = BLANK + text if _from_first_visible(text).startswith("!") else text
    pieces = list(_pieces(guarded))
    return (*pieces[:-1], pieces[-1] + BLANK) if len(pieces) <= MAX_PIECES else (guarded,)


def is_argument(text: str) -> bool:
    """Whether it arrives as it is as the first prompt of a command line, where only `/` means something."""
    return not _is_command(text)


def _is_command(text: str) -> bool:
    """Its first word is a slash and a name; with another slash it is a path."""
    seen = _from_first_visible(text)
    return seen.startswith("/") and "/" not in seen.split(maxsplit=1)[0][1:]


def _from_first_visible(text: str) -> str:
    """The text from its first visible character on."""
    begin = next((at for at, one in enumerate(text) if not _is_invisible(one)), len(text))
    return text[begin:]


def _is_invisible(one: str) -> bool:
    """Whether the program does without it."""
    return one.isspace() or not one.isprintable() or category(one).startswith("M") or one in _FILLERS


def _pieces(text: str) -> Iterator[str]:
    begin = units = ends = 0
    for at, one in enumerate(text):
        width = 2 if ord(one) > 0xFFFF else 1  # noqa: PLR2004 - the last character of one UTF-16 unit
        if units + width > LONGEST or (one == "\n" and ends == LINE_ENDS):
            yield text[begin:at]
            begin, units, ends = at, 0, 0
        units += width
        ends += one == "\n"
    yield text[begin:]
