"""How good a document is: points for each part by one table, what forbids it to pass, and what would make it better.

`CHECKS` is the only truth: of each part of a document it says how much it weighs and how its share is found, and the
shares of a phase weigh 1 together. A list counts the share of its good items, one thing the share of its fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from overmind_core.domain.specs.reading import Reading
from overmind_core.domain.specs.shape import (
    MAX_TITLE,
    Design,
    Document,
    Explore,
    Fault,
    Requirement,
    Requirements,
    SpecTask,
    Sync,
    Tasks,
)
from overmind_core.domain.specs.spec import PHASES, THRESHOLD, PhaseName
from overmind_core.domain.text.decimals import decimal
from overmind_core.domain.text.graph import find_cycle

CATEGORIES = ("problem", "users", "scope", "technical", "risks")
"""Categories that the questions should cover."""
MAX_HOURS = 4
"""Longest task that one agent should get."""

_CONDITION = re.compile(r"\b(?:when|while|where|if)\b", re.IGNORECASE)
_MODAL = re.compile(r"\b(?:shall|must|should|may)\b", re.IGNORECASE)
_REQUIREMENT_ID = re.compile(r"REQ-[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*-\d{3}")
_TASK_ID = re.compile(r"TSK-\d{3}")
_MOST_NAMED = 3
"""Most things that a hint names."""


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The surroundings of a document: other documents, and the repository's files."""

    documents: Mapping[PhaseName, Document] = field(default_factory=dict)
    """The other documents of the spec; only earlier ones are used."""
    files: Collection[str] | None = None
    """All files of the repository, relative to its top, without those of specs; None: not known."""


@dataclass(frozen=True, slots=True)
class DocumentVerdict:
    """The result of a check."""

    phase: PhaseName
    score: float
    """0 to 1, four places."""
    parts: Mapping[str, float] = field(default_factory=dict)
    """Points of each part, in the order of the table."""
    vetoes: tuple[Fault, ...] = ()
    """Faults with which it does not pass, whatever its score."""
    hints: tuple[str, ...] = ()
    """How to get more points: one sentence for each part without full points."""

    def passes(self, threshold: float = THRESHOLD) -> bool:
        """Whether the document passes."""
        return not self.vetoes and self.score >= threshold


class Mark(NamedTuple):
    """The points of one part of a document."""

    share: float
    """Of the part's weight, 0 to 1."""
    hint: str = ""
    """How to get the rest."""


FULL = Mark(1.0)


class PartCheck(NamedTuple):
    """One row of the table."""

    name: str
    weight: float
    mark: Callable[[Any, CheckContext], Mark]


def score_text(score: float) -> str:
    """Return a score for people: `0.95`, `0.6975`, `1.00`."""
    return decimal(score, 4).removesuffix("0").removesuffix("0")


def check(document: Document, context: CheckContext | None = None) -> DocumentVerdict:
    """Check a document.

    Args:
        document: As it was read; what was wrong with its text is not known here, see `judge`.
        context: What it is compared with.
    """
    context = context or CheckContext()
    marks = {row.name: (row.weight, row.mark(document, context)) for row in CHECKS[document.phase]}
    vetoes = tuple(VETOES[document.phase](document, context))
    total = sum(weight * mark.share for weight, mark in marks.values()) if marks else float(not vetoes)
    if isinstance(document, Requirements) and not document.requirements:
        total = 0.0
    return DocumentVerdict(
        document.phase,
        round(total, 4),
        {name: round(weight * mark.share, 4) for name, (weight, mark) in marks.items()},
        vetoes,
        (
            *(f"{name}: {mark.hint}" for name, (_, mark) in marks.items() if mark.share < 1 and mark.hint),
            *(_unknown_requirements(document, context) if isinstance(document, Tasks) else ()),
        ),
    )


def judge(reading: Reading, context: CheckContext | None = None) -> DocumentVerdict:
    """Check a document as it was read from a text: mistakes in the text are vetoes, too.

    Of one that can't be read that is all there is to say: what an empty document lacks is not what is wrong with it.
    """
    verdict = check(reading.document, context)
    if not reading.is_readable:
        return replace(verdict, vetoes=reading.faults, hints=())
    return replace(verdict, vetoes=reading.located((*reading.faults, *verdict.vetoes)))


# marks that many parts get


def _text(name: str, absent: float = 0.0) -> Callable[[Document, CheckContext], Mark]:
    """Full points if the text is present."""

    def mark(document: Document, context: CheckContext) -> Mark:
        del context
        return FULL if getattr(document, name) else _absent(document, name, absent)

    return mark


def _long_text(name: str, characters: int) -> Callable[[Document, CheckContext], Mark]:
    """Full points if the text is long enough, half for a shorter one."""

    def mark(document: Document, context: CheckContext) -> Mark:
        del context
        length = len(getattr(document, name))
        if not length:
            return _absent(document, name, 0.0)
        return FULL if length > characters else Mark(0.5, f"write more than {characters} characters")

    return mark


def _count(name: str, enough: int, absent: float = 0.0) -> Callable[[Document, CheckContext], Mark]:
    """The share of the wanted number of entries."""

    def mark(document: Document, context: CheckContext) -> Mark:
        del context
        value = getattr(document, name)
        good = sum(map(bool, value.values())) if isinstance(value, dict) else len(value)
        if not good:
            return _absent(document, name, absent)
        return Mark(min(good / enough, 1.0), f"{good} of {enough} or more")

    return mark


def _fields(name: str, *fields: str) -> Callable[[Document, CheckContext], Mark]:
    """The share of a thing's fields that are present."""

    def mark(document: Document, context: CheckContext) -> Mark:
        del context
        thing = getattr(document, name)
        missing = [one for one in fields if not getattr(thing, one)]
        if len(missing) == len(fields):
            return _absent(document, name, 0.0)
        return Mark(1 - len(missing) / len(fields), f"{_listed(missing)} missing")

    return mark


def _good(name: str, is_good: Callable[[Any, Any], object], wanted: str) -> Callable[[Document, CheckContext], Mark]:
    """A list of things: how many of them are good; `is_good` gets one of them, and what `_known` says."""

    def mark(document: Document, context: CheckContext) -> Mark:
        things = getattr(document, name)
        if not things:
            return Mark(0.0, f"there are no {name}")
        known = _Known(document, context)
        bad = [thing for thing in things if not is_good(thing, known)]
        return Mark(1 - len(bad) / len(things), f"{_named(bad)} {wanted}") if bad else FULL

    return mark


def _absent(document: Document, name: str, share: float) -> Mark:
    """Full points for an absent part whose reason the document gives."""
    if getattr(document, "none_because", {}).get(name):
        return FULL
    return Mark(share, "missing" if share < 1 else "")


def _named(things: Sequence[Any]) -> str:
    names = [thing.id if hasattr(thing, "id") else thing.name for thing in things]
    return _listed([name or "one" for name in names])


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"


# explore


def _key_files(document: Explore, context: CheckContext) -> Mark:
    """The share of three good key files, or of all files if there are fewer."""
    enough = 3 if context.files is None else min(3, len(context.files))
    good = sum(bool(one.path and one.purpose) for one in document.key_files)
    if good >= enough:
        return FULL
    return Mark(good / enough, f"{good} of {enough} or more, each with path and purpose")


def _questions(document: Explore, context: CheckContext) -> Mark:
    del context
    good = [one for one in document.questions if one.category and one.question]
    if not good:
        return Mark(0.0, "missing")
    if len(good) < 3:  # noqa: PLR2004 - as many as make a beginning
        return Mark(0.5, "ask at least three, each with a category")
    covered = {one.category.lower() for one in good}
    missing = [category for category in CATEGORIES if category not in covered]
    return Mark(1 - len(missing) / len(CATEGORIES), f"none about {_listed(missing)}")


def _explore_vetoes(document: Explore, context: CheckContext) -> Iterator[Fault]:
    if context.files is None:
        return
    for place, one in enumerate(document.key_files):
        if one.path and one.path not in context.files:
            yield Fault("no_such_file", f"{one.path} is not a file of the repository", ("key_files", place))


# requirements


def ears_score(text: str) -> float:
    """Return how a requirement follows EARS: 1 with a condition and then a modal verb, ½ with a modal verb, else 0.

    Source: Mavin et al., Easy Approach to Requirements Syntax (EARS), 2009.
    """
    condition = _CONDITION.search(text)
    if condition is not None and _MODAL.search(text, condition.end()):
        return 1.0
    return 0.5 if _MODAL.search(text) else 0.0


def _ears_mark(document: Requirements, context: CheckContext) -> Mark:
    del context
    found = [(one, ears_score(one.text)) for one in document.requirements]
    bad = [one for one, share in found if share < 1]
    total = sum(share for _, share in found)
    return _shared(total, len(found), f"{_named(bad)} should say `When …, the system shall …`")


def _requirement_acceptance(document: Requirements, context: CheckContext) -> Mark:
    del context
    found = [(one, min(len(one.acceptance) / 2, 1.0)) for one in document.requirements]
    bad = [one for one, share in found if share < 1]
    total = sum(share for _, share in found)
    return _shared(total, len(found), f"{_named(bad)} should have two acceptance criteria")


def _shared(total: float, of: int, hint: str) -> Mark:
    """The mark of all requirements together."""
    return Mark(total / of, hint) if of else Mark(0.0, "there are no requirements")


def _is_complete_requirement(one: Requirement, known: _Known) -> bool:
    del known
    return bool(one.id and one.title and one.text and one.type and one.priority)


def _requirements_vetoes(document: Requirements, context: CheckContext) -> Iterator[Fault]:
    del context
    if not document.requirements:
        yield Fault("no_requirements", "there are no requirements", ("requirements",))
    yield from _twice(document.requirements, "requirements")


# design


def _testing(document: Design, context: CheckContext) -> Mark:
    mark = _fields("testing", "unit", "integration")(document, context)
    return Mark(max(mark.share, 0.7), "say unit and integration") if document.testing.text else mark


def _security(document: Design, context: CheckContext) -> Mark:
    del context
    if not document.security:
        return _absent(document, "security", 0.3)
    return FULL if len(document.security) > 1 else Mark(0.7, "name a second one")


def _design_vetoes(document: Design, context: CheckContext) -> Iterator[Fault]:
    del context
    if not document.components:
        yield Fault("no_components", "there are no components", ("components",))


# tasks


class _Known:
    """Facts for judging one thing of a list, computed once for the list."""

    __slots__ = ("_folders", "created", "files", "groups")

    def __init__(self, document: Document, context: CheckContext) -> None:
        self.groups: Collection[str] = ()
        self.created: set[str] = set()
        self.files = context.files
        self._folders: set[str] | None = None
        if isinstance(document, Tasks):
            self.groups = document.groups
            self.created.update(*(task.creates for task in document.tasks))

    def has(self, path: str) -> bool:
        """Whether a file, a folder or a match of a pattern exists, or will be created."""
        if self.files is None or path in self.files or path in self.created:
            return True
        if self._folders is None:
            self._folders = {""} if self.files else set()
            for one in (*self.files, *self.created):
                while (one := one.rpartition("/")[0]) and one not in self._folders:
                    self._folders.add(one)
        fixed = path.split("*", 1)[0]
        return path in self._folders or (fixed != path and fixed.rpartition("/")[0] in self._folders)


def _has_files(task: SpecTask, known: _Known) -> bool:
    return bool(task.creates or task.modifies) and all(map(known.has, task.modifies))


def _has_good_hours(task: SpecTask, known: _Known) -> bool:
    del known
    return task.hours is not None and 0 < task.hours <= MAX_HOURS


def _is_complete_task(task: SpecTask, known: _Known) -> bool:
    del known
    return bool(task.id and task.title and task.description and task.type)


def _tasks_vetoes(document: Tasks, context: CheckContext) -> Iterator[Fault]:
    tasks = document.tasks
    if not tasks:
        yield Fault("no_tasks", "there are no tasks", ("tasks",))
    yield from _twice(tasks, "tasks")
    places = {task.id: place for place, task in reversed(list(enumerate(tasks)))}
    for place, task in enumerate(tasks):
        if len(task.title) > MAX_TITLE:
            text = f"the title of {task.id} has {len(task.title)} characters; the limit is {MAX_TITLE}"
            yield Fault("too_large", text, ("tasks", place))
        for need in task.needs:
            if need not in places:
                yield Fault("unknown_need", f"{task.id} needs {need}, which is not a task", ("tasks", place, "needs"))
    circle = find_cycle({task.id: task.needs for task in tasks})
    if circle:
        path = " -> ".join((*circle, circle[0]))
        yield Fault("cycle", f"tasks need each other: {path}", ("tasks", places[circle[0]], "needs"))
    covered = {one for task in tasks for one in task.requirements}
    for one in _requirements(context):
        if one.id and one.id not in covered:
            yield Fault("uncovered", f"no task covers {one.id}", ("tasks",))


def _unknown_requirements(document: Tasks, context: CheckContext) -> Iterator[str]:
    known = {one.id for one in _requirements(context)}
    unknown = dict.fromkeys(one for task in document.tasks for one in task.requirements if one not in known)
    if known and unknown:
        yield f"requirements: {_listed(list(unknown))} not in {PhaseName.REQUIREMENTS}.md"


def _requirements(context: CheckContext) -> tuple[Requirement, ...]:
    document = context.documents.get(PhaseName.REQUIREMENTS)
    return document.requirements if isinstance(document, Requirements) else ()


def _twice(things: Iterable[Requirement | SpecTask], name: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for place, one in enumerate(things):
        if one.id in seen:
            yield Fault("id_twice", f"{one.id} is listed twice", (name, place))
        if one.id:
            seen.add(one.id)


# sync


def _sync_vetoes(document: Sync, context: CheckContext) -> Iterator[Fault]:
    """The vetoes of all other documents."""
    del document
    for phase in PHASES[:-1]:
        other = context.documents.get(phase)
        if other is not None:
            for veto in VETOES[phase](other, context):
                yield veto._replace(text=f"{phase}: {veto.text}", path=(), line=None)


_Vetoes: TypeAlias = Callable[[Any, CheckContext], Iterator[Fault]]

CHECKS: Mapping[PhaseName, tuple[PartCheck, ...]] = {
    PhaseName.EXPLORE: (
        PartCheck("codebase_summary", 0.12, _long_text("codebase_summary", 50)),
        PartCheck("project_type", 0.08, _text("project_type")),
        PartCheck("tech_stack", 0.10, _count("tech_stack", 2)),
        PartCheck("structure", 0.10, _count("structure", 2)),
        PartCheck("key_files", 0.15, _key_files),
        PartCheck("conventions", 0.10, _fields("conventions", "naming", "testing", "patterns")),
        PartCheck("questions", 0.15, _questions),
        PartCheck("feature", 0.12, _fields("feature", "name", "problem", "scope_in", "scope_out")),
        PartCheck("patterns", 0.04, _text("patterns")),
        PartCheck("related", 0.04, _text("related")),
    ),
    PhaseName.REQUIREMENTS: (
        PartCheck("feature_name", 0.05, _text("feature_name", 0.5)),
        PartCheck(
            "complete", 0.20,
            _good("requirements", _is_complete_requirement, "should have id, title, text, type and priority"),
        ),
        PartCheck(
            "normative", 0.20,
            _good("requirements", lambda one, _: ears_score(one.text) > 0, "should say shall, must, should or may"),
        ),
        PartCheck("ears", 0.15, _ears_mark),
        PartCheck("acceptance", 0.20, _requirement_acceptance),
        PartCheck(
            "id", 0.05,
            _good("requirements", lambda one, _: _REQUIREMENT_ID.fullmatch(one.id), "should look like REQ-CART-001"),
        ),
        PartCheck("assumptions", 0.05, _text("assumptions", 0.5)),
        PartCheck("out_of_scope", 0.05, _text("out_of_scope", 0.5)),
        PartCheck("traceability", 0.05, _text("traceability", 0.5)),
    ),
    PhaseName.DESIGN: (
        PartCheck("feature_name", 0.05, _text("feature_name", 0.5)),
        PartCheck("overview", 0.15, _long_text("overview", 100)),
        PartCheck(
            "components", 0.20,
            _good("components", lambda one, _: one.name and one.responsibility, "should have name and responsibility"),
        ),
        PartCheck("data_models", 0.15, _text("data_models", 0.3)),
        PartCheck("interfaces", 0.15, _text("interfaces", 0.3)),
        PartCheck("errors", 0.08, _text("errors", 0.3)),
        PartCheck("testing", 0.10, _testing),
        PartCheck("security", 0.07, _security),
        PartCheck("integration", 0.05, _text("integration", 0.5)),
    ),
    PhaseName.TASKS: (
        PartCheck("groups", 0.10, _text("groups", 0.5)),
        PartCheck(
            "complete", 0.20, _good("tasks", _is_complete_task, "should have id, title, description and type")
        ),
        PartCheck("hours", 0.15, _good("tasks", _has_good_hours, f"should take more than 0 and at most {MAX_HOURS}")),
        PartCheck("acceptance", 0.15, _good("tasks", lambda task, _: task.acceptance, "should say when it is done")),
        PartCheck(
            "check", 0.15,
            _good(
                "tasks", lambda task, _: task.check or task.no_check_because, "should have check or no_check_because"
            ),
        ),
        PartCheck(
            "files", 0.15,
            _good("tasks", _has_files, "should create files, or modify some that are there or are created"),
        ),
        PartCheck(
            "group", 0.05, _good("tasks", lambda task, known: task.group in known.groups, "should be in a known group")
        ),
        PartCheck(
            "id", 0.05, _good("tasks", lambda task, _: _TASK_ID.fullmatch(task.id), "should look like TSK-001")
        ),
    ),
    PhaseName.SYNC: (),
}  # fmt: skip
"""Parts of each phase's document."""
VETOES: Mapping[PhaseName, _Vetoes] = {
    PhaseName.EXPLORE: _explore_vetoes,
    PhaseName.REQUIREMENTS: _requirements_vetoes,
    PhaseName.DESIGN: _design_vetoes,
    PhaseName.TASKS: _tasks_vetoes,
    PhaseName.SYNC: _sync_vetoes,
}
