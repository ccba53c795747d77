"""The script of a scripted agent: which steps it plays, by who it is and which attempt that is. Pure but for `load`.

A script is a document in JSON or TOML. Its sections are lists of steps; tables may hold sections, so that
`{"tasks": {"TSK-002": {"2": […]}}}`, `{"tasks": {"TSK-002.2": […]}}` and `{"tasks.TSK-002.2": […]}` say the same. The
first section counts that there is of, with `.N` for attempt N before the same without:

`quests.NAME`               the quest, or the mission, of that name
`check` `review` `guardian`  a mission that ends so: `login/check`
`tasks.ID` `tasks.*`        a task of a spec
`phases.NAME` `phases.*`    a phase of a spec
`*`                         anybody; a script that is a list is this section alone

A step is a table with the step's name and its subject, and what more it needs: `{"say": "hello"}`,
`{"tool": "Edit", "file": "a.py", "error": "no such file"}`. `STEPS` is the list of all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

ANYBODY = "*"
LISTEN = "listen"
ROLES = ("check", "review", "guardian")
"""Missions beside a quest's own, by the last part of their names; a task's steps are none of theirs."""

_TEXT, _NUMBER, _COMMAND = (str,), (int, float), (str, list)
_CONTENT = ("text", "data", "from")


class StepKind(NamedTuple):
    """What a step takes: the types of its subject, and the names of what may stand beside it."""

    subject: tuple[type, ...]
    options: tuple[str, ...] = ()


STEPS: Mapping[str, StepKind] = {
    "say": StepKind(_TEXT),  # print it
    "write": StepKind(_TEXT, (*_CONTENT, "append")),  # a file below the working folder: a text, JSON, another file's
    "output": StepKind(_TEXT, (*_CONTENT, "cut")),  # the same in OVERMIND_OUTPUT_DIR; `cut`: only its first half
    "read": StepKind(_TEXT),  # print a file of OVERMIND_IN, else of the working folder
    "commit": StepKind(_TEXT),  # all that has changed, with this message
    "call": StepKind(_COMMAND),  # run a line of shell, or words; print its output and its exit code
    "report": StepKind(_TEXT, ("text", "title", "because", "evidence", "block", "wait")),  # `overmind report KIND …`
    "tool": StepKind(_TEXT, ("file", "command", "input", "result", "error")),  # a use of a tool that only seems to be
    "ask": StepKind(_TEXT, ("file", "command", "input", "result")),  # the same once a person allows it
    "cost": StepKind(_NUMBER),  # so many dollars are spent
    "limit": StepKind(_NUMBER),  # a rate limit that resets in so many seconds; ends the turn
    "api_error": StepKind((int,)),  # the model does not answer, with this status; ends the turn
    "sleep": StepKind(_NUMBER),  # seconds
    "spin": StepKind(_NUMBER),  # the same, with the processor
    "until": StepKind(_TEXT),  # wait until this file is there
    "touch": StepKind(_TEXT),  # have this file be there
    "ignore": StepKind(_TEXT),  # a signal, such as TERM
    "child": StepKind(_COMMAND, ("session",)),  # start what lives on; `session`: in a session of its own
    LISTEN: StepKind((bool,)),  # the turn is over; the next message goes on, and is said
    "exit": StepKind((int,)),  # with this code
    "signal": StepKind(_TEXT),  # end by it
}
EACH = ("once", "times", "unless")
"""What may stand beside every step: a file that says that it was played before; how often it is played; and a line of
shell, or words, that is tried before each time, a second after the one before, and ends it once it succeeds."""


class InvalidScript(ValueError):
    """The script can't be played; the text says where and why."""


class Step(NamedTuple):
    """One step, with what stands beside it."""

    name: str
    subject: Any
    options: Mapping[str, Any]


class Role(NamedTuple):
    """Who plays, as the variables of an attempt say it; "" = unknown."""

    quest: str = ""
    mission: str = ""
    """The mission's name."""
    phase: str = ""
    task: str = ""
    attempt: int = 1


Script = Mapping[str, Sequence[Step]]
"""Section → its steps."""


def role(environ: Mapping[str, str]) -> Role:
    """Who this process is."""
    attempt = environ.get("OVERMIND_ATTEMPT", "")
    return Role(
        quest=environ.get("OVERMIND_QUEST", ""),
        mission=environ.get("OVERMIND_MISSION_NAME", ""),
        phase=environ.get("OVERMIND_PHASE", ""),
        task=environ.get("OVERMIND_TASK", ""),
        attempt=int(attempt) if attempt.isdecimal() else 1,
    )


def steps_for(script: Script, player: Role) -> Sequence[Step] | None:
    """The steps of the first section that is about `player`; None where none is."""
    for name in _sections(player):
        for section in (f"{name}.{player.attempt}", name):
            if section in script:
                return script[section]
    return None


def _sections(player: Role) -> Iterator[str]:
    for name in dict.fromkeys([player.mission, player.quest]):
        yield f"quests.{name}"
    last = player.mission.rpartition("/")[2]
    if last in ROLES:
        yield last
    else:
        for kind, name in (("tasks", player.task), ("phases", player.phase)):
            if name:
                yield from (f"{kind}.{name}", f"{kind}.{ANYBODY}")
    yield ANYBODY


def part(path: str, environ: Mapping[str, str]) -> Sequence[Step]:
    """Read the steps of whoever has this environment.

    Raises:
        OSError: the file can't be read.
        InvalidScript: it is no script, or has nothing for them.
    """
    player = role(environ)
    found = steps_for(load(path), player)
    if found is None:
        raise InvalidScript(f"{os.path.basename(path)} has no section for {player}")
    return found


def load(path: str) -> Script:
    """Read a script; what its steps take `from` a file is beside it.

    Raises:
        OSError: the file can't be read.
        InvalidScript: it is no script.
    """
    with open(path, "rb") as file:
        data = file.read()
    try:
        found = parse(_document(data, toml=path.endswith(".toml")))
    except ValueError as error:
        raise InvalidScript(f"{os.path.basename(path)}: {error}") from None
    folder = os.path.dirname(os.path.abspath(path))
    return {name: [_placed(step, folder) for step in steps] for name, steps in found.items()}


def _placed(step: Step, folder: str) -> Step:
    if "from" not in step.options:
        return step
    return step._replace(options={**step.options, "from": os.path.join(folder, step.options["from"])})


def _document(data: bytes, *, toml: bool) -> Any:  # noqa: ANN401 - any document
    if toml:
        import tomllib  # noqa: PLC0415 - twice the start of an agent whose script is JSON

        return tomllib.loads(data.decode())
    import json  # noqa: PLC0415 - the same the other way round

    return json.loads(data)


def parse(document: Any) -> Script:  # noqa: ANN401 - any document
    """Make a script of a document, every step of which is checked.

    Raises:
        InvalidScript: it is none.
    """
    if isinstance(document, list):
        document = {ANYBODY: document}
    if not isinstance(document, dict):
        raise InvalidScript("a script is a table of sections, or a list of steps")
    return {name: _steps(name, section) for name, section in _flat("", document)}


def _flat(above: str, table: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for key, value in table.items():
        name = f"{above}{key}"
        if isinstance(value, dict):
            yield from _flat(f"{name}.", value)
        elif isinstance(value, list):
            yield name, value
        else:
            raise InvalidScript(f"{name}: a section is a list of steps")


def _steps(section: str, found: Sequence[Any]) -> list[Step]:
    steps = []
    for number, value in enumerate(found, 1):
        try:
            steps += _step(value)
        except InvalidScript as error:
            raise InvalidScript(f"{section}: step {number}: {error}") from None
    return steps


def _step(found: Any) -> list[Step]:  # noqa: ANN401 - any value
    """The step, as often as it is played."""
    if not isinstance(found, dict):
        raise InvalidScript("a step is a table")
    names = [name for name in found if name in STEPS and not _is_option(name, found)]
    if len(names) != 1:
        raise InvalidScript(f"a step has one of the names {', '.join(STEPS)}, not {', '.join(found) or 'none'}")
    name = names[0]
    kind, subject = STEPS[name], found[name]
    if not isinstance(subject, kind.subject) or (isinstance(subject, bool) and bool not in kind.subject):
        raise InvalidScript(f"{name}: {subject!r} is not {' or '.join(each.__name__ for each in kind.subject)}")
    options = {key: value for key, value in found.items() if key != name}
    for key in options:
        if key not in (*kind.options, *EACH):
            raise InvalidScript(f"{name} knows no {key}")
    times = options.pop("times", 1)
    if not isinstance(times, int) or times < 0:
        raise InvalidScript(f"times: {times!r} says no number of times")
    if "unless" in options:
        if not isinstance(options["unless"], _COMMAND):
            raise InvalidScript(f"unless: {options['unless']!r} is no command")
        return [Step(name, subject, {**options, "times": times})]
    return [Step(name, subject, options)] * times


def _is_option(name: str, found: Mapping[str, Any]) -> bool:
    """Whether another step of the table takes this name beside it."""
    return any(name in STEPS[other].options for other in found if other in STEPS and other != name)
