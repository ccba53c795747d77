"""What a typed command says before it ends or removes something: as much as its key, or the command line, would."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar

import pytest

from overmind_core.cli.command import COMMANDS, find
from overmind_core.domain.operation import Danger
from overmind_core.errors import OvermindError
from overmind_core.view.actions import Needs
from overmind_core.view.keymap import ACTIONS
from overmind_tui.command_line.stakes import STAKES, removed
from overmind_tui.command_line.verbs import VERBS
from overmind_tui.missions import actions_start
from overmind_tui.pages import dialog
from overmind_tui.pages.dialog import Dialog
from overmind_tui.shell import external
from overmind_tui.shell.messages import RowsChanged, SwarmStands
from tests.tui.conftest import picture
from tests.tui.noted import NOTES
from tests.tui.test_pictures import mission
from tests.tui.test_pictures_hives import Known
from tests.tui.test_pictures_plans import QUESTS, RITUALS, Planned
from tests.tui.test_pictures_swarm import FLEETS, POOLS, STATE, VAULT, Heard
from tests.tui.test_pictures_worktrees import WORKTREES
from tests.tui.walks import Recording, walk

CASES: dict[str, tuple[str, ...]] = {
    ":stop release": ("3 live children end with it: release/db, release/types, release/unit",),
    ":stop release/db": ("stop release/db", "release/db  "),
    ":kill release": ("3 live children end with it: ",),
    ":kill release --cascade": ("kill --cascade release", "3 live children end with it: "),
    ":restart release/types": ("release/types  ",),
    ":signal HUP release/types": ("release/types  ",),
    ":rm made": ("made  ", "Its record and its log are removed."),
    ":rm made gone": ("gone  ", "Their records and logs are removed."),
    ":prune": ("Remove 60 finished missions and the logs (42K)?", "Mission b1b2c3d4 (left) is kept"),
    ":prune --older 7d": ("prune --older 7d", "Remove 60 finished missions and the logs (42K)?"),
    ":shutdown": ("shutdown: 4 live missions", "release/types  "),
    ":delete release": ("release  3 running agents end, running for 3m",),
    ":delete -f /srv/work/release.toml": ("release  3 running agents end",),
    ":quest cancel port": ("quest cancel port", "port  working for 42s"),
    ":ritual delete x": (RITUALS[0]["schedule"],),
    ":worktrees prune --force": ("worktrees prune --force", "Discard the work of header (1 commit)?"),
    ":discard 日本-site --force": ("discard --force 日本-site", "worktree ", "branch "),
    ":fleet delete review": ("review  4 of its places run, and will end",),
    ":pool down hpc --all": ("hpc  2 joined, 1 starting", "Each ends once what it has has ended."),
    ":pool down hpc hpc-1 --force": ("joined · 3 posts", "Each ends at once: its posts begin elsewhere"),
    ":vault rm DEPLOY_KEY NPM_TOKEN": (
        "DEPLOY_KEY  sealed for 1 hive", "NPM_TOKEN  sealed for 3 hives", "Nothing that names it begins any more.",
    ),
    ":hive rm eu1": ("eu1  only the way to it is forgotten: 1 live mission there runs on",),
    ":forget --purge 00000002": ("The rate limiter keeps its buckets in Redis", "Nothing brings it back."),
    ":cortex restore team.json": ("All that the team's server holds is replaced by what the file has.",),
}  # fmt: skip
"""Line → what its question says."""
IN_DIALOGS = {"edit": "as-toml"}
"""Verb that the program does by itself → the action with a question of its own, or with an editor."""
GONE = {
    ":prune": "prune: There are no such missions.",
    ":discard header --force": "discard: header has no worktree. See all in :worktrees",
    ":delete nightly": "delete: nightly has already ended.",
    ":delete nosuch": "delete: No plan is named nosuch. See all in :plans",
    ":vault rm NOSUCH": "vault rm: No secret is named NOSUCH. See all in :vault",
    ":pool down nosuch --all": "pool down: No pool is named nosuch. See all in :pools",
    ":pool down hpc": "pool down: Name instances, or give --all. See all in :pools",
    ":rm release/db": "rm: release/db is running: stop it first",
    ":rm release/fetch": "rm: release/fetch is part of the plan release, which is still running",
    ":rm cart": "rm: cart is kept: quest cart has not finished (review) · first :quest cancel cart",
    ":rm cart/check": "rm: cart/check is kept: quest cart has not finished (review) · first :quest cancel cart",
}
"""Line → what is said where there is nothing that could end."""


GONE_WORKTREE = {"name": "header", "worktree": "/w/header", "branch": "b", "containers": [], "volumes": []}


ENDED = [
    mission(0x41, "made", "stopped", isolation={"worktree": "/w/made", "containers": {}}),
    mission(0x42, "gone", "killed"),
    mission(0x43, "cart", "stopped", outcome=None, quest_state="review"),
    mission(0x44, "cart/check", "stopped", "00000043"),
]


class Typed(Recording, Planned):
    """A program of a home with a plan, other hives and a swarm; it is told what stands, and nothing ends."""

    refusal = OvermindError("not_found", "It is gone.")
    answers: ClassVar[dict[str, Any]] = {
        **Planned.answers,
        "prune": {"missions": ["a1b2c3d4"] * 60, "bytes": 42_000, "note": "Mission b1b2c3d4 (left) is kept"},
        "worktrees_prune": {"removed": [{**GONE_WORKTREE, "lost": "1 commit"}], "kept": []},
        "worktrees": {"worktrees": WORKTREES},
        "quest": QUESTS[-1],
        "swarm_fleet": FLEETS[1],
        "pool_list": POOLS,
        "vault_list": VAULT,
        "note": NOTES[1],
    }

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.hives = Known()  # type: ignore[assignment]
        self.fleet.name_hives(has_hives=True)

    def _start(self) -> None:
        super()._start()
        self.fleet.apply([deepcopy(self._rows[3])], (), everything=True, hive="eu1")
        self.fleet.apply(deepcopy(ENDED), (), everything=False)


class Bare(Typed):
    """The same, where nothing is left that could go."""

    answers: ClassVar[dict[str, Any]] = {
        **Typed.answers, "prune": {"missions": [], "bytes": 0}, "worktrees": {"worktrees": []},
    }  # fmt: skip


TRUSTING = {"trust"}
"""Verb that lets commands run, and shows them before."""
REFUSES = {"web revoke", "state recover", "provider test"}
"""Commands that do nothing where nobody can be asked: whoever types `-y` has agreed."""


def verb_of(line: str) -> str:
    """The verb of a line: the longest one that its words begin with."""
    words = line.removeprefix(":")
    return max((name for name in VERBS if f"{words} ".startswith(f"{name} ")), key=len)


def test_each_verb_that_ends_or_removes_something_has_its_case():
    ending = {verb.name for verb in VERBS.values() if verb.danger is Danger.ENDS_WORK or verb.for_good}
    assert {verb_of(line) for line in CASES} == ending - set(IN_DIALOGS)
    assert all(VERBS[name].inside in {one.name for one in ACTIONS if one.needs is Needs.MISSION} for name in IN_DIALOGS)


def test_each_command_that_asks_in_a_terminal_asks_in_the_line():
    asking = {name for name in COMMANDS if any("--yes" in one.names for one in find(name).options)}
    assert asking - {verb_of(line) for line in CASES} == TRUSTING | REFUSES
    assert not [name for name in TRUSTING | REFUSES if VERBS[name].agrees]


SEEN = {
    "path": "/srv/work/shop/.overmind.yml", "source": "/srv/work/shop", "sha256": "12ab", "trusted": False,
    "changed": True, "commands": ["setup: touch [red]SETUP[/]"], "problems": [],
}  # fmt: skip
NOTHING_TO_TRUST = {
    "trusted": ({"trusted": True}, "trust: /srv/work/shop/.overmind.yml is trusted already"),
    "none": ({"path": None, "sha256": None},
             "trust: /srv/work/shop has no .overmind.yml · :init --isolation writes one"),
    "broken": ({"problems": ["line 3: bad"], "sha256": None}, "trust: line 3: bad"),
}  # fmt: skip


class Untrusted(Typed):
    """The same in a project whose file has changed since it was trusted."""

    answers: ClassVar[dict[str, Any]] = {**Typed.answers, "isolate": SEEN, "trust": {"path": SEEN["path"]}}


@pytest.mark.parametrize("typed", [":trust shop", ":trust shop -y", ":trust -o json shop"])
def test_a_file_is_trusted_only_once_what_it_runs_was_shown_and_as_it_was_shown(typed):
    async def scenario(app, press):
        await press(typed)
        assert isinstance(app.screen, Dialog), app.notice
        assert "has changed since you trusted it. It runs:" in picture(app)
        assert "setup: touch [red]SETUP[/]" in picture(app)
        await press("n")
        assert (app.of("trust"), app.ran) == ([], [])
        await press(typed, "y")
        (asked,), (looked, _) = app.of("trust"), app.of("isolate")
        assert asked == {**looked, "sha256": "12ab", "revoke": False}
        assert looked["cwd"].endswith("/shop")
        assert (app.screen, app.notice.text, app.ran) == (app.main, f"trusted {SEEN['path']}", [])
        await press(":trust shop --revoke")
        assert app.ran == [["trust", "shop", "--revoke"]]

    walk(scenario, Untrusted)


@pytest.mark.parametrize(("more", "said"), NOTHING_TO_TRUST.values(), ids=NOTHING_TO_TRUST)
def test_nothing_is_trusted_where_there_is_nothing_to_be_asked_about(more, said):
    class Other(Untrusted):
        answers: ClassVar[dict[str, Any]] = {**Untrusted.answers, "isolate": {**SEEN, **more}}

    async def scenario(app, press):
        await press(":trust shop")
        assert (app.screen, app.notice.text, app.of("trust"), app.ran) == (app.main, said, [], [])

    walk(scenario, Other)


@pytest.fixture
def outside(monkeypatch):
    """The words of each command line that got the terminal, and what hears of its end."""
    called: list[tuple[list[str], Any]] = []
    monkeypatch.setattr(external, "run", lambda _shell, argv, then, **_how: called.append((argv[8:], then)))
    return called


@pytest.mark.parametrize("agreed", ["", " -y", " --yes", " -yo json"])
def test_a_file_in_git_is_asked_about_by_the_command_line_in_the_terminal(outside, agreed):
    async def scenario(app, press):
        await press(f":trust{agreed} https://x.org/a.git//r.toml@v3#review")
        assert [words for words, _ in outside] == [["trust", "--", "https://x.org/a.git//r.toml@v3#review"]]
        assert app.ran == []

    walk(scenario, Untrusted)


MORE_THAN_IS_SHOWN = {
    "more commands": [f"setup: step {number}" for number in range(13)],
    "more rows": [f"setup: {'make all ' * 40}" for _ in range(5)],
    "a word that no row holds": [f"setup: {'x' * 200}; rm -rf /"],
}


@pytest.mark.parametrize("commands", MORE_THAN_IS_SHOWN.values(), ids=MORE_THAN_IS_SHOWN)
def test_what_a_question_can_not_show_whole_is_asked_in_the_terminal(outside, commands):
    class Long(Untrusted):
        answers: ClassVar[dict[str, Any]] = {
            **Untrusted.answers, "isolate": {**SEEN, "commands": commands}, "run": {"id": "00000099", "name": "made"},
        }  # fmt: skip

    async def scenario(app, press):
        await press(":trust shop -y", "y")
        assert ([words for words, _ in outside], app.screen) == ([["trust", "--", "shop"]], app.main)
        assert (app.of("trust"), app.ran) == ([], [])
        app.refusal = OvermindError("untrusted_project", "It is not trusted.", **{**SEEN, "commands": commands})
        app.refuses = True
        await press(":new make", "y")
        assert ([words for words, _ in outside][1:], app.screen) == ([["trust"]], app.main)
        assert len(app.of("run")) == 1
        outside[1][1](1)
        assert (app.notice.text, len(app.of("run"))) == (actions_start.NOT_STARTED, 1)
        app.refuses = False
        outside[1][1](0)
        assert (app.of("trust"), len(app.of("run"))) == ([], 2)

    walk(scenario, Long, size=(80, 24))


@pytest.mark.parametrize(("typed", "said"), CASES.items(), ids=CASES)
def test_a_typed_command_says_what_would_be_lost_before_it_is_done(typed, said):
    async def scenario(app, press):
        await press(typed)
        assert isinstance(app.screen, Dialog), app.notice
        assert not app.ran
        shown = picture(app)
        assert [text for text in said if text not in shown] == []
        await press("n")
        assert not app.ran
        if verb_of(typed) in STAKES:
            app.refuses = True
            await press(typed)
            assert (app.screen, app.notice.text.partition(": ")[2]) == (app.main, "It is gone.")

    walk(scenario, Typed)


@pytest.mark.parametrize("columns", [80, 120])
def test_a_long_sentence_of_a_question_is_whole(columns):
    async def scenario(app, press):
        await press(":rm made")
        words = " ".join(picture(app).replace("│", " ").split())
        assert "So is what it had of its own, unless work would be lost: worktree and branch." in words
        assert "[ cancel <n> ]" in words

    walk(scenario, Typed, size=(columns, 24))


@pytest.mark.parametrize("row", [1, 0x43, 0x44])
def test_its_key_asks_nothing_about_what_can_not_be_removed_yet(row):
    async def scenario(app, _press):
        meant = app.fleet.rows[f"{row:08x}"]
        app.act("remove", [meant])
        why = GONE[f":rm {meant['name']}"]
        assert (app.screen, f"rm: {app.notice.text}") == (app.main, why)

    walk(scenario, Typed)


@pytest.mark.parametrize("typed", [False, True], ids=["key", "typed"])
def test_what_can_not_be_removed_yet_keeps_nothing_else(typed):
    async def scenario(app, press):
        meant = [app.fleet.rows[f"{row:08x}"] for row in (0x41, 0x42, 0x43)]
        if typed:
            await press(":rm made gone cart")
        else:
            app.act("remove", meant)
            await press()
        assert isinstance(app.screen, Dialog), app.notice
        await press("y")
        if typed:
            assert app.ran == [["rm", "-y", "made", "gone", "cart"]]
        else:
            assert [one["id"] for one in app.of("rm")] == [row["id"] for row in meant]

    walk(scenario, Typed)


OPENED = ["x", "ctrl+k", ":stop release/db", ":kill release/db", ":kill release/db --cascade"]


@pytest.mark.usefixtures("weighty_answers")
@pytest.mark.parametrize("opened", OPENED)
def test_an_open_question_follows_what_it_is_about_and_has_to_be_read_anew(opened, monkeypatch):
    async def scenario(app, press):
        row = next(one for one in app.fleet.rows.values() if one["name"] == "release/db")
        assert app.main.select(row["id"])
        await press(opened)
        assert isinstance(app.screen, Dialog), app.notice
        assert "live child" not in picture(app)
        child = {**row, "id": "000000aa", "name": "kid2", "parent": row["id"], "type": "task"}
        monkeypatch.setattr(dialog, "MOMENT", 60.0)
        assert app.screen.reading_delay.seconds < 60.0, "it is on the screen"
        how = "ends with it" if "cascade" in opened else "keeps running"
        for status in ("running", "stopped"):
            app.updates.take(RowsChanged([{**child, "status": status}]))
            await press("f9")  # nothing: it is drawn meanwhile
            assert (f"1 live child {how}: kid2" in picture(app)) is (status == "running")
        await press("y")
        assert isinstance(app.screen, Dialog)
        assert app.notice.text == "the question just changed: read it, then press y"
        app.updates.take(RowsChanged([{**child, "status": "stopped", "exit_code": 3}]))
        monkeypatch.setattr(dialog, "MOMENT", 0.0)
        await press("y")
        assert app.screen is app.main

    walk(scenario, Typed)


@pytest.mark.parametrize(("typed", "said"), GONE.items(), ids=GONE)
def test_nothing_is_asked_about_what_is_not_there(typed, said):
    async def scenario(app, press):
        await press(typed)
        assert (app.screen, app.notice.text, app.ran) == (app.main, said, [])

    walk(scenario, Bare)


class Pinned(Typed):
    """The same of a daemon that can be told what was shown."""

    answers: ClassVar[dict[str, Any]] = {
        **Typed.answers,
        "prune": {**Typed.answers["prune"], "as_of": 1_800_000_000.5},
        "worktrees_prune": {**Typed.answers["worktrees_prune"], "as_shown": {"a1b2c3d4": "12ab"}},
    }  # fmt: skip


PINNED = {
    ":prune": ("prune", {"as_of": 1_800_000_000.5}),
    ":prune --older=7d -f": ("prune", {"as_of": 1_800_000_000.5, "older": "7d"}),
    ":worktrees prune --force -ay": ("worktrees_prune", {"as_shown": {"a1b2c3d4": "12ab"}, "force": True}),
}
"""Line → the request of its `y`, and what that has besides."""
BY_COMMAND_LINE = {
    ":prune --dry-run": ["prune", "-y", "--dry-run"],
    ":prune --older": ["prune", "-y", "--older"],
    ":prune --olde 7d": ["prune", "-y", "--olde", "7d"],
    ":worktrees prune --older 7d": ["worktrees", "prune", "-y", "--older", "7d"],
}
"""Line with more than the request can do, or with a mistake → the words that are run."""


@pytest.mark.parametrize(("typed", "sent"), PINNED.items(), ids=PINNED)
def test_what_goes_is_what_the_question_was_about_and_nothing_that_came_while_it_was_open(typed, sent):
    command, more = sent

    async def scenario(app, press):
        await press(typed, "y")
        asked, done = app.of(command)
        assert asked["dry_run"]
        assert (done, app.ran) == ({**asked, **more, "dry_run": False}, [])

    walk(scenario, Pinned)


def test_what_has_gone_and_what_stays_is_said():
    pruned = {"missions": ["a1b2c3d4"] * 2, "bytes": 42_000, "note": "Mission a is kept\nMission b is kept"}
    assert removed(pruned) == ["Removed 2 missions (42K)", "Mission a is kept", "Mission b is kept"]
    red = {**GONE_WORKTREE, "name": "red", "containers": ["db", "s3"], "volumes": ["v"]}
    green = {**GONE_WORKTREE, "name": "green", "worktree": None, "branch": None}
    gone = [{**red, "lost": "1 commit"}, {**green, "lost": ""}]
    kept = [{"name": "blue", "why": "nobody was asked about it"}]
    assert removed({"removed": gone, "kept": kept}) == [
        "Removed red: worktree, branch b, 2 containers, 1 volume (1 commit lost)",
        "Removed green: nothing left to remove",
        "Kept blue: nobody was asked about it",
    ]  # fmt: skip
    assert removed({"removed": [], "kept": []}) == ["Nothing was left to remove."]


@pytest.mark.parametrize(("typed", "words"), BY_COMMAND_LINE.items(), ids=BY_COMMAND_LINE)
def test_other_words_of_a_removal_are_the_command_lines(typed, words):
    async def scenario(app, press):
        await press(typed, "y")
        assert app.ran == [words]

    walk(scenario, Pinned)


def test_a_daemon_that_can_not_be_told_what_was_shown_gets_the_command_line():
    async def scenario(app, press):
        await press(":prune", "y")
        assert app.ran == [["prune", "-y"]]

    walk(scenario, Typed)


def test_where_nobody_can_tell_what_would_be_lost_it_is_asked_all_the_same():
    async def scenario(app, press):
        app.refusal, app.refuses = OvermindError("no_swarm", "This home is in no swarm."), True
        await press(":vault rm DEPLOY_KEY")
        assert isinstance(app.screen, Dialog)
        assert "vault rm DEPLOY_KEY" in picture(app)

    walk(scenario, Typed)


def test_a_hive_that_only_the_swarm_knows_loses_its_login():
    async def scenario(app, press):
        app.swarm = Heard(app, app.updates, app.home, app.post_message)
        app.swarm.take(SwarmStands(STATE, None, None))
        held = next(one["held"] for one in STATE["hives"] if one["name"] == "gpu2")
        await press(":hive rm gpu2")
        assert f"gpu2  its login ends, and its {held} posts stay where they are" in picture(app)
        await press("n", ":hive rm gpu2 --dead")
        assert f"its login ends, and its {held} posts begin elsewhere" in picture(app)

    walk(scenario, Typed)
