"""The stats of the panel: rules and changes are asked for once the cursor rests, once for each mission."""

from __future__ import annotations

from typing import Any, ClassVar

from overmind_core.errors import OvermindError
from overmind_tui.missions import diff_panel, stats_panel
from overmind_tui.render.layout import Panel
from tests.tui.conftest import picture
from tests.tui.test_following import Diffed
from tests.tui.test_pictures_worktrees import CHANGES
from tests.tui.walks import walk

TERMS = {"agent": {"prompt": "Mend the search.", "allow": ["Edit", "Bash(pytest:*)"], "deny": ["WebFetch"]}}
INFO = {"own_rules": ["memory"], "permission_mode": "default",
        "notes": {"given": [1, 2], "wrote": [3]}}  # fmt: skip
ASKED = "definition", "info", "changes"


class Known(Diffed):
    """Missions of which all is known."""

    answers: ClassVar[dict[str, Any]] = {**Diffed.answers, "definition": {"definition": TERMS}, "changes": CHANGES}

    def request(self, command, requests, on_result):
        def known(answers):
            on_result([one if isinstance(one, OvermindError) else {**one, **INFO} for one in answers])

        super().request(command, requests, known if command == "info" else on_result)


def counts(app):
    return [len(app.of(command)) for command in ASKED]


async def to_stats(app, press):
    app.main.panels.turn_to(Panel.STATS)
    await press("shift+down")


def test_rules_and_changes_stand_in_the_stats_and_are_asked_for_once():
    async def scenario(app, press):
        assert counts(app) == [0, 0, 0]
        await to_stats(app, press)
        drawn = " ".join(picture(app).split())
        assert "Mend the search." in drawn
        assert "allows Edit, pytest, memory; asks for all else; denies WebFetch" in drawn
        assert "given 2, wrote 1" in drawn
        assert f"+{sum(file['added'] or 0 for file in CHANGES['files'])}" in drawn
        assert counts(app) == [1, 1, 1]
        await press("j")
        assert counts(app) == [2, 2, 2]
        await press("k", "j", "k")
        assert counts(app) == [2, 2, 2], "they are known"
        app.main.happened({"output"})
        await press("shift+down")
        assert counts(app) == [2, 2, 2], "nothing of them is another one"
        app.main.happened({"turn_ended"})
        await press("shift+down")
        assert counts(app) == [3, 3, 3]
        await press("j")
        assert counts(app) == [4, 4, 4], "what was known of the other may be old"

    walk(scenario, Known)


class Long(Known):
    """The same, each with a task that is longer than the panel."""

    answers: ClassVar[dict[str, Any]] = {
        **Known.answers, "definition": {"definition": {"agent": {**TERMS["agent"], "prompt": "Mend it. " * 400}}},
    }  # fmt: skip


def test_keys_scroll_the_stats_and_those_of_another_mission_begin_above():
    async def scenario(app, press):
        app.main.panels.turn_to(Panel.STATS)
        await press("shift+up")
        assert " task      Mend it." in picture(app)
        assert "given 2, wrote 1" not in picture(app)
        await press("shift+down", "shift+down", "shift+down")
        assert "given 2, wrote 1" in picture(app)
        assert app.main.panels.current is Panel.TABLE
        app.main.tick()
        assert "given 2, wrote 1" in picture(app), "it stays there"
        await press("j")
        assert " task      Mend it." in picture(app)

    walk(scenario, Long, size=(80, 18))


def test_a_panel_that_is_closed_composes_no_stats():
    async def scenario(app, press):
        composed: list[int] = []

        def stats(cells):
            composed.append(cells)
            return []

        app.main.panels.turn_to(Panel.STATS)
        app.main.panels._is_open = False
        app.main.panels.fold()
        app.main.faces.stats = stats
        app.main.tick()
        assert composed == []
        await press("tab")
        assert composed
        assert min(composed) > 0

    walk(scenario, Known, size=(80, 24))


def test_a_mission_of_which_nobody_may_know_shows_its_row_alone():
    async def scenario(app, press):
        app.refuses = True
        await to_stats(app, press)
        drawn = picture(app)
        assert "started" in drawn
        assert "rules" not in drawn
        assert "changed" not in drawn

    walk(scenario, Known)


def test_a_cursor_that_moves_on_asks_nothing(monkeypatch):
    monkeypatch.setattr(diff_panel, "ASK_SECONDS", 3600.0)

    async def scenario(app, press):
        await to_stats(app, press)
        await press("j", "j", "k")
        assert counts(app) == [0, 0, 0]

    walk(scenario, Known)


def test_the_facts_of_few_missions_are_kept(monkeypatch):
    monkeypatch.setattr(stats_panel, "MOST", 2)

    async def scenario(app, press):
        await to_stats(app, press)
        await press("j", "j", "j", "j")
        assert len(app.main.stats_panel._known) == 2

    walk(scenario, Known)
