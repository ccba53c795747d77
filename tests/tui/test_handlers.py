"""Who does each action: one handler in each context, and none that no key and no verb reaches."""

from __future__ import annotations

import asyncio

import pytest

from overmind_core.view.actions import Context
from overmind_core.view.keymap import ACTIONS, keymap
from overmind_core.view.registry import RUNS, SWARM_BOARD, SWARM_QUEUE, VIEWS
from overmind_tui.board.page import BoardPage
from overmind_tui.changes.page import ChangesPage
from overmind_tui.command_line.parse import Show
from overmind_tui.command_line.verbs import VERBS
from overmind_tui.doctor.page import DoctorPage
from overmind_tui.events.page import EventsPage
from overmind_tui.health.page import HealthPage
from overmind_tui.hives.page import HivesPage
from overmind_tui.landing.page import WorktreesPage
from overmind_tui.learning.page import LearnPage
from overmind_tui.missions.describe_page import DescribePage
from overmind_tui.missions.screen import MissionsScreen
from overmind_tui.notes.note_page import NotePage
from overmind_tui.notes.page import NotesPage
from overmind_tui.pages.page import joined
from overmind_tui.pages.table import TablePage
from overmind_tui.pages.text import TextPage
from overmind_tui.plans.page import PlanPage, PlansPage
from overmind_tui.quests.page import QuestsPage
from overmind_tui.queue.page import QueuePage
from overmind_tui.schedules.page import RitualsPage, RunsPage
from overmind_tui.specs.document import DocumentPage
from overmind_tui.specs.page import SpecPage, SpecsPage
from overmind_tui.swarm.fleets_page import FleetsPage
from overmind_tui.swarm.pools_page import PoolsPage
from overmind_tui.swarm.posts_page import PostsPage, SwarmBoardPage, SwarmQueuePage
from overmind_tui.swarm.vault_page import VaultPage
from overmind_tui.timeline.page import TimelinePage
from overmind_tui.web.page import WebPage
from tests.tui.noted import WHOLE
from tests.tui.test_keys import REACHED, go_to, walk
from tests.tui.test_pictures import ROWS, Still, settle
from tests.tui.test_pictures_specs import GATED

MAIN = [Context.MISSIONS, Context.NEEDS, Context.LOG, Context.GIVEN, Context.LOOKING, Context.TYPING]
REPLACED = {
    *((context, "copy") for context in (Context.LOG, Context.LOOKING, Context.TEXT, Context.CHANGES, Context.DOCUMENT)),
    (Context.NOTE, "copy"),
    *((view.context, "copy") for view in (*VIEWS.values(), RUNS, SWARM_BOARD) if view.fetch),
    (Context.LOOKING, "restart"),
    (Context.LOOKING, "next-need"),
    (Context.MISSIONS, "question"),
    (Context.MISSIONS, "message"),
    (Context.NEEDS, "attach"),
} - {(Context.WORKTREES, "copy")}  # fmt: skip
"""What pages and panels do themselves, though it can be done to rows: its `c` copies what is shown, and so on."""
VIEWED = {"describe", "changes", "as-toml"}
"""What the missions screen does itself, too: at a gate to the mission that made what is asked about."""
INSIDE = {verb.inside or verb.asks for verb in VERBS.values()}
"""Actions that `:` does as a key would."""


def pages(app):
    """One page of each kind, the missions screen apart."""
    row, show, views = ROWS[0], Show(""), VIEWS
    messages = app.action_groups.messages
    return [
        TablePage(views["top"], show), TablePage(views["cost"], show), EventsPage(views["events"], show),
        PlansPage(views["plans"], show), PlanPage(views["plan"], show, row, follows=True),
        QuestsPage(views["quests"], show), BoardPage(views["board"], show), QueuePage(views["queue"], show),
        HivesPage(views["hives"], show), PostsPage(views["swarm"], show), SwarmQueuePage(SWARM_QUEUE, show),
        SwarmBoardPage(SWARM_BOARD, show), FleetsPage(views["fleets"], show), PoolsPage(views["pools"], show),
        VaultPage(views["vault"], show),
        SpecsPage(views["specs"], show), SpecPage(views["spec"], show, "5bec0001", "carts"),
        DocumentPage(app.action_groups.specs, GATED, "tasks"),
        HealthPage(views["health"], show), TimelinePage(views["timeline"], show, row["id"], row["name"]),
        LearnPage(views["learn"], show), NotesPage(views["notes"], show), NotePage(app, WHOLE),
        RitualsPage(views["rituals"], show), RunsPage(RUNS, show, row),
        WorktreesPage(views["worktrees"], show), ChangesPage(row, messages),
        TextPage("toml", "text", list), DescribePage(row, []), DoctorPage(views["doctor"]),
        WebPage(views["web"]),
    ]  # fmt: skip


def in_program(look):
    """Call `look` with a program that shows missions that never change."""

    async def whole():
        app = Still()
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(pilot)
            look(app)

    asyncio.run(whole())


def doers(app, page, context, name):
    """Who does an action there."""
    moves = page.focused is not None and page.focused.press(name)
    found = {"page": name in page.handlers(context), "rows": app.actions.does(name), "widget": moves}
    return [who for who, does in found.items() if does]


def asserted(app, page, context):
    replaced = set()
    for action in keymap(context).values():
        found = doers(app, page, context, action.name)
        if found == ["page", "rows"]:
            replaced.add((context, action.name))
            continue
        elsewhere = isinstance(page, TablePage) and action.context is Context.MISSIONS  # on the missions screen
        if action.context is Context.EVERYWHERE or elsewhere:  # not everything means something everywhere
            assert len(found) <= 1, (context, action.name, found)
        else:
            assert len(found) == 1, (context, action.name, found)
    return replaced


@pytest.mark.parametrize("context", [one for one in REACHED if one in MAIN])
def test_each_action_of_the_missions_screen_has_one_handler(context, monkeypatch):
    async def scenario(app, pilot):
        await go_to(app, pilot, context)
        assert app.screen is app.main
        viewed = {(context, action.name) for action in keymap(context).values() if action.name in VIEWED}
        own = {one for one in REPLACED if one[0] is context} - {(Context.MISSIONS, "copy")}
        assert asserted(app, app.main, context) == own | viewed

    walk(scenario, monkeypatch)


def test_each_action_of_the_other_pages_has_one_handler(monkeypatch):
    async def scenario(app, pilot):
        replaced = set()
        for page in pages(app):
            app.open(page)
            await settle(pilot)
            replaced |= asserted(app, page, page.context)
            app.pop_screen()
        elsewhere = {Context.LOG, Context.LOOKING, Context.NEEDS, Context.CONVERSATIONS}
        assert replaced == {one for one in REPLACED if one[0] not in elsewhere} - {
            (Context.MISSIONS, "question"),
            (Context.MISSIONS, "message"),
        }

    walk(scenario, monkeypatch)


def test_no_handler_of_a_page_is_out_of_reach():
    def look(app):
        for family in (MissionsScreen, TablePage, ChangesPage, DescribePage, DoctorPage, DocumentPage):
            ours = [page for page in (app.main, *pages(app)) if isinstance(page, family)]
            handled = {name for page in ours for context in page.contexts for name in page.handlers(context)}
            meant = {action.name for page in ours for context in page.contexts for action in keymap(context).values()}
            assert handled - meant - INSIDE == set(), family

    in_program(look)


def test_no_action_on_rows_is_out_of_reach_and_every_action_of_everywhere_is_done_somewhere():
    def look(app):
        names = {action.name for context in Context for action in keymap(context).values()}
        assert app.actions.handlers.keys() <= names
        pages_there = [app.main, *pages(app)]
        handled = {name for page in pages_there for context in page.contexts for name in page.handlers(context)}
        moves = {"down", "up", "first", "last", "page-down", "page-up", "left", "right"}
        everywhere = {action.name for action in ACTIONS if action.context is Context.EVERYWHERE}
        assert everywhere - handled - app.actions.handlers.keys() == moves

    in_program(look)


def test_two_handlers_of_one_action_are_a_mistake():
    with pytest.raises(ValueError, match="two handlers of"):
        joined({"copy": lambda: None, "save": lambda: None}, {"copy": lambda: None})
