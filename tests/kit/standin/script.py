"""What the stand-in answers beyond the directives: questions, and what no decent program does.

`!ask TOOL JSON`    the tool, and always a question about it
`!question [JSON]`  a question with options (AskUserQuestion)
`!plan [TEXT]`      a plan to be approved (ExitPlanMode)
`!huge BYTES`       an answer of that many bytes in one line
`!garbage`          lines that are no JSON, or not even text, and then the echo
`!crash`            kill -9 of itself in the middle of a line
`!exit CODE`        an end without a result
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

Write = Callable[[bytes], None]


def reply(texts: Sequence[str], results: Sequence[ToolResult]) -> Reply:
    """What the model says now; as `directives.reply`."""
    word, rest = directives.split(texts[-1])
    if word in TABLE and not results:
        return TABLE[word](rest)
    return directives.reply(texts, results)


def always_asks(texts: Sequence[str]) -> bool:
    """Whether the tool that is called now needs a yes, whatever the rules say."""
    return directives.split(texts[-1])[0] == "!ask"


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
