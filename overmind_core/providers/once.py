"""A person's own program that takes one prompt, prints its answer, and ends: a task, and nothing else. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from overmind_core.domain.agents.agent import ONCE, Agent, AgentMode
from overmind_core.domain.agents.agent_events import (
    AgentFact,
    Asked,
    Decision,
    RunVerdict,
    TextSpoken,
    TurnEnded,
    TurnResult,
)
from overmind_core.domain.agents.argument_places import CWD, MODEL, PROMPT, SYSTEM, filled, has_place, missing
from overmind_core.domain.text.bytestrings import typed_bytes
from overmind_core.domain.text.cells import display_safe
from overmind_core.providers.base import EachLine, Launch, TokensTold, WithoutRecords
from overmind_core.providers.lines import one_line, plain_text, read_object
from overmind_core.providers.raw import PlainRenderer

if TYPE_CHECKING:
    from overmind_core.providers.base import Connection, ConnectionRequest, LaunchRequest, Renderer
    from overmind_core.providers.lines import Object

LONGEST_WORD = 124 * 1024
"""Bytes of one argument; Linux takes 128 KiB (`MAX_ARG_STRLEN`), and a folder may stand beside the prompt."""
LONGEST_REASON = 160
"""Characters of what a program that failed has said."""
MOST_LINES = 10_000
"""Lines in which an answer is looked for, from the last one back, of those that hold its key."""
MOST_TOLD, FAR = 1000, 4096
"""Lines of which each is told while it works; from then on one in so many bytes, for what is told takes time."""
_STYLE = re.compile(r"\x1b\[[0-9;:]*m")
_OPTIONS: Mapping[str, tuple[str | None, Callable[[Agent], object]]] = {
    "--model": (MODEL, lambda agent: agent.model),
    "--system-prompt": (SYSTEM, lambda agent: agent.system_prompt),
    "--append-system-prompt": (None, lambda agent: agent.append_system_prompt),
    "--permission-mode": (None, lambda agent: agent.permission_mode),
    "--allow": (None, lambda agent: agent.allow),
    "--deny": (None, lambda agent: agent.deny),
    "--allowed-tools": (None, lambda agent: agent.allowed_tools),
    "--disallowed-tools": (None, lambda agent: agent.disallowed_tools),
    "--mcp-config": (None, lambda agent: agent.mcp_config),
    "--max-turns": (None, lambda agent: agent.max_turns),
    "--max-cost": (None, lambda agent: agent.max_cost),
}
"""Option of `overmind run` → the place in the arguments that takes it (None: there is none), and what is given."""
_OPTION_OF = {MODEL: "--model", SYSTEM: "--system-prompt"}


class Once(WithoutRecords):
    """One such program: its lines are its answer, or hold it; it asks nothing, and tells no cost."""

    program = ""
    install = ""
    log_in = ""
    tested = ""
    transport = ONCE
    asks = False
    reports = False
    serves = False
    modes = frozenset({AgentMode.ONE_SHOT})
    speaks_json = True
    opens = False
    opening_seconds = 0.0
    forks = forks_at = False
    tells_cost = False
    tokens = TokensTold.NOTHING
    words_at = 0
    reads_reasons = False

    def __init__(self, name: str) -> None:
        self.name = name

    def refuse(self, agent: Agent) -> str | None:
        """Name options that its arguments have no place for, places that nothing fills, and texts that are too long.

        Of an agent without a program nobody knows the arguments yet: so is that of a blueprint.
        """
        words, values = agent.program_arguments, _values(agent, "/")
        problems = list(self._unplaced(agent))
        problems += [
            f"{self.name} needs {_OPTION_OF[name]}: its args in config.toml have {{{name}}}"
            for name in missing(words, values)
            if name in _OPTION_OF
        ]
        longest = max((len(typed_bytes(word)) for word in filled(words, values)), default=0)
        if longest > LONGEST_WORD:
            table = f"[providers.{self.name.partition(':')[2]}]"
            how = f'give it on standard input: prompt = "stdin" in {table} of config.toml'
            limit = f"{LONGEST_WORD // 1024} KB are the limit of one argument"
            problems.append(f"an argument of {self.name} would have {longest // 1024} KB, and {limit}; {how}")
        return "; ".join(problems) or None

    def _unplaced(self, agent: Agent) -> Iterator[str]:
        for option, (place, given) in _OPTIONS.items():
            if not given(agent):
                continue
            if place is None:
                yield f"{option} is not possible with {self.name}"
            elif agent.program and not has_place(agent.program_arguments, place):
                yield f"{option} is not possible with {self.name}: its args in config.toml have no {{{place}?}}"

    def refuse_notes(self, agent: Agent) -> str:
        """Nothing of it is known that could take them."""
        del agent
        return f"{self.name} takes no notes"

    def launch(self, start: LaunchRequest) -> Launch:
        """Its arguments, filled; its input ends at once, or behind the prompt."""
        agent = start.agent
        words = filled(agent.program_arguments, _values(agent, start.cwd))
        prompt = typed_bytes(agent.prompt or "")
        if not prompt.endswith(b"\n"):
            prompt += b"\n"
        is_argument = has_place(agent.program_arguments, PROMPT)
        argv = (agent.program, *words, *agent.arguments)
        return Launch(argv=argv, stdin=None if is_argument else prompt, end_input=True)

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        """A line by itself, or the result as it was stored."""
        found = read_object(line)
        if isinstance(found, dict) and found.keys() == {"result"} and isinstance(found["result"], str):
            return (TurnEnded(TurnResult(ok=True, text=found["result"], raw=found)),)
        return (TextSpoken(plain_text(line)),)

    def connect(self, request: ConnectionRequest) -> Connection:
        """Return the one that hears one run."""
        return _Heard(request.agent.answer)

    def listener(self) -> Connection:
        """Return one that takes each line as it is."""
        return _Heard("")

    def renderer(self) -> Renderer:
        """Lines as they are."""
        return PlainRenderer()

    def whole_answer(self, agent: Agent, output: bytes) -> TurnResult | None:
        """Return the answer in all that a run has printed that went well; None: it is not there."""
        if not agent.answer:
            answer: str | None = plain_text(output).rstrip("\r\n")
        else:
            lines = (*_lines_with(agent.answer, output), output)  # or it is one object over many lines
            answer = next((text for line in lines if (text := _text_in(line, agent.answer)) is not None), None)
        return None if answer is None else TurnResult(ok=True, text=answer, raw={"result": answer})

    def verdict(self, code: int, last: TurnResult | None, errors: str, *, mode: AgentMode, resumed: bool) -> RunVerdict:
        """The verdict by its exit code; the last line of its errors says why."""
        del mode, resumed
        if code == 0:
            return RunVerdict(failed=True, reason="no_result") if last is None else RunVerdict(failed=False)
        lines = [line.strip() for line in _STYLE.sub("", errors).splitlines()]
        said = next((line for line in reversed(lines) if line), "")
        if not said or code < 0:
            return RunVerdict(failed=True)
        return RunVerdict(failed=True, reason=f"it said: {display_safe(one_line(said, LONGEST_REASON))}")


class _Heard(EachLine):
    """Hears one run: what it says while it works. All that it says together is its answer."""

    def __init__(self, answer: str) -> None:
        self._answer = answer
        self._has_key = re.compile(_as_written(answer)).search
        self._told = self._passed = 0

    def parse(self, line: bytes) -> Sequence[AgentFact]:
        self._passed += len(line) + 1
        text: str | None = None
        if self._told < MOST_TOLD or self._passed >= FAR:
            if not self._answer:
                text = plain_text(line)
            elif self._has_key(line):
                text = _text_in(line, self._answer)
        if text is None:
            return ()
        self._told, self._passed = self._told + 1, 0
        return (TextSpoken(text),)

    def message(self, text: str, uuid: str) -> bytes:
        del text, uuid
        return b""

    def interrupt(self, request: str, asked: Sequence[Asked]) -> bytes:
        del request, asked
        return b""

    def answer(self, question: Asked, decision: Decision) -> bytes:
        del question, decision
        return b""


def _values(agent: Agent, cwd: str) -> Mapping[str, str | None]:
    return {PROMPT: agent.prompt, MODEL: agent.model, SYSTEM: agent.system_prompt, CWD: cwd}


def _lines_with(key: str, output: bytes) -> Sequence[bytes]:
    """The lines that may be objects with the last name of a dotted key, the last one first.

    Nothing else is read again: output may have millions of lines.
    """
    found = re.findall(rb"(?m)^[ \t\r]*\{.*(?:%s).*$" % _as_written(key), output)
    return found[: -MOST_LINES - 1 : -1]


def _as_written(key: str) -> bytes:
    """A pattern of the last name of a dotted key in JSON, which may have its characters beyond ASCII escaped."""
    name = key.rpartition(".")[2]
    written = {json.dumps(name, ensure_ascii=is_ascii)[1:-1].encode() for is_ascii in (True, False)}
    return b"|".join(map(re.escape, written))


def _text_in(line: bytes, key: str) -> str | None:
    """The value under a dotted key in a line of JSON, as text; None: it is not there."""
    found: Object | str | Any = read_object(line)
    for name in key.split("."):
        if not isinstance(found, dict) or name not in found:
            return None
        found = found[name]
    return found if isinstance(found, str) or found is None else json.dumps(found, ensure_ascii=False)
