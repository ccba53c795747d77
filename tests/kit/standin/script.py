"""What the stand-in answers beyond the directives: questions, and what no decent program does.

`!ask TOOL JSON`    the tool, and always a question about it
`!question [JSON]`  a question with options (AskUserQuestion)
`!plan [TEXT]`      a plan to be approved (ExitPlanMode)
`!huge BYTES`       an answer of that many bytes in one line
`!garbage`          lines that are no JSON, or not even text, and then the echo
`!crash`            kill -9 of itself in the middle of a line
`!exit CODE`        an end without a result

The file that STAND_IN_LINES names says more: JSON, for each text of a person what is answered to it, and then to what
its tool said. An answer is a directive or a text, or a list of both, the tool last.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence

from tests.kit import directives
from tests.kit.directives import Reply, ToolResult

QUESTION = {
    "questions": [
        {
            "question": "Which color?",
            "header": "Color",
            "options": [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}],
            "multiSelect": False,
        }
    ]
}
GARBAGE = (
    b"Warning: this line is no JSON\n",
    b"\xff\xfe\x00\x80 neither is this one text\n",
    b'{"type":"assistant","message":\n',
    b"[1,2,3]\n",
    b"null\n",
    b'{"type":"of_the_future","subtype":{"nested":true}}\n',
    b"\n",
)

LINES = "STAND_IN_LINES"

Write = Callable[[bytes], None]


def reply(texts: Sequence[str], results: Sequence[ToolResult]) -> Reply:
    """What the model says now; as `directives.reply`."""
    if answers := _lines().get(texts[-1]):
        answer = answers[min(len(answers) - 1, int(bool(results)))]
        replies = [_said(line) for line in ([answer] if isinstance(answer, str) else answer)]
        return replies[-1]._replace(blocks=[block for one in replies for block in one.blocks])
    word, rest = directives.split(texts[-1])
    if word in TABLE and not results:
        return TABLE[word](rest)
    return directives.reply(texts, results)


def always_asks(texts: Sequence[str]) -> bool:
    """Whether the tool that is called now needs a yes, whatever the rules say."""
    return directives.split(texts[-1])[0] == "!ask"


def _lines() -> Mapping[str, Sequence[str | Sequence[str]]]:
    path = os.environ.get(LINES)
    if not path:
        return {}
    with open(path, encoding="utf-8") as file:
        lines: Mapping[str, Sequence[str | Sequence[str]]] = json.load(file)
    return lines


def _said(line: str) -> Reply:
    word, rest = directives.split(line)
    if not word:
        return Reply([directives.text(line)])
    if word == "!bash":  # here it speaks for itself
        command, _, description = rest.partition("  # ")
        return Reply([directives.tool_use("Bash", {"command": command, "description": description or "a command"})])
    return TABLE[word](rest) if word in TABLE else directives.reply([line])


def misbehave(prompt: str, write: Write) -> None:
    """Do what `prompt` asks for beside an answer, if anything.

    Args:
        prompt: The text that is answered.
        write: Puts bytes where the answer goes.
    """
    word, rest = directives.split(prompt)
    if word in MISBEHAVIOUR:
        MISBEHAVIOUR[word](rest, write)


def _ask(rest: str) -> Reply:
    tool, _, arguments = rest.partition(" ")
    return Reply([directives.tool_use(tool, json.loads(arguments or "{}"))])


def _question(rest: str) -> Reply:
    return Reply([directives.tool_use("AskUserQuestion", json.loads(rest) if rest else QUESTION)])


def _plan(rest: str) -> Reply:
    return Reply([directives.tool_use("ExitPlanMode", {"plan": rest or "1. Look\n2. Do it"})])


def _huge(rest: str) -> Reply:
    return Reply([directives.text("x" * int(rest))])


def _garbage(_: str, write: Write) -> None:
    for line in GARBAGE:
        write(line)


def _crash(_: str, write: Write) -> None:
    write(b'{"type":"assistant","message":{"id":"msg_cut","content":[{"type":"text","text":"half a l')
    os.kill(os.getpid(), signal.SIGKILL)


def _exit(rest: str, _: Write) -> None:
    os._exit(int(rest))


TABLE: Mapping[str, Callable[[str], Reply]] = {
    "!ask": _ask,
    "!question": _question,
    "!plan": _plan,
    "!huge": _huge,
}
MISBEHAVIOUR: Mapping[str, Callable[[str, Write], None]] = {
    "!garbage": _garbage,
    "!crash": _crash,
    "!exit": _exit,
}
