"""Pictures of specs, of one spec and of its documents in 80x24 and 120x40."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from overmind_core.domain.specs.spec import PHASES, PhaseName
from tests.kit.pictures import SIZES
from tests.kit.spec_documents import TASKS, WHOLE, write_documents
from tests.tui.test_pictures import Still, mission
from tests.tui.test_pictures_board import in_queue, queued
from tests.tui.test_pictures_plans import at, press

SLUG, SPEC = "carts", "5bec0001"
STATES = {"explore": "passed", "requirements": "stale", "design": "failed", "tasks": "review", "sync": "pending"}


def phase(name, state="passed", score: float | None = 0.95, **more) -> Any:
    """A phase of a spec."""
    usual = {"attempts": 1, "sha256": "0" * 64, "faults": [], "hints": [], "question": None, "quest": "00000060"}
    return {"phase": name, "state": state, "score": score, **usual, **more}


def pending(name) -> Any:
    """One that has not begun."""
    return phase(name, "pending", None, attempts=0, sha256=None, quest=None)


def spec(number, slug, state, phases, **more) -> Any:
    """A spec, as the request `spec` answers."""
    usual: Any = {
        "title": slug.capitalize(), "folder": "/srv/work/.overmind/specs/" + slug, "branch": None, "base": "main",
        "gates": ["tasks", "merge"], "threshold": 0.7, "cost_usd": None, "cost_unknown": 0, "max_cost_usd": None,
        "tasks": {}, "question": None, "created_at": at(7200), "changed_since": None,
        "drift": [], "drift_of": 12, "coverage": [],
        "critical_path": {"tasks": [], "hours": None}, "hours": None, "landed": None, "verify": None,
    }  # fmt: skip
    return {"id": f"5bec{number:04x}", "slug": slug, "state": state, "phases": phases, **usual, **more}


PASSED = [phase(name) for name in PHASES]
GATED = spec(
    1, SLUG, "review",
    [
        phase("explore"),
        phase("requirements", "stale", 0.82, attempts=2),
        phase("design", "failed", 0.61, faults=["design.md:12: no components", "design.md: scores 0.61, below 0.70"]),
        phase("tasks", "review", 0.9325, question=4, hints=["give TSK-002 a check"]),
        pending("sync"),
    ],
    title="Shopping [red]carts[/] \x1b[2J 日本", cost_usd=1.2, cost_unknown=1, max_cost_usd=20.0, drift=["shop/app.py"],
)  # fmt: skip
WORKING = spec(
    2, "login", "working", PASSED, branch="spec/login", tasks={"completed": 2, "running": 1, "queued": 3, "failed": 1},
    cost_usd=4.1, critical_path={"tasks": ["TSK-001", "TSK-003"], "hours": 5.5}, hours=9.0,
    coverage=[{"requirement": "REQ-CART-001", "tasks": ["TSK-001"]}, {"requirement": "REQ-CART-002", "tasks": []}],
)  # fmt: skip
SPECS = [
    GATED,
    WORKING,
    spec(3, "search-in-all-books-and-authors", "draft", [pending(name) for name in PHASES]),
    spec(4, "vouchers", "done", PASSED, tasks={"completed": 5}, cost_usd=12.5, created_at=at(400_000),
         landed={"branch": "main", "before": "a" * 40, "after": "b" * 40}),
    spec(5, "invoices", "stuck", PASSED, tasks={"completed": 1, "failed": 1, "queued": 2}),
]  # fmt: skip
QUESTIONS: list[Any] = [
    {"question": 4, "id": SPEC, "name": SLUG, "need": "phase", "part": "tasks", "tool": None, "options": [],
     "summary": "carts: tasks passed with 0.9325", "rule": None,
     "subject": {"lines": ["3 tasks, 5.5 hours", "new command: pytest -q"]},
     "asked_at": at(120), "attach_only": False, "about": {"kind": "spec", "id": SPEC, "name": SLUG}},
]  # fmt: skip
QUESTS = [
    in_queue(0x60, "login/tasks", "completed", 900, 800),
    in_queue(0x61, "login/TSK-001", "completed", 700, 600, cost_usd=0.5),
    in_queue(0x62, "login/TSK-002", "running", 240, phase="work", cost_usd=0.12),
    queued(0x63, "login/TSK-003", 1, "waits for login/TSK-002 (running 4m)"),
    in_queue(0x64, "login/R-001", "failed", 300, 100, reason="retries_spent", tries=3, title="A [b]bug[/b] in the cart",
             **{"class": "check_failed"}),
]  # fmt: skip
SYNCED: Any = {
    "id": SPEC, "slug": SLUG, "dry_run": True, "created": 1, "updated": 1, "skipped": 1, "conflicts": 1, "cancelled": 1,
    "steps": [
        {"action": action, "task": f"TSK-{number:03}", "quest": None}
        for number, action in enumerate(("create", "update", "skip", "conflict", "cancel"), 1)
    ],
}  # fmt: skip


def three_tasks() -> Any:
    """A document of tasks whose last one needs both others."""
    first, second = TASKS["tasks"]
    needs = ["TSK-001", "TSK-002"]
    third = {**second, "id": "TSK-003", "title": "Show the cart 日本 [red]", "needs": needs, "hours": 2}
    return {**TASKS, "tasks": [first, {**second, "needs": []}, third]}


class Specified(Still):
    """The program with specs that stand still."""

    other_answer: ClassVar[Any] = {}
    answers: ClassVar[dict[str, Any]] = {"specs": SPECS, "quests": QUESTS, "spec_sync": SYNCED}
    folder = ""
    """Of all specs."""

    def __init__(self, **how):
        super().__init__([mission(0x62, "login/TSK-002", "running")], **how)

    def _start(self):
        self.fleet.apply(self._rows, (), everything=True)
        self.fleet.questions = QUESTIONS
        self.main.rearrange()

    def answer(self, command, given):
        if command == "spec":
            return next(self.placed(one) for one in SPECS if given["id"] in {one["id"], one["slug"]})
        if command == "specs":
            return [self.placed(one) for one in self.answers["specs"]]
        return super().answer(command, given)

    def placed(self, one):
        return {**one, "folder": f"{self.folder}/{one['slug']}"}

    def background(self, work):
        """At once: nobody waits for threads here."""
        then = work()
        if then is not None:
            then()


class NoSpecs(Specified):
    """The same with none."""

    answers: ClassVar[dict[str, Any]] = {**Specified.answers, "specs": []}


@pytest.fixture
def specified(tmp_path, monkeypatch):
    """The folder of specs, with documents in two of them."""
    monkeypatch.setattr(Specified, "folder", str(tmp_path))
    for one in (SLUG, "login"):
        (tmp_path / one).mkdir()
        write_documents(str(tmp_path / one), {**WHOLE, PhaseName.TASKS: three_tasks()})
    (tmp_path / SLUG / "brief.md").write_text("# Carts\n\nVisitors want [b]carts[/b] \x1b[2J.\n")


VIEWS = {
    "specs": (":sp", "enter"),
    "spec": (":spec login", "enter", "G"),
    "spec_gated": (":spec carts", "enter"),
    "document": (":spec carts", "enter", "enter", "ctrl+d"),
    "document_faulty": (":spec carts", "enter", "up", "enter", "down", "down"),
}
ONCE = {
    "specs_help": (":specs", "enter", "question_mark"),
    "comment": (":spec carts", "enter", "G", "#", "#", *"split it"),
    "archive_asks": (":specs", "enter", "down", "ctrl+d"),
    "question_of_a_spec": (":specs", "enter", "y"),
    "spec_filtered": (":spec login", "enter", "/TSK", "enter"),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
def test_view(specified, pictured, view, size):
    del specified
    assert pictured(Specified(), size, press(*VIEWS[view]), afresh=True)


@pytest.mark.parametrize("size", SIZES)
def test_described(pictured, size):
    assert pictured(Specified(), size, press(":specs", "enter", "down", "d"))


@pytest.mark.parametrize("view", ONCE)
def test_once(specified, snap_compare, view):
    del specified
    assert snap_compare(Specified(), terminal_size=SIZES["80x24"], run_before=press(*ONCE[view]))


@pytest.mark.parametrize("size", SIZES)
def test_empty(pictured, size):
    assert pictured(NoSpecs(), size, press(":specs", "enter"))


def test_sync_preview_in_a_light_theme(specified, snap_compare):
    del specified
    program = Specified(theme="light")
    assert snap_compare(program, terminal_size=SIZES["120x40"], run_before=press(":specs", "enter", "down", "v"))


def test_ascii(specified, snap_compare):
    del specified
    program = Specified()
    program.appearance.ascii_only = True
    assert snap_compare(program, terminal_size=SIZES["80x24"], run_before=press(*VIEWS["spec_gated"]))


@pytest.mark.parametrize("size", ["60x15", "200x60"])
def test_other_sizes(specified, snap_compare, size):
    del specified
    columns, rows = map(int, size.split("x"))
    assert snap_compare(Specified(), terminal_size=(columns, rows), run_before=press(*VIEWS["spec_gated"]))
