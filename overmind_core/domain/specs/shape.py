"""The five documents of a spec: what each holds, as types, and as tables of which JSON, Markdown and schema are made.

The fields of a type are the rows of its table, in the order in which a document has them; each says what its author
should write. JSON (`document_json`) and Markdown (`markdown`) are read by the same tables, so that both say the same.
What is absent is empty: a text is "", a list is (), hours are None.
"""

# ruff: noqa: RUF009 -- `_row` returns a field of a dataclass, not a default

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

from overmind_core.domain.specs.spec import PhaseName

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 1 << 20
"""Of a document."""
MAX_TASKS = 500
MAX_REQUIREMENTS = 200
MAX_TEXT = 20_000
"""Characters of one text."""
MAX_TITLE = 300
"""Characters of a task's title: a quest's has no more."""
MAX_NEEDS = 100
"""Of one task: a quest can have no more."""
MAX_PATHS = 100
"""That one task creates, and modifies: a quest owns them all."""
MAX_PATH = 500
"""Characters."""
MAX_ID = 40
"""Characters."""

Path: TypeAlias = tuple[str | int, ...]
"""Keys and places in lists, from the document."""
Other: TypeAlias = tuple[tuple[str, str], ...]
"""Keys that no table knows, with what was said."""


class Fault(NamedTuple):
    """Why a document can't be used, or doesn't pass."""

    code: str
    """`invalid`, `too_large`, or what a check calls it, such as `cycle`."""
    text: str
    """One sentence without a full stop; it may quote the document."""
    path: Path = ()
    """Of what it is about."""
    line: int | None = None
    """Of the file, from 1; None: not looked up."""


class FieldKind(Enum):
    """What a field holds."""

    TEXT = "a text"
    LINE = "a text of one line"
    ID = "an id of letters, digits, '.', '_' and '-'"
    PATH = "a path"
    HOURS = "a number of hours, such as 1.5"
    TEXTS = "a list of texts"
    IDS = "a list of ids"
    PATHS = "a list of paths"
    MAP = "an object of texts"
    RECORD = "one thing with fields of its own"
    PAIRS = "a list of things with two fields"
    THINGS = "a list of things"


class DocumentField(NamedTuple):
    """One field of a document or thing."""

    name: str
    kind: FieldKind
    about: str
    """For who writes the document: one line."""
    of: ThingShape | None = None
    """What it is a record or list of."""
    most: int | None = None
    """Entries that a list may have."""


class ThingShape(NamedTuple):
    """What a thing consists of."""

    type: type[Any]
    fields: tuple[DocumentField, ...]
    heading: tuple[str, ...] = ()
    """Fields that make the heading of a thing in Markdown."""
    body: str = ""
    """The field that is meant by a text in the place of the thing; in Markdown it stands below the keys."""


_K = FieldKind
_ROW = "row"
_EMPTY: Mapping[FieldKind, Any] = {_K.TEXT: "", _K.LINE: "", _K.ID: "", _K.PATH: "", _K.HOURS: None}
"""What an absent field is; of the other kinds an empty list, object or record."""


def _row(kind: FieldKind, about: str, of: ThingShape | None = None, *, most: int | None = None) -> Any:  # noqa: ANN401 - as `dataclasses.field`
    """A field of a dataclass that is a row of its table; the arguments are those of `DocumentField`."""
    row = {_ROW: (kind, about, of, most)}
    if kind is _K.MAP:
        return field(default_factory=dict, metadata=row)
    return field(default=of.type() if of is not None and kind is _K.RECORD else _EMPTY.get(kind, ()), metadata=row)


def _shape(of: type[Any], *, heading: tuple[str, ...] = (), body: str = "") -> ThingShape:
    """The table of a dataclass: its rows, in their order."""
    rows = tuple(DocumentField(one.name, *one.metadata[_ROW]) for one in fields(of) if _ROW in one.metadata)
    return ThingShape(of, rows, heading, body)


@dataclass(frozen=True, slots=True)
class FreeSection:
    """A section of Markdown that no phase knows, kept as it is."""

    heading: str
    """"" for what stands before the first section."""
    text: str
    """Lines as they were written."""


@dataclass(frozen=True, slots=True)
class Document:
    """The fields that all documents have."""

    phase: ClassVar[PhaseName]

    title: str = field(default="", kw_only=True)
    """The spec's."""
    sections: tuple[FreeSection, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that one has to know."""

    path: str = _row(_K.PATH, "relative to the top of the repository")
    purpose: str = _row(_K.TEXT, "purpose of the file")


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """Something to find out before the work begins."""

    category: str = _row(_K.LINE, "problem, users, scope, technical or risks")
    question: str = _row(_K.TEXT, "the question, and the assumption until it is answered")


@dataclass(frozen=True, slots=True)
class Conventions:
    """How this code is written."""

    naming: str = _row(_K.TEXT, "naming of files, functions, tests")
    testing: str = _row(_K.TEXT, "test framework and style")
    patterns: str = _row(_K.TEXT, "structure that new code should follow")
    other: Other = ()


@dataclass(frozen=True, slots=True)
class FeatureOutline:
    """What is wanted, and what is not."""

    name: str = _row(_K.LINE, "short name")
    problem: str = _row(_K.TEXT, "the problem today, and who has it")
    scope_in: tuple[str, ...] = _row(_K.TEXTS, "included")
    scope_out: tuple[str, ...] = _row(_K.TEXTS, "excluded on purpose")
    other: Other = ()


KEY_FILE = _shape(KeyFile, body="path")
OPEN_QUESTION = _shape(OpenQuestion, body="question")
CONVENTIONS = _shape(Conventions)
FEATURE_OUTLINE = _shape(FeatureOutline)


@dataclass(frozen=True, slots=True)
class Explore(Document):
    """What is there, and what is to be found out."""

    phase: ClassVar[PhaseName] = PhaseName.EXPLORE

    codebase_summary: str = _row(_K.TEXT, "summary of the repository; more than 50 characters")
    project_type: str = _row(_K.LINE, "such as library, service or command line")
    tech_stack: tuple[str, ...] = _row(_K.TEXTS, "languages, frameworks and tools; at least two")
    structure: dict[str, str] = _row(_K.MAP, "folder → its contents; at least two")
    key_files: tuple[KeyFile, ...] = _row(_K.PAIRS, "files that matter for this feature; at least three", KEY_FILE)
    conventions: Conventions = _row(_K.RECORD, "conventions of this code", CONVENTIONS)
    questions: tuple[OpenQuestion, ...] = _row(_K.PAIRS, "open questions; at least one of each category", OPEN_QUESTION)
    feature: FeatureOutline = _row(_K.RECORD, "the feature", FEATURE_OUTLINE)
    patterns: tuple[str, ...] = _row(_K.TEXTS, "existing code that does something similar")
    related: tuple[str, ...] = _row(_K.TEXTS, "other features that it affects")


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold."""

    id: str = _row(_K.ID, "such as REQ-CART-001; keeps its meaning for ever")
    title: str = _row(_K.LINE, "a few words")
    type: str = _row(_K.LINE, "such as functional, performance or security")
    priority: str = _row(_K.LINE, "critical, high, medium or low")
    acceptance: tuple[str, ...] = _row(_K.TEXTS, "acceptance criteria; at least two")
    text: str = _row(_K.TEXT, "When <condition>, the <system> shall <response>")
    other: Other = ()


REQUIREMENT = _shape(Requirement, heading=("id", "title"), body="text")


@dataclass(frozen=True, slots=True)
class Requirements(Document):
    """What must hold when it is done."""

    phase: ClassVar[PhaseName] = PhaseName.REQUIREMENTS

    feature_name: str = _row(_K.LINE, "short name")
    requirements: tuple[Requirement, ...] = _row(_K.THINGS, "the requirements", REQUIREMENT, most=MAX_REQUIREMENTS)
    assumptions: tuple[str, ...] = _row(_K.TEXTS, "assumptions")
    out_of_scope: tuple[str, ...] = _row(_K.TEXTS, "excluded on purpose")
    traceability: dict[str, str] = _row(_K.MAP, "requirement → its source")


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the solution."""

    name: str = _row(_K.LINE, "short name")
    responsibility: str = _row(_K.TEXT, "responsibility of this component alone")
    other: Other = ()


@dataclass(frozen=True, slots=True)
class TestPlan:
    """How it is tested."""

    __test__: ClassVar[bool] = False  # no test of pytest's

    unit: str = _row(_K.TEXT, "unit tests")
    integration: str = _row(_K.TEXT, "integration tests")
    text: str = _row(_K.TEXT, "other remarks about testing")
    """Where it is not said by kind."""
    other: Other = ()


COMPONENT = _shape(Component, heading=("name",), body="responsibility")
TEST_PLAN = _shape(TestPlan, body="text")


@dataclass(frozen=True, slots=True)
class Design(Document):
    """How it will be built."""

    phase: ClassVar[PhaseName] = PhaseName.DESIGN

    feature_name: str = _row(_K.LINE, "short name")
    overview: str = _row(_K.TEXT, "overview of the solution; more than 100 characters")
    components: tuple[Component, ...] = _row(_K.THINGS, "components", COMPONENT)
    data_models: tuple[str, ...] = _row(_K.TEXTS, "data models; one text each")
    interfaces: tuple[str, ...] = _row(_K.TEXTS, "interfaces; one text each")
    errors: str = _row(_K.TEXT, "error handling")
    testing: TestPlan = _row(_K.RECORD, "test plan", TEST_PLAN)
    security: tuple[str, ...] = _row(_K.TEXTS, "risks and their mitigations; at least two")
    integration: tuple[str, ...] = _row(_K.TEXTS, "changes outside of the components")
    none_because: dict[str, str] = _row(_K.MAP, "field that is empty on purpose → reason")


@dataclass(frozen=True, slots=True)
class SpecTask:
    """One piece of the work; a quest is made of it."""

    id: str = _row(_K.ID, "such as TSK-001; keeps its meaning for ever")
    title: str = _row(_K.LINE, "a few words, beginning with a verb")
    type: str = _row(_K.LINE, "such as feature, test, docs or refactoring")
    priority: str = _row(_K.LINE, "high, medium or low")
    group: str = _row(_K.LINE, "one of the groups, such as TKT-001")
    creates: tuple[str, ...] = _row(
        _K.PATHS, "files that it creates, relative to the top of the repository", most=MAX_PATHS
    )
    modifies: tuple[str, ...] = _row(
        _K.PATHS, "files that it changes; they are there, or a task creates them", most=MAX_PATHS
    )
    hours: float | None = _row(_K.HOURS, "more than 0, at most 4")
    needs: tuple[str, ...] = _row(_K.IDS, "tasks that must be done before", most=MAX_NEEDS)
    requirements: tuple[str, ...] = _row(_K.IDS, "requirements that it covers")
    acceptance: tuple[str, ...] = _row(_K.TEXTS, "acceptance criteria")
    check: str = _row(_K.TEXT, "shell command that exits 0 once the task is done")
    no_check_because: str = _row(_K.TEXT, "reason why no command can check it")
    description: str = _row(_K.TEXT, "instructions for an engineer who has read the design")
    other: Other = ()


SPEC_TASK = _shape(SpecTask, heading=("id", "title"), body="description")


@dataclass(frozen=True, slots=True)
class Tasks(Document):
    """The work, cut into pieces."""

    phase: ClassVar[PhaseName] = PhaseName.TASKS

    groups: dict[str, str] = _row(_K.MAP, "TKT-001 → title")
    tasks: tuple[SpecTask, ...] = _row(_K.THINGS, "tasks of at most 4 hours each", SPEC_TASK, most=MAX_TASKS)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which tasks do something for a requirement."""

    requirement: str = _row(_K.ID, "of requirements.md")
    tasks: tuple[str, ...] = _row(_K.IDS, "tasks that cover it")


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The chain of tasks that takes longest."""

    tasks: tuple[str, ...] = _row(_K.IDS, "first to last")
    hours: float | None = _row(_K.HOURS, "of all of them")
    other: Other = ()


COVERAGE = _shape(Coverage, body="requirement")
CRITICAL_PATH = _shape(CriticalPath)


@dataclass(frozen=True, slots=True)
class Sync(Document):
    """What follows from requirements and tasks; computed."""

    phase: ClassVar[PhaseName] = PhaseName.SYNC

    coverage: tuple[Coverage, ...] = _row(_K.PAIRS, "requirement → the tasks that cover it", COVERAGE)
    order: tuple[str, ...] = _row(_K.IDS, "an order in which the tasks can be done")
    critical_path: CriticalPath = _row(_K.RECORD, "the chain of tasks that takes longest", CRITICAL_PATH)
    hours: float | None = _row(_K.HOURS, "of all tasks")
    blockers: tuple[str, ...] = _row(_K.TEXTS, "faults of other documents")


SHAPES: Mapping[PhaseName, ThingShape] = {
    one.phase: _shape(one) for one in (Explore, Requirements, Design, Tasks, Sync)
}
"""What the document of each phase consists of, in the order in which it is written."""
