"""Questions of the engine: what a person decides about quests, specs, missions and the queue. No clock, no IO.

`EFFECTS` and `AGENT_EFFECTS` are the only truth about what an answer does: buttons, keys, hints of commands and
docs/activity.md have their words from there. Nothing is ever deleted
by an answer. Imports nothing slow: the command line reads it, too.
"""

from __future__ import annotations

from enum import StrEnum

from overmind_core.domain.text.cells import cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping
    from typing import Any, Final


ALLOW, DENY = "allow", "deny"
MOST_CELLS = 160
"""Of what a question is about, in a line with the commands that answer it."""


class EngineNeed(StrEnum):
    """What the engine wants decided."""

    PHASE = "phase"
    """A gate is open: a phase of a spec has passed."""
    REVIEW = "review"
    """The work of a quest is to be looked at."""
    MERGE = "merge"
    """A spec is done, or a target refuses what is to land on it."""
    BUDGET = "budget"
    """All that may be spent is spent."""
    STUCK = "stuck"
    """A quest of the queue has failed, or a spec could not go on."""
    REPORT = "report"
    """A mission reports something that nobody can do, or asks."""
    STEER = "steer"
    """The guardian would send a mission a message."""


DECIDES_WORK = frozenset({EngineNeed.REVIEW, EngineNeed.MERGE})
"""Questions that say whether work lands."""


class AnswerEffects:
    """What both answers to a question do, in words, and what a text means beside one of them.

    Args:
        allow: What allowing it does.
        deny: What denying it does.
        text: What the person's text is then; "" where it is only kept.
        text_with: The answer that it belongs to, `allow` or `deny`.
        first: The answer with which less is at stake, where a line has to name both; "": allowing it is plain.
        said: What a text alone has done, where that is not what the answer does that it belongs to.
    """

    __slots__ = ("allow", "deny", "first", "said", "text", "text_with")

    def __init__(
        self, allow: str, deny: str, text: str = "", *, text_with: str = DENY, first: str = "", said: str = ""
    ) -> None:
        self.allow: Final = allow
        self.deny: Final = deny
        self.text: Final = text
        self.text_with: Final = text_with
        self.first: Final = first
        self.said: Final = said

    def of(self, behaviour: str) -> str:
        """What one of both does."""
        return self.allow if behaviour == ALLOW else self.deny


EFFECTS: Mapping[str, AnswerEffects] = {
    EngineNeed.PHASE: AnswerEffects("go on", "run this phase again", "the feedback for it"),
    EngineNeed.REVIEW: AnswerEffects("accept the work, and land it", "fail this attempt", "the feedback for the next"),
    EngineNeed.MERGE: AnswerEffects("land it, or try again", "leave its branch and worktree as they are"),
    EngineNeed.BUDGET: AnswerEffects(
        "raise the limit beyond what is spent",
        "stop what runs, hold the rest",
        "the dollars to add instead",
        text_with=ALLOW,
        first=ALLOW,
        said="raise the limit by your dollars",
    ),
    EngineNeed.STUCK: AnswerEffects(
        "begin a new round", "leave it failed", "the feedback for it", text_with=ALLOW, first=ALLOW
    ),
    EngineNeed.REPORT: AnswerEffects(
        "queue it, or answer it", "only record it", "the answer", text_with=ALLOW, said="answered"
    ),
    EngineNeed.STEER: AnswerEffects(
        "send the message",
        "leave this mission alone for 1 h",
        "the message instead",
        text_with=ALLOW,
        said="send your message",
    ),
}
"""By need."""
AGENT_EFFECTS: Mapping[str, AnswerEffects] = {
    "permission": AnswerEffects("allow once", "deny", "the reason"),
    "plan": AnswerEffects("approve the plan", "go on planning", "the changes to make"),
    "question": AnswerEffects("send the answer", "give no answer", "the answer", text_with=ALLOW),
}
"""Of an agent's questions, by what it wants; what only its terminal answers has none."""
LOST_JOB = AnswerEffects("it is off: start the job elsewhere", "wait for it", first=DENY)
"""Of the question about work of the swarm whose machine is silent."""
LOST = "lost"
"""The need of that question."""
REVIEW_ALONE = AnswerEffects("accept the work", "fail this attempt", "the feedback for the next")
"""Of `review` of work that lands nowhere."""
UNASSIGNED = "unassigned"
"""The field of a subject that says that nobody is set to do what is reported."""
REPORT_UNASSIGNED = AnswerEffects(
    "queue it for the agent that you name",
    "only record it",
    "the agent, such as claude",
    text_with=ALLOW,
    said="queue it for that agent",
)
"""Of `report` of work for which there is no agent."""
REPORTS = "reports"
"""The field of a subject that has the numbers of the reports that are asked about; without it there is one."""
REPORT_QUESTION = AnswerEffects("answer yes", "answer no", "the answer", text_with=ALLOW, said="answered")
"""Of `report` of a question, which wants an answer in words."""
QUESTION = "question"
"""The kind of such a report, in its subject, and the need of an agent's question."""
QUOTED_TEXT = "'TEXT'"
"""The place of a text in a line that answers a question."""
NAMED = "claude"
"""The agent in the line that answers such a one."""
STUCK_SPEC = AnswerEffects("go on with the spec", "leave it as it is", first=ALLOW)
"""Of `stuck` about a spec, which could not go on by a fault of the daemon's."""
TARGET = AnswerEffects("try again now", "leave the work of all that wait for it as it is", first=ALLOW)
"""Of `merge` about a branch whose checkout is in the way, which is asked about once."""
_SPEC, _QUEUE = "spec", "queue"
UNDOES = AnswerEffects(
    "land it all the same", "begin another attempt, which keeps both", "the feedback for it", first=DENY
)
"""Of `merge` about work of an agent that would undo what has landed."""
UNDOES_OF_COMMAND = AnswerEffects(
    "land its worktree as it is, with no more than this loss", EFFECTS[EngineNeed.MERGE].deny, first=DENY
)
"""Of the same about work of a command, which would do the same again: it is told nothing."""
CODE = "code"
"""The field of the subject of `merge` that says why its landing was refused; without it nothing has been."""
REFUSED = AnswerEffects(EFFECTS[EngineNeed.MERGE].allow, EFFECTS[EngineNeed.MERGE].deny, first=ALLOW)
"""Of `merge` about a landing that was refused for something else."""
PROBLEM = "problem"
"""The field of a subject that says in few words what its question is about."""
DOES = "does"
"""The field of the subject of `steer` that says what allowing it does, a key of `STEERS`."""
NOTHING = "nothing"
_ALONE = EFFECTS[EngineNeed.STEER].deny
STEERS: Mapping[str, AnswerEffects] = {
    "message": EFFECTS[EngineNeed.STEER],
    "interrupt": AnswerEffects(
        "send the message, interrupt its turn", _ALONE, "the message instead", text_with=ALLOW, first=DENY
    ),
    "end": AnswerEffects(
        "send the message, end this attempt", _ALONE, "the message instead", text_with=ALLOW, first=DENY
    ),
    NOTHING: AnswerEffects("let it go on as it is", _ALONE),
}
"""Of `steer`, by what is done on approval; an earlier version has not said it."""
UNDOES_LANDED = "undoes_landed"
"""The code of that, and the class of an attempt that ends with it."""
FOR_YOU = "waits for you"
"""The beginning of what is said where a person has to do something."""
UNKNOWN = AnswerEffects("allow", "deny")
"""Of a need that only a later version knows."""
COMMAND = "command"
"""The field of a subject that says that a plain command does its work: a prompt tells it nothing."""
READ_FROM_FILE = "the feedback, which its command has to read from feedback.md"
"""What a text is to such a one."""
_OF_COMMANDS: Mapping[AnswerEffects, AnswerEffects] = {
    UNDOES: UNDOES_OF_COMMAND,
    **{
        one: AnswerEffects(one.allow, one.deny, READ_FROM_FILE, text_with=one.text_with, first=one.first)
        for one in (EFFECTS[EngineNeed.PHASE], EFFECTS[EngineNeed.REVIEW], REVIEW_ALONE, EFFECTS[EngineNeed.STUCK])
    },
}
"""Effects of answers about the work of agents → those about the work of commands."""
BLOCKS = "blocks"
"""The field of a subject that says that its quest can't go on without the answer."""
QUESTS = "quests"
"""The field that names by their ids the quests whose work is asked about, where the subject is another thing."""
RAN_IN = "ran_in"
"""The field of a subject that names the folder of which one of its lines says `in …`; it may be removed meanwhile."""
LINES = "lines"
"""The field of a subject that holds what people read, line by line; all others are for programs."""


def is_of_engine(question: Mapping[str, Any]) -> bool:
    """Whether the engine asks it, and no agent; a daemon of an earlier version has only agents' questions."""
    return "part" in question


def concerns(question: Mapping[str, Any], ids: Container[str]) -> bool:
    """Whether a question is about one of these ids, or decides about the work of a quest that has one of them.

    All who look for the questions of a thing ask here, so that each finds the same.
    """
    return any(one in ids for one in concerned(question))


def concerned(question: Mapping[str, Any]) -> Iterator[str]:
    """The ids that find a question: of its subject, and of the quests whose work it decides about."""
    yield question["id"]
    about = (question.get("about") or {}).get("id")
    if isinstance(about, str):  # another hive may send anything
        yield about
    yield from question.get(QUESTS) or ()


def oldest_of(questions: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return by each id that finds any the oldest of these questions, which come in that order."""
    found: dict[str, dict[str, Any]] = {}
    for question in questions:
        for one in concerned(question):
            found.setdefault(one, question)
    return found


def gate_name(name: str, part: str | None) -> str:
    """What the gate of a phase is called, as the quest is that makes its document: `carts/tasks`."""
    return f"{name}/{part}" if part else name


def is_gate(question: Mapping[str, Any], word: str) -> bool:
    """True where a word names the gate at which a question is asked, such as `carts/tasks`."""
    part, kind = question.get("part"), (question.get("about") or {}).get("kind")
    return bool(part) and kind == _SPEC and word in {gate_name(question["name"], part), gate_name(question["id"], part)}


def names_of_gates(questions: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The names of the gates at which these are asked, each of which reaches its question."""
    for question in questions:
        name = gate_name(question["name"], question.get("part"))
        if is_gate(question, name):
            yield name


class Heading:
    """The head of a question: the thing that is asked about, by name and id, and what is asked in few words.

    At the gate of a phase the thing is the quest that made the document: it has the gate's name.
    """

    __slots__ = ("id", "name", "part")

    def __init__(self, name: str, id_: str, part: str) -> None:
        self.name: Final = name
        self.id: Final = id_
        self.part: Final = part
        """The part of it that is asked about, where its name does not say that."""


def heading(question: Mapping[str, Any]) -> Heading:
    """Return the head of a question."""
    part = str(question.get("part") or "")
    quest = next(iter(question.get(QUESTS) or ()), None)
    if question["need"] == EngineNeed.PHASE and quest is not None and part:
        return Heading(gate_name(question["name"], part), str(quest), "")
    return Heading(question["name"], question["id"], part)


def is_for_all(question: Mapping[str, Any]) -> bool:
    """Whether one answer decides about all that wait for a branch: nobody is to give it by the name of one of them."""
    kind = (question.get("about") or {}).get("kind")
    return kind == _QUEUE and question["need"] == EngineNeed.MERGE


def topic(question: Mapping[str, Any]) -> str:
    """What it is about, beside its subject's name: the part of that, else what is needed."""
    return str(question["part"] or question["need"])


def body(question: Mapping[str, Any]) -> list[str]:
    """The lines of a question of the engine as `inbox` has it: its summary, then those of its subject.

    They may hold any character.
    """
    lines = question["subject"].get(LINES)
    more = [text for one in lines for text in str(one).split("\n")] if isinstance(lines, list | tuple) else []
    return [*str(question["summary"]).split("\n"), *more]


def without_folder(subject: Mapping[str, Any]) -> dict[str, Any]:
    """The subject, with its line of a folder that is there no more saying so."""
    line = f"in {subject[RAN_IN]}"
    return {**subject, LINES: [f"{one} (removed since)" if one == line else one for one in subject[LINES]]}


def effects_of(question: Mapping[str, Any]) -> AnswerEffects:
    """What answers to it do."""
    if not is_of_engine(question):
        return LOST_JOB if question["need"] == LOST else AGENT_EFFECTS.get(question["need"], UNKNOWN)
    kind, subject = (question.get("about") or {}).get("kind"), question["subject"]
    if question["need"] == EngineNeed.REPORT and (count := _reports_in(subject)) > 1:
        return _of_reports(count, is_unassigned=needs_agent(question))
    special = (
        (EngineNeed.STUCK, kind == _SPEC, STUCK_SPEC),
        (EngineNeed.MERGE, kind == _QUEUE, TARGET),
        (EngineNeed.MERGE, subject.get(CODE) == UNDOES_LANDED, UNDOES),
        (EngineNeed.MERGE, subject.get(CODE) is not None, REFUSED),
        (EngineNeed.REPORT, bool(subject.get(UNASSIGNED)), REPORT_UNASSIGNED),
        (EngineNeed.REPORT, subject.get("kind") == QUESTION, REPORT_QUESTION),
        (EngineNeed.REVIEW, subject.get("into", True) is None, REVIEW_ALONE),
    )
    found = next((effects for need, is_so, effects in special if is_so and question["need"] == need), None)
    if question["need"] == EngineNeed.STEER:
        found = STEERS.get(str(subject.get(DOES)))
    effects = found or EFFECTS.get(question["need"], UNKNOWN)
    return _OF_COMMANDS.get(effects, effects) if subject.get(COMMAND) else effects


def _reports_in(subject: Mapping[str, Any]) -> int:
    """How many reports are asked about."""
    numbers = subject.get(REPORTS)
    return len(numbers) if isinstance(numbers, list | tuple) else 1


def _of_reports(count: int, *, is_unassigned: bool) -> AnswerEffects:
    """The effects of answers to a question about several reports, which say how many they are."""
    allow, deny = f"queue all {count}", "only record them"
    if is_unassigned:
        to_agent, named = f"{allow} for the agent that you name", REPORT_UNASSIGNED
        return AnswerEffects(to_agent, deny, named.text, text_with=ALLOW, said=f"{allow} for that agent")
    return AnswerEffects(allow, deny, EFFECTS[EngineNeed.REPORT].text, text_with=ALLOW, first=DENY)


def needs_agent(question: Mapping[str, Any]) -> bool:
    """True where nobody is set to do what it reports: who has it queued names an agent."""
    is_report = is_of_engine(question) and question["need"] == EngineNeed.REPORT
    return is_report and bool(question["subject"].get(UNASSIGNED))


def is_to_queue(question: Mapping[str, Any]) -> bool:
    """True where reports are asked about that may become quests: only its lines tell what they say."""
    subject = question["subject"]
    return question["need"] == EngineNeed.REPORT and REPORTS in subject and subject.get("kind") != QUESTION


def hints(question: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each command that answers it, and what that does; none for a need that this version does not know."""
    effects = effects_of(question)
    if needs_agent(question):
        count = _reports_in(question["subject"])
        them = "it" if count == 1 else f"all {count}"
        yield (
            f"overmind answer {question['question']} {NAMED}",
            f"queue {them} for this agent or another, once that is installed",
        )
        yield f"overmind answer {question['question']} {DENY}", effects.deny
        return
    if effects is REPORT_QUESTION:
        yield f"overmind answer {question['question']} {QUOTED_TEXT}", "send this answer"
        yield f"overmind answer {question['question']} {ALLOW}", effects.allow
        yield f"overmind answer {question['question']} {DENY}", effects.deny
        return
    for behaviour in (ALLOW, DENY) if effects is not UNKNOWN else ():
        text = f"; -m TEXT: {effects.text}" if effects.text and effects.text_with == behaviour else ""
        yield f"overmind answer {question['question']} {behaviour}", f"{effects.of(behaviour)}{text}"


def choice(question: Mapping[str, Any]) -> str:
    """Return what a question is about and the commands of both answers; "" where allowing it is plain.

    The answer comes first with which less is at stake: nobody is to allow what a line does not tell.
    """
    effects = effects_of(question)
    if not effects.first:
        return ""
    ways = _both(question, effects, effects.first)
    problem = _problem(question)
    return f"{problem}: {ways}" if problem else ways


def _both(question: Mapping[str, Any], effects: AnswerEffects, first: str) -> str:
    """The commands of both answers, and what each does."""
    second = DENY if first == ALLOW else ALLOW
    command = f"overmind answer {question['question']} {first}"
    if effects is UNKNOWN:
        return f"{command} or {second}"
    return f"{command} ({effects.of(first)}) or {second} ({effects.of(second)})"


def _problem(question: Mapping[str, Any]) -> str:
    """What it is about, in few words."""
    summary = without_name(str(question["summary"]), str(question["name"])).partition("\n")[0]
    return cut(str(question["subject"].get(PROBLEM) or summary).removesuffix("."), MOST_CELLS)


def without_name(summary: str, name: str) -> str:
    """What a question asks where the name of its subject stands beside it: that is not said twice."""
    return summary.removeprefix(f"{name} ").removeprefix(f"{name}: ")


def asks(question: Mapping[str, Any], name: str) -> str:
    """What is asked, beside the name of a thing that finds it; the name of its own subject needs not be said either."""
    return without_name(without_name(str(question["summary"]), str(question["name"])), name)


def way_on(question: Mapping[str, Any]) -> str:
    """Return the line that answers it; where allowing it is not plain, what it is about and both answers.

    Of work in review both are named, too: a person may as well find it bad.
    """
    if question["need"] == EngineNeed.REVIEW:
        return _both(question, effects_of(question), ALLOW)
    return choice(question) or answer_line(question)


def answer_line(question: Mapping[str, Any]) -> str:
    """Return a line that answers it, to be typed as it is, or nearly."""
    number = question["question"]
    if question["attach_only"]:
        return f"overmind attach {question['id']}"
    if question["options"]:
        ways = " ".join("1,2" if one.get("several") else "1" for one in question.get("choices") or [{}])
        return f"overmind answer {number} {ways}"
    if needs_agent(question):
        return f"overmind answer {number} {NAMED}"
    is_free = effects_of(question) is REPORT_QUESTION or question["need"] == QUESTION
    return f"overmind answer {number} {QUOTED_TEXT if is_free else ALLOW}"


def with_answer(question: Mapping[str, Any]) -> str:
    """Return an open question in a line: its number, what it is about, and the command that answers it."""
    about = question.get("about") or question
    part = question.get("part") if question["need"] == EngineNeed.PHASE else None
    named = f"gate of {gate_name(about['name'], part)}" if part else f"{question['need']} of {about['name']}"
    if is_for_all(question):
        named = f"{question['need']} of all that wait for {question['part']}"
    return f"question {question['question']} ({named}): {way_on(question)}"
