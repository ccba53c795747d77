"""The five documents of a spec: what each holds, as types, and as tables of which JSON, Markdown and schema are made.

A document is read from JSON (`document_json`) or Markdown (`markdown`), always by the same tables, so that both say the
same. What is absent is empty: a text is "", a list is (), hours are None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, NamedTuple, TypeAlias

from overmind_core.domain.specs.spec import PhaseName

MAX_BYTES = 1 << 20
"""Of a document."""
MAX_TASKS = 500
MAX_REQUIREMENTS = 200
MAX_TEXT = 20_000
"""Characters of one text."""
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


@dataclass(frozen=True, slots=True)
class FreeSection:
    """A section of Markdown that no phase knows, kept as it is."""

    heading: str
    """"" for what stands before the first section."""
    text: str
    """Lines as they were written."""


@dataclass(frozen=True, slots=True)
class Document:
    """What all of them have."""

    phase: ClassVar[PhaseName]

    title: str = field(default="", kw_only=True)
    """The spec's."""
    sections: tuple[FreeSection, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file that one has to know."""

    path: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """Something to find out before the work begins."""

    category: str = ""
    question: str = ""


@dataclass(frozen=True, slots=True)
class Conventions:
    """How this code is written."""

    naming: str = ""
    testing: str = ""
    patterns: str = ""
    other: Other = ()


@dataclass(frozen=True, slots=True)
class FeatureOutline:
    """What is wanted, and what is not."""

    name: str = ""
    problem: str = ""
    scope_in: tuple[str, ...] = ()
    scope_out: tuple[str, ...] = ()
    other: Other = ()


@dataclass(frozen=True, slots=True)
class Explore(Document):
    """What is there, and what is to be found out."""

    phase: ClassVar[PhaseName] = PhaseName.EXPLORE

    codebase_summary: str = ""
    project_type: str = ""
    tech_stack: tuple[str, ...] = ()
    structure: dict[str, str] = field(default_factory=dict)
    key_files: tuple[KeyFile, ...] = ()
    conventions: Conventions = Conventions()
    questions: tuple[OpenQuestion, ...] = ()
    feature: FeatureOutline = FeatureOutline()
    patterns: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """What must hold."""

    id: str = ""
    title: str = ""
    text: str = ""
    type: str = ""
    priority: str = ""
    acceptance: tuple[str, ...] = ()
    other: Other = ()


@dataclass(frozen=True, slots=True)
class Requirements(Document):
    """What must hold when it is done."""

    phase: ClassVar[PhaseName] = PhaseName.REQUIREMENTS

    feature_name: str = ""
    requirements: tuple[Requirement, ...] = ()
    assumptions: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    traceability: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the solution."""

    name: str = ""
    responsibility: str = ""
    other: Other = ()


@dataclass(frozen=True, slots=True)
class TestPlan:
    """How it is tested."""

    __test__: ClassVar[bool] = False  # no test of pytest's

    unit: str = ""
    integration: str = ""
    text: str = ""
    """Where it is not said by kind."""
    other: Other = ()


@dataclass(frozen=True, slots=True)
class Design(Document):
    """How it will be built."""

    phase: ClassVar[PhaseName] = PhaseName.DESIGN

    feature_name: str = ""
    overview: str = ""
    components: tuple[Component, ...] = ()
    data_models: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    errors: str = ""
    testing: TestPlan = TestPlan()
    security: tuple[str, ...] = ()
    integration: tuple[str, ...] = ()
    none_because: dict[str, str] = field(default_factory=dict)
    """Field that is left out on purpose → why."""


@dataclass(frozen=True, slots=True)
class SpecTask:
    """One piece of the work; a quest is made of it."""

    id: str = ""
    title: str = ""
    description: str = ""
    type: str = ""
    priority: str = ""
    group: str = ""
    creates: tuple[str, ...] = ()
    modifies: tuple[str, ...] = ()
    hours: float | None = None
    needs: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    acceptance: tuple[str, ...] = ()
    check: str = ""
    no_check_because: str = ""
    other: Other = ()


@dataclass(frozen=True, slots=True)
class Tasks(Document):
    """The work, cut into pieces."""

    phase: ClassVar[PhaseName] = PhaseName.TASKS

    groups: dict[str, str] = field(default_factory=dict)
    tasks: tuple[SpecTask, ...] = ()


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which tasks do something for a requirement."""

    requirement: str = ""
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The chain of tasks that takes longest."""

    tasks: tuple[str, ...] = ()
    hours: float | None = None
    other: Other = ()


@dataclass(frozen=True, slots=True)
class Sync(Document):
    """What follows from requirements and tasks; computed."""

    phase: ClassVar[PhaseName] = PhaseName.SYNC

    coverage: tuple[Coverage, ...] = ()
    order: tuple[str, ...] = ()
    critical_path: CriticalPath = CriticalPath()
    hours: float | None = None
    blockers: tuple[str, ...] = ()


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


def _row(
    name: str, kind: FieldKind, about: str, of: ThingShape | None = None, *, most: int | None = None
) -> DocumentField:
    return DocumentField(name, kind, about, of, most)


_K = FieldKind

KEY_FILE = ThingShape(
    KeyFile,
    (
        _row("path", _K.PATH, "relative to the top of the repository"),
        _row("purpose", _K.TEXT, "purpose of the file"),
    ),
    body="path",
)
OPEN_QUESTION = ThingShape(
    OpenQuestion,
    (
        _row("category", _K.LINE, "problem, users, scope, technical or risks"),
        _row("question", _K.TEXT, "the question, and the assumption until it is answered"),
    ),
    body="question",
)
CONVENTIONS = ThingShape(
    Conventions,
    (
        _row("naming", _K.TEXT, "naming of files, functions, tests"),
        _row("testing", _K.TEXT, "test framework and style"),
        _row("patterns", _K.TEXT, "structure that new code should follow"),
    ),
)
FEATURE_OUTLINE = ThingShape(
    FeatureOutline,
    (
        _row("name", _K.LINE, "short name"),
        _row("problem", _K.TEXT, "the problem today, and who has it"),
        _row("scope_in", _K.TEXTS, "included"),
        _row("scope_out", _K.TEXTS, "excluded on purpose"),
    ),
)
REQUIREMENT = ThingShape(
    Requirement,
    (
        _row("id", _K.ID, "such as REQ-CART-001; keeps its meaning for ever"),
        _row("title", _K.LINE, "a few words"),
        _row("type", _K.LINE, "such as functional, performance or security"),
        _row("priority", _K.LINE, "critical, high, medium or low"),
        _row("acceptance", _K.TEXTS, "acceptance criteria; at least two"),
        _row("text", _K.TEXT, "When <condition>, the <system> shall <response>"),
    ),
    heading=("id", "title"),
    body="text",
)
COMPONENT = ThingShape(
    Component,
    (
        _row("name", _K.LINE, "short name"),
        _row("responsibility", _K.TEXT, "responsibility of this component alone"),
    ),
    heading=("name",),
    body="responsibility",
)
TEST_PLAN = ThingShape(
    TestPlan,
    (
        _row("unit", _K.TEXT, "unit tests"),
        _row("integration", _K.TEXT, "integration tests"),
        _row("text", _K.TEXT, "other remarks about testing"),
    ),
    body="text",
)
SPEC_TASK = ThingShape(
    SpecTask,
    (
        _row("id", _K.ID, "such as TSK-001; keeps its meaning for ever"),
        _row("title", _K.LINE, "a few words, beginning with a verb"),
        _row("type", _K.LINE, "such as feature, test, docs or refactoring"),
        _row("priority", _K.LINE, "high, medium or low"),
        _row("group", _K.LINE, "one of the groups, such as TKT-001"),
        _row("creates", _K.PATHS, "files that it creates, relative to the top of the repository", most=MAX_PATHS),
        _row("modifies", _K.PATHS, "files that it changes; they are there, or a task creates them", most=MAX_PATHS),
        _row("hours", _K.HOURS, "more than 0, at most 4"),
        _row("needs", _K.IDS, "tasks that must be done before", most=MAX_NEEDS),
        _row("requirements", _K.IDS, "requirements that it covers"),
        _row("acceptance", _K.TEXTS, "acceptance criteria"),
        _row("check", _K.TEXT, "shell command that exits 0 once the task is done"),
        _row("no_check_because", _K.TEXT, "reason why no command can check it"),
        _row("description", _K.TEXT, "instructions for an engineer who has read the design"),
    ),
    heading=("id", "title"),
    body="description",
)
COVERAGE = ThingShape(
    Coverage,
    (
        _row("requirement", _K.ID, "of requirements.md"),
        _row("tasks", _K.IDS, "tasks that cover it"),
    ),
    body="requirement",
)
CRITICAL_PATH = ThingShape(
    CriticalPath,
    (
        _row("tasks", _K.IDS, "first to last"),
        _row("hours", _K.HOURS, "of all of them"),
    ),
)

SHAPES: dict[PhaseName, ThingShape] = {
    PhaseName.EXPLORE: ThingShape(
        Explore,
        (
            _row("codebase_summary", _K.TEXT, "summary of the repository; more than 50 characters"),
            _row("project_type", _K.LINE, "such as library, service or command line"),
            _row("tech_stack", _K.TEXTS, "languages, frameworks and tools; at least two"),
            _row("structure", _K.MAP, "folder → its contents; at least two"),
            _row("key_files", _K.PAIRS, "files that matter for this feature; at least three", KEY_FILE),
            _row("conventions", _K.RECORD, "conventions of this code", CONVENTIONS),
            _row("questions", _K.PAIRS, "open questions; at least one of each category", OPEN_QUESTION),
            _row("feature", _K.RECORD, "the feature", FEATURE_OUTLINE),
            _row("patterns", _K.TEXTS, "existing code that does something similar"),
            _row("related", _K.TEXTS, "other features that it affects"),
        ),
    ),
    PhaseName.REQUIREMENTS: ThingShape(
        Requirements,
        (
            _row("feature_name", _K.LINE, "short name"),
            _row("requirements", _K.THINGS, "the requirements", REQUIREMENT, most=MAX_REQUIREMENTS),
            _row("assumptions", _K.TEXTS, "assumptions"),
            _row("out_of_scope", _K.TEXTS, "excluded on purpose"),
            _row("traceability", _K.MAP, "requirement → its source"),
        ),
    ),
    PhaseName.DESIGN: ThingShape(
        Design,
        (
            _row("feature_name", _K.LINE, "short name"),
            _row("overview", _K.TEXT, "overview of the solution; more than 100 characters"),
            _row("components", _K.THINGS, "components", COMPONENT),
            _row("data_models", _K.TEXTS, "data models; one text each"),
            _row("interfaces", _K.TEXTS, "interfaces; one text each"),
            _row("errors", _K.TEXT, "error handling"),
            _row("testing", _K.RECORD, "test plan", TEST_PLAN),
            _row("security", _K.TEXTS, "risks and their mitigations; at least two"),
            _row("integration", _K.TEXTS, "changes outside of the components"),
            _row("none_because", _K.MAP, "field that is empty on purpose → reason"),
        ),
    ),
    PhaseName.TASKS: ThingShape(
        Tasks,
        (
            _row("groups", _K.MAP, "TKT-001 → title"),
            _row("tasks", _K.THINGS, "tasks of at most 4 hours each", SPEC_TASK, most=MAX_TASKS),
        ),
    ),
    PhaseName.SYNC: ThingShape(
        Sync,
        (
            _row("coverage", _K.PAIRS, "requirement → the tasks that cover it", COVERAGE),
            _row("order", _K.IDS, "an order in which the tasks can be done"),
            _row("critical_path", _K.RECORD, "the chain of tasks that takes longest", CRITICAL_PATH),
            _row("hours", _K.HOURS, "of all tasks"),
            _row("blockers", _K.TEXTS, "faults of other documents"),
        ),
    ),
}
"""What the document of each phase consists of, in the order in which it is written."""
