"""One plan as a page draws it."""

from __future__ import annotations

import asyncio
from typing import Any

from overmind_core.domain.text.moment import format_time
from overmind_core.view import plans as plans_rows
from overmind_web.pages import plan as plan_page
from overmind_web.server import plan_files
from tests.tui.test_pictures import NOW, mission
from tests.tui.test_pictures_plans import RELEASE, step


def shown(*agents):
    rows = plans_rows.agents({**RELEASE, "agents": list(agents)}, NOW)
    return {one["id"]: one for one in plan_page.agents(rows, {})}


def test_an_agent_that_is_tried_again_counts_down_to_that():
    waits = step("a", "waiting", attempt=1, waits_for="its next try") | {"next_try_at": format_time(NOW + 12)}
    found = shown(waits, step("b", "waiting", waits_for="a"))
    assert (found["a"]["why"], found["a"]["due"]) == ("try 2 · next try in ", NOW + 12)
    assert (found["b"]["why"], found["b"]["due"]) == ("waits for a", None)


def test_an_agent_whose_answer_was_read_calls_nobody_any_more():
    missions = [mission(at, "writer", "running", activity="idle", unseen=bool(at)) for at in (0, 1)]
    plan = {**RELEASE, "agents": [step(one["id"], "running", began=30, mission=one["id"]) for one in missions]}
    shown: Any = plan_page.content(plan, {one["id"]: one for one in missions}, NOW)["agents"]
    assert [(one["state"], one["tone"]) for one in shown] == [("your turn", "quiet"), ("your turn", "wait")]


def test_a_run_says_that_there_is_a_newer_one_and_how_that_stands():
    began = {"run_started_at": None, "parent": None}
    older = mission(0x10, "release", "stopped", type="blueprint", started_at=format_time(NOW - 180)) | began
    newer = mission(0x91, "release", "crashed", type="blueprint", started_at=format_time(NOW - 60)) | began
    rows = {row["id"]: row for row in (newer, older)}
    shown_older = plan_page.content(RELEASE, rows, NOW)
    assert str(shown_older["older"]).endswith(" · the newest: failed")
    assert shown_older["newest"] == "00000091"
    newest = plan_page.content({**RELEASE, "id": "00000091"}, rows, NOW)
    assert (newest["older"], newest["newest"]) == ("", "00000091")


def test_a_file_that_is_applied_says_which_variables_the_person_gave(tmp_path):
    """Without them a rerun of what a command line began with `--var` would take the file's values unasked."""
    path = tmp_path / "release.toml"
    path.write_text('[vars]\nword = "hello"\nname = "you"\n[agents.a]\ncommand = "echo ${vars.word} ${vars.name}"\n')

    def read(**more):
        return asyncio.run(plan_files.read({"path": str(path), "env": {}, "umask": 18, **more}))

    plain, given = read(rerun="failed"), read(variables={"word": "bye"})
    assert [one.arguments["blueprint"]["given"] for one in (plain, given)] == [(), ("word",)]
    assert read(variables={"word": "bye"}, sha256=given.facts["sha256"]).arguments == given.arguments
