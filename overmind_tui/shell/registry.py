"""The registry of views, a row each: what it is called, what it shows, how it is asked for, where its keys are.

A table needs no more than its row: the page that shows it reads everything from here. Any other view names the function
that opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from overmind_tui.board import rows as board_rows
from overmind_tui.health import rows as health_rows
from overmind_tui.landing import lines
from overmind_tui.learning import rows as learning_rows
from overmind_tui.missions import columns as missions_columns
from overmind_tui.missions.columns import Column
from overmind_tui.notes import rows as notes_rows
from overmind_tui.plans import rows
from overmind_tui.quests import rows as quests_rows
from overmind_tui.queue import rows as queue_rows
from overmind_tui.render import tables
from overmind_tui.schedules import rows as schedules_rows
from overmind_tui.shell.actions import Context
from overmind_tui.specs import rows as specs_rows
from overmind_tui.timeline import rows as timeline_rows


class Fetch(NamedTuple):
    """Where the rows of a table come from.

    Attributes:
        request: What the supervisor is asked.
        arguments: With these.
        shape: The answer as rows.
        every: Seconds after which it is asked again; 0: only when something happened.
        events: Kinds of events after which it is asked again; `*` is any.
        ways: Word that may follow the view's → the arguments that it means.
    """

    request: str
    arguments: Mapping[str, Any]
    shape: tables.Shape
    every: float = 0.0
    events: frozenset[str] = frozenset()
    ways: Mapping[str, Mapping[str, Any]] = {}


class View(NamedTuple):
    """A view that `:` and `-c` know.

    Attributes:
        name: The word for it.
        aliases: Other words.
        summary: One line for the list of commands.
        context: Whose keys it has.
        empty: What it says when it has nothing to show, and what to type then; a line break starts another line.
        opens: `module:function`, called with the shell, this row, and what was asked for (`parse.Show`).
        columns: Of a table.
        fetch: Where its rows come from.
        order: The column that orders the rows to begin with; "" is the order of the answer.
        orders: Key of a column → what is compared.
        at_end: The newest row is the last one, and the cursor begins there.
        missions: Its rows are missions: the keys of a mission act on them.
        about: It is about one mission, which may be named.
        named: What a word behind the view's names, of which nobody here knows all: a spec; "" takes no such word.
        rows_of: The view whose verbs act on its rows, where that is another one.
    """

    name: str
    aliases: tuple[str, ...]
    summary: str
    context: Context
    empty: str = ""
    opens: str = "overmind_tui.pages.table:open_table"
    columns: tuple[Column, ...] = ()
    fetch: Fetch | None = None
    order: str = ""
    orders: tables.Orders = tables.NO_ORDERS
    at_end: bool = False
    missions: bool = False
    about: bool = False
    named: str = ""
    rows_of: str = ""


FIRST_ROWS = {"limit": quests_rows.FIRST}
VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        View(
            "missions",
            ("m", "mission", "ms", "monitor"),
            "missions, with the log and load of the selected one",
            Context.MISSIONS,
            "No missions yet.",
            "overmind_tui.shell.views:missions",
            missions_columns.MISSIONS,
        ),
        View(
            "logs",
            ("l", "log"),
            "log of the selected or named mission",
            Context.LOG,
            "No output yet.",
            "overmind_tui.shell.views:logs",
            about=True,
        ),
        View(
            "describe",
            ("desc",),
            "details of the selected or named mission",
            Context.TEXT,
            "No mission is selected.  :missions chooses one",
            "overmind_tui.shell.views:of_mission",
            about=True,
        ),
        View(
            "changes",
            ("diff", "vc"),
            "changes in the folder of the selected or named mission",
            Context.CHANGES,
            "No mission is selected.  :missions chooses one",
            "overmind_tui.shell.views:of_mission",
            about=True,
        ),
        View(
            "events",
            ("e", "ev", "event"),
            "events, newest last",
            Context.TABLE,
            "No events yet.\n:new starts a mission   :demo starts a demonstration",
            "overmind_tui.events.page:open_events",
            tables.EVENTS,
            Fetch("events", {}, tables.events, events=frozenset({"*"})),
            orders=tables.EVENT_ORDERS,
            at_end=True,
        ),
        View(
            "inbox",
            ("i", "needs"),
            "agents that wait for you or have finished a turn",
            Context.TEXT,
            "Nothing needs your attention.",
            "overmind_tui.shell.views:inbox",
        ),
        View(
            "top",
            ("t", "load"),
            "resource use of live missions",
            Context.MISSIONS,
            "No live missions.\n:new starts a mission   :demo starts a demonstration",
            columns=tables.TOP,
            fetch=Fetch("top", {}, tables.top, every=1.0, events=frozenset({"*"})),
            order="cpu",
            orders=tables.TOP_ORDERS,
            missions=True,
        ),
        View(
            "cost",
            ("costs", "usage"),
            "cost of agents; also: cost day, cost label",
            Context.TABLE,
            "No costs yet.\n:new claude fix the tests   starts an agent",
            columns=tables.COST,
            fetch=Fetch(
                "cost",
                {"by": "mission"},
                tables.cost,
                events=frozenset({"turn_ended", "removed"}),
                ways={by: {"by": by} for by in ("mission", "day", "label")},
            ),
            orders=tables.COST_ORDERS,
        ),
        View(
            "blueprints",
            ("bp", "plans", "pipelines"),
            "all plans and their progress",
            Context.PLANS,
            "No plans yet.\n:init writes an example   :apply blueprint.toml starts it",
            "overmind_tui.plans.page:open_plans",
            rows.PLANS_COLUMNS,
            Fetch("plans", {}, rows.plans, events=rows.CHANGES),
            orders=rows.PLAN_ORDERS,
            about=True,
        ),
        View(
            "plan",
            ("dag",),
            "agents of the selected or named plan, live",
            Context.PLAN,
            "This plan has no agents.\n:blueprints lists all plans",
            "overmind_tui.plans.page:open_plan",
            rows.COLUMNS,
            Fetch("plan", {}, rows.whole, events=rows.CHANGES),
            orders=rows.AGENT_ORDERS,
            about=True,
        ),
        View(
            "quests",
            ("quest",),
            "one-time work and its result",
            Context.QUESTS,
            "No quests yet.\n:quest run make test   starts one",
            "overmind_tui.quests.page:open_quests",
            quests_rows.COLUMNS,
            Fetch("quests", {}, quests_rows.quests, events=quests_rows.CHANGES),
            orders=quests_rows.ORDERS,
        ),
        View(
            "board",
            ("kb", "kanban"),
            "all quests as cards in five columns, or those of a spec",
            Context.BOARD,
            "No quests yet.\n:quest add 'Build the site' -- make site   puts one into the queue",
            "overmind_tui.board.page:open_board",
            fetch=Fetch("board", FIRST_ROWS, board_rows.whole, 5.0, quests_rows.CHANGES, {"all": {"all": True}}),
            named="spec",
            rows_of="quests",
        ),
        View(
            "queue",
            ("qu",),
            "quests that wait for their turn, and why",
            Context.QUEUE,
            "The queue is empty.\n:quest add 'Build the site' -- make site   puts a quest into it",
            "overmind_tui.queue.page:open_queue",
            queue_rows.COLUMNS,
            Fetch("queue", FIRST_ROWS, queue_rows.whole, 5.0, quests_rows.CHANGES),
            orders=queue_rows.ORDERS,
            rows_of="quests",
        ),
        View(
            "specs",
            ("sp",),
            "specs: their phases, tasks and cost",
            Context.SPECS,
            "No specs yet.\n:spec new 'Shopping carts' --provider claude   creates one\n"
            ":spec new 'Shopping carts' -- my-agent   with a command of yours",
            "overmind_tui.specs.page:open_specs",
            specs_rows.COLUMNS,
            Fetch("specs", {}, specs_rows.specs, 5.0, specs_rows.CHANGES, {"all": {"all": True}}),
            orders=specs_rows.ORDERS,
            named="spec",
        ),
        View(
            "spec",
            (),
            "phases and tasks of the named spec, and its documents",
            Context.SPEC,
            "This spec has neither phases nor tasks.\n:specs lists all specs",
            "overmind_tui.specs.page:open_spec",
            specs_rows.PART_COLUMNS,
            Fetch("spec", {}, specs_rows.whole, 5.0, specs_rows.CHANGES),
            orders=specs_rows.PART_ORDERS,
            named="spec",
            rows_of="specs",
        ),
        View(
            "health",
            ("hl",),
            "signs of life and alignment of missions that run",
            Context.HEALTH,
            "No agents or tasks are running.\n:new claude fix the tests   starts an agent",
            "overmind_tui.health.page:open_health",
            health_rows.COLUMNS,
            Fetch("health", {}, health_rows.whole, 5.0, health_rows.CHANGES),
            orders=health_rows.ORDERS,
        ),
        View(
            "timeline",
            ("tl",),
            "timeline of the named quest, spec or mission",
            Context.TIMELINE,
            "Nothing has happened to it yet.\n:queue shows which quest is next",
            "overmind_tui.timeline.page:open_timeline",
            timeline_rows.COLUMNS,
            Fetch("timeline", {}, timeline_rows.whole, events=frozenset({"*"})),
            orders=timeline_rows.ORDERS,
            at_end=True,
            about=True,
            named="quest, spec or mission",
        ),
        View(
            "learn",
            ("lessons", "lesson"),
            "how quests went, and the lessons they taught; also: learn provider, learn model, learn spec",
            Context.LEARN,
            "No quest of the queue has had an attempt yet.\n"
            ":quest add 'Build the site' -- make site   puts one into the queue",
            "overmind_tui.learning.page:open_learn",
            learning_rows.COLUMNS,
            Fetch(
                "notes",
                learning_rows.LESSONS,
                notes_rows.whole,
                0.0,
                learning_rows.CHANGES,
                dict.fromkeys(learning_rows.GROUPS, learning_rows.LESSONS),
            ),
            orders=notes_rows.ORDERS,
        ),
        View(
            "notes",
            ("note", "memory", "akasha"),
            "notes that agents and people left for the next one; also: notes proposed, notes conflicts, notes all",
            Context.NOTES,
            "No notes yet.\n:remember The tests need Redis: make redis   writes one\nn   writes one in a box",
            "overmind_tui.notes.page:open_notes",
            notes_rows.COLUMNS,
            Fetch("notes", {}, notes_rows.whole, events=notes_rows.CHANGES, ways=notes_rows.WAYS),
            orders=notes_rows.ORDERS,
        ),
        View(
            "rituals",
            ("ritual", "cron", "schedules"),
            "work on a schedule",
            Context.RITUALS,
            "No rituals yet.\n:ritual create nightly '0 3 * * *' make backup   creates one",
            "overmind_tui.schedules.page:open_rituals",
            schedules_rows.RITUALS_COLUMNS,
            Fetch("rituals", {}, schedules_rows.rituals, events=schedules_rows.RITUALS_CHANGES),
            orders=schedules_rows.RITUAL_ORDERS,
        ),
        View(
            "worktrees",
            ("wt", "worktree"),
            "worktrees of isolated missions, to land or discard",
            Context.WORKTREES,
            "No worktrees yet.\n:run --isolate make test   runs a mission in its own worktree, with its own ports\n"
            ":init --isolation   writes .overmind.yml, which gives every mission a worktree",
            "overmind_tui.landing.page:open_worktrees",
            lines.COLUMNS,
            Fetch("worktrees", {"ids": None}, lines.worktrees, events=lines.CHANGES),
            orders=lines.ORDERS,
        ),
        View(
            "doctor",
            ("dr", "check"),
            "installed programs and problems, with fixes",
            Context.TEXT,
            "Checking …",
            "overmind_tui.doctor.page:open_doctor",
        ),
        View("help", ("h", "keys"), "keys of this view", Context.TEXT, opens="overmind_tui.shell.views:help_here"),
        View(
            "aliases",
            ("commands", "a"),
            "all views and commands, your aliases and hotkeys",
            Context.TEXT,
            opens="overmind_tui.shell.views:aliases",
        ),
    )
}
RUNS = View(
    "history",
    (),
    "runs of a ritual",
    Context.RUNS,
    "No runs yet.",
    columns=schedules_rows.RUNS,
    fetch=Fetch("ritual_history", {}, schedules_rows.runs, events=schedules_rows.RITUALS_CHANGES),
    orders=schedules_rows.RUN_ORDERS,
)
"""Opened from the row of its ritual."""
LEAVE = {"q": True, "quit": True, "exit": True, "q!": False, "qa": True, "qa!": False}
"""Word after `:` that leaves the program → whether it asks about missions that only this program supervises."""
COLONIES = ("local",)
"""Where missions live; there is one."""
_ONE_COLONY = "this home has one colony; another home: OVERMIND_HOME=… overmind tui"
SAYINGS = {
    "ns": _ONE_COLONY,
    "namespace": _ONE_COLONY,
    "ctx": _ONE_COLONY,
    "context": _ONE_COLONY,
    "colony": _ONE_COLONY,
}
"""Words of other programs → what they are here."""


def words() -> dict[str, str]:
    """Word → name of its view."""
    return {word: view.name for view in VIEWS.values() for word in (view.name, *view.aliases)}


def find(word: str) -> View | None:
    """The view that a word means."""
    name = words().get(word)
    return None if name is None else VIEWS[name]
