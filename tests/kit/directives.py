r"""What an agent answers is said by its prompt: one language for the stub of the API and for the stand-in. No IO.

`hello`               text `echo: hello`
`!bash CMD`           the tool Bash with that command; after its result the text `tool said: …`
`!tool NAME JSON`     the tool NAME with that input; then the same
`!sleep N [TEXT]`     N seconds before the first byte, then the echo
`!slow N [TEXT]`      the echo in ten pieces, spread over N seconds
`!long N`             N lines: `line 1` to `line N`
`!half N`             the same, of which the second half comes once the stub is told so
`!say TEXT`           that text, with a new line for each `\n`
`!think TEXT`         a thinking block, then the echo
`!history`            `history: n=K | first | second …`: the person's texts so far, so that a test sees what was resumed
`!error CODE`         the API fails with this HTTP status
`!limit [N]`          the rate limit of a subscription is reached; it resets in N seconds (3600)
`!first CODE [N]`     the API fails with this status the first time that this is said, then comes the echo; with N the
                      limit of a subscription is reached, which resets in N seconds

A full-screen program takes a leading `!` for itself, so `%` works in its place. The prompts of `provider test` are
obeyed, as a model does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Block = dict[str, Any]
"""A content block as the Messages API has it; a tool call still without its id."""

HISTORY_WIDTH = 60
"""Characters of each text that `!history` tells."""


class Reply(NamedTuple):
    """What comes back for one request."""

    blocks: Sequence[Block] = ()
    delay: float = 0.0
    """Seconds before the first byte."""
    spread: float = 0.0
    """Seconds over which the text is streamed."""
    error: int = 0
    """HTTP status instead of an answer; 0 = none."""
    halts: bool = False
    """Half of it is streamed, and the rest once a test says so."""
    resets_in: int = 0
    """With `error`: seconds until the rate limit resets; 0 = no such limit."""

    @property
    def stop(self) -> str:
        """The API's reason for the end of the message."""
        return "tool_use" if any(block["type"] == "tool_use" for block in self.blocks) else "end_turn"


class ToolResult(NamedTuple):
    """What a tool said to the model."""

    text: str
    is_error: bool = False


def text(words: str) -> Block:
    """Return a text block."""
    return {"type": "text", "text": words}


def tool_use(name: str, arguments: Mapping[str, Any]) -> Block:
    """Return a tool call without its id."""
    return {"type": "tool_use", "name": name, "input": dict(arguments)}


def split(prompt: str) -> tuple[str, str]:
    """Return the directive of a prompt and the rest of its text; no directive: "" and the prompt."""
    word, _, rest = prompt.partition(" ")
    if word[:1] not in {"!", "%"}:
        return "", prompt
    return "!" + word[1:], rest.strip()


def reply(texts: Sequence[str], results: Sequence[ToolResult] = (), *, tools: bool = True) -> Reply:
    """What the model says now.

    Args:
        texts: The person's texts, oldest first; the last one is answered.
        results: What tools said since; they are reported instead.
        tools: Whether the request offers any.
    """
    if results:
        said = "; ".join(("error: " if result.is_error else "") + result.text for result in results)
        return Reply([text("tool said: " + said)])
    prompt = texts[-1] if texts else ""
    word, rest = split(obeyed(prompt, texts))
    if word in TOOLS and not tools:
        return _echo(prompt)
    answer = TABLE.get(word)
    return answer(rest, texts) if answer else _echo(prompt)


def obeyed(prompt: str, texts: Sequence[str]) -> str:
    """Return the directive for a prompt of `provider test`, any other prompt as it is."""
    for order, directive in _ORDERS:
        if found := order.fullmatch(prompt):
            return directive.format(*found.groups())
    if prompt.startswith("Reply with the word that you were to remember"):
        told = [found[1] for words in texts if (found := _TOLD.fullmatch(words))]
        return f"!say {told[-1] if told else 'no word'}"
    return prompt


_TOLD = re.compile(r"Remember this word, .*: (\w+)")
_ORDERS = (
    (re.compile(r"Reply with this one word .*: (\w+)"), "!say {}"),
    (re.compile(r"Use your shell tool once, .* The command: (.+)"), "!bash {}"),
    (_TOLD, "!say OK"),
)


def _echo(words: str) -> Reply:
    return Reply([text("echo: " + words)])


def _bash(rest: str, _: Sequence[str]) -> Reply:
    call = tool_use("Bash", {"command": rest, "description": "stub command"})
    return Reply([text("running: " + rest), call])


def _tool(rest: str, _: Sequence[str]) -> Reply:
    name, _, arguments = rest.partition(" ")
    return Reply([tool_use(name, json.loads(arguments or "{}"))])


def _sleep(rest: str, texts: Sequence[str]) -> Reply:
    seconds, _, words = rest.partition(" ")
    return _echo(words or texts[-1])._replace(delay=float(seconds or 1))


def _slow(rest: str, texts: Sequence[str]) -> Reply:
    seconds, _, words = rest.partition(" ")
    return _echo(words or texts[-1])._replace(spread=float(seconds or 1))


def _long(rest: str, _: Sequence[str]) -> Reply:
    return Reply([text("\n".join(f"line {number}" for number in range(1, int(rest or 50) + 1)))])


def _say(rest: str, _: Sequence[str]) -> Reply:
    return Reply([text(rest.replace("\\n", "\n"))])


def _half(rest: str, texts: Sequence[str]) -> Reply:
    return _long(rest, texts)._replace(halts=True)


def _think(rest: str, texts: Sequence[str]) -> Reply:
    thought = {"type": "thinking", "thinking": "thinking about " + rest, "signature": "stub"}
    return Reply([thought, *_echo(texts[-1]).blocks])


def _history(_: str, texts: Sequence[str]) -> Reply:
    told = " | ".join(words[:HISTORY_WIDTH] for words in texts)
    return Reply([text(f"history: n={len(texts)} | {told}")])


def _error(rest: str, _: Sequence[str]) -> Reply:
    return Reply(error=int(rest.split(maxsplit=1)[0]))


def _limit(rest: str, _: Sequence[str]) -> Reply:
    return Reply(error=429, resets_in=int(rest or 3600))


def _first(rest: str, texts: Sequence[str]) -> Reply:
    if texts.count(texts[-1]) > 1:
        return _echo(texts[-1])
    code, *seconds = rest.split()
    return Reply(error=int(code), resets_in=int(seconds[0]) if seconds else 0)


TOOLS = frozenset({"!bash", "!tool"})
TABLE: Mapping[str, Callable[[str, Sequence[str]], Reply]] = {
    "!bash": _bash,
    "!tool": _tool,
    "!sleep": _sleep,
    "!slow": _slow,
    "!long": _long,
    "!half": _half,
    "!say": _say,
    "!think": _think,
    "!history": _history,
    "!error": _error,
    "!limit": _limit,
    "!first": _first,
}
