"""`overmind why NAME` outside of a swarm: it finds what is named, whatever that is."""

from __future__ import annotations

from typing import Any

import pytest

NONE = [{"error": "not_found", "message": "There is none."}]
QUEST: dict[str, Any] = {
    "id": "a1b2c3d4", "name": "login", "status": "queued",
    "code": "needs", "text": "waits for api (running)", "do": [], "score": None,
    "position": None, "queued": 0, "starts": [], "waiting_then": [],
}  # fmt: skip
AGENT: dict[str, Any] = {
    "attempt": 0, "reason": None, "exit_code": None, "result": None, "facts": {}, "waits_for": None, "outcome": None,
    "post": None, "mission": None, "next_restart_at": None, "tries": 0, "ready": None, "stays": False, "seconds": None,
    "depends_on": [],
}  # fmt: skip
PLAN = {
    "id": "a1b2c3d4", "name": "release", "type": "blueprint", "status": "running", "outcome": None, "exit_code": None,
    "reason": None,
    "agents": [
        {**AGENT, "name": "build", "stage": "succeeded", "outcome": "succeeded"},
        {**AGENT, "name": "web", "stage": "running"},
        {**AGENT, "name": "test", "stage": "waiting", "waits_for": "web (ready)"},
    ],
}  # fmt: skip
WAITS = "release (a1b2c3d4): running\n  web: running\n  test: waiting, waits for web (ready)\n"
FAILED: dict[str, Any] = {**PLAN, "status": "stopped", "outcome": "failed", "exit_code": 1, "file": "", "agents": [
    {**AGENT, "name": "server", "stage": "succeeded", "outcome": "stopped", "mission": "b0b2c3d4", "exit_code": 143},
    {**AGENT, "name": "db", "stage": "failed", "outcome": "failed", "reason": "not_ready", "exit_code": 1,
     "mission": "b1b2c3d4"},
    {**AGENT, "name": "k", "stage": "failed", "outcome": "killed", "reason": "killed"},
    {**AGENT, "name": "s", "stage": "failed", "outcome": "stopped", "reason": "stopped", "exit_code": 143},
    {**AGENT, "name": "test", "stage": "skipped", "reason": "db failed"},
]}  # fmt: skip
WHY_FAILED = (
    "release (a1b2c3d4): failed (1)\n  db: failed, it did not become ready · exit 1\n  k: killed\n"
    "  s: stopped, exit 143\n  test: skipped, db failed\n"
    "  go on with: overmind restart release\nSee: overmind logs release/db\n"
)
OVER = {**FAILED, "file": "/ci.toml", "agents": [
    {**AGENT, "name": "db", "stage": "failed", "outcome": "failed", "exit_code": 1, "mission": "b1b2c3d4"},
]}  # fmt: skip
RUN_AGAIN = "  run what failed again with: overmind apply /ci.toml --name release --rerun failed\n"
SOON = "2000-01-01T00:00:00.000Z"
FLAKY = {**PLAN, "agents": [
    {**AGENT, "name": "flaky", "stage": "running", "next_restart_at": SOON, "mission": "b1b2c3d4"},
    {**AGENT, "name": "db", "stage": "running", "ready": False, "stays": True},
]}  # fmt: skip
SILENT = {**FLAKY, "agents": [
    {**AGENT, "name": "flaky", "stage": "running", "next_restart_at": SOON, "mission": "b1b2c3d4", "reason": "stalled",
     "exit_code": 137, "limit_seconds": 3.0},
]}  # fmt: skip
WHY_FLAKY = "release (a1b2c3d4): running\n  flaky: has ended and starts again now\n  db: runs, not ready\n"
ENDLESS = {**PLAN, "agents": [{**AGENT, "name": "db", "stage": "running", "ready": True, "seconds": 11.0}]}
WHY_ENDLESS = (
    "release (a1b2c3d4): running\n  db: running\n"
    "  waits for db: it runs; if it has no end of its own: service = true ends it with the plan\n"
)
NEEDED = {**PLAN, "agents": [
    {**AGENT, "name": "db", "stage": "running", "seconds": 11.0},
    {**AGENT, "name": "test", "stage": "waiting", "waits_for": "db",
     "depends_on": [{"agent": "db", "until": "success"}]},
]}  # fmt: skip
WHY_NEEDED = (
    "  test waits for the end of db, which runs: overmind logs release/db\n"
    "  If db is a server, it has no end of its own: give it ready = { tcp = PORT }, and test "
    'depends_on = [{ agent = "db", until = "ready" }]. Then apply the file again, and the plan goes on.\n'
)
AGAIN = {"id": "a1b2c3d4", "name": "api", "type": "task", "outcome": None, "exit_code": 3, "reason": None,
         "status": "restarting", "next_restart_at": SOON}  # fmt: skip
STALLED = {**AGAIN, "reason": "stalled", "exit_code": 137, "limit_seconds": 3.0}
WHY_STALLED = "has timed out (it was silent for 3 seconds) and starts again now"
NO_FOLDER = {"reason": "cwd_not_found", "exit_code": None}
WHY_NO_FOLDER = "has failed (its folder does not exist) and starts again now"
MISSION = {"id": "a1b2c3d4", "name": "api", "type": "task", "status": "crashed", "outcome": "failed", "exit_code": 3,
           "reason": "restart_budget_spent", "max_restarts": 2, "max_seconds": 60.0}  # fmt: skip
OUT_OF_TIME = {"reason": "timeout", "exit_code": 124, "outcome": "timed out", "limit_seconds": 2.0,
               "restart_policy": "always"}  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"quest_why": [{"ok": QUEST}]}, "waits for api (running)"),
        ({"info": [{"ok": PLAN}], "plan": [{"ok": PLAN}]}, WAITS),
        ({"info": [{"ok": FAILED}], "plan": [{"ok": FAILED}]}, WHY_FAILED),
        ({"info": [{"ok": OVER}], "plan": [{"ok": OVER}]}, RUN_AGAIN),
        (
            {"info": [{"ok": OVER}], "plan": [{"ok": {**OVER, "vars": {"tag": "v 2"}}}]},
            "  run what failed again with: overmind apply /ci.toml --name release --var 'tag=v 2' --rerun failed\n",
        ),
        ({"info": [{"ok": OVER}], "plan": [{"ok": {**OVER, "file": "-"}}]}, "  run it again with: overmind restart"),
        ({"info": [{"ok": FLAKY}], "plan": [{"ok": FLAKY}]}, WHY_FLAKY),
        ({"info": [{"ok": ENDLESS}], "plan": [{"ok": ENDLESS}]}, WHY_ENDLESS),
        ({"info": [{"ok": NEEDED}], "plan": [{"ok": NEEDED}]}, WHY_NEEDED),
        ({"info": [{"ok": AGAIN}]}, "api (a1b2c3d4): has failed (3) and starts again now\n"),
        ({"info": [{"ok": STALLED}]}, f"api (a1b2c3d4): {WHY_STALLED}\n"),
        ({"info": [{"ok": {**AGAIN, "exit_code": 0}}]}, "api (a1b2c3d4): has ended and starts again now\n"),
        ({"info": [{"ok": {**AGAIN, **NO_FOLDER}}]}, f"api (a1b2c3d4): {WHY_NO_FOLDER}\n"),
        ({"info": [{"ok": MISSION}]}, "api (a1b2c3d4): failed (3): restarted 2 times in a minute, gave up\n"),
        (
            {"info": [{"ok": {**MISSION, "run_reason": "stalled", "limit_seconds": 3.0}}]},
            "api (a1b2c3d4): failed (3): restarted 2 times in a minute, gave up: it was silent for 3 seconds\n",
        ),
        (
            {"info": [{"ok": {**MISSION, "reason": "not_logged_in", "provider": "claude"}}]},
            "  log in first: run claude in a terminal and type /login\n  then go on with: overmind restart api\n",
        ),
        (
            {"info": [{"ok": {**MISSION, **OUT_OF_TIME}}]},
            "api (a1b2c3d4): timed out: it took longer than 2 seconds, after which it is not restarted\n",
        ),
    ],
)
def test_what_is_named_is_found_whatever_it_is(overmind, answers, said):
    nothing: dict[str, list[dict[str, object]]] = {"ps": [{"ok": []}], "inbox": [{"ok": []}]}
    ran = overmind({"quest_why": NONE, "spec": NONE, "info": NONE, **nothing, **answers}, "why", "x")
    assert (ran.status, ran.err) == (0, "")
    assert said in ran.out


def test_a_mission_that_asks_is_shown_with_the_command_that_answers(overmind):
    live = {**MISSION, "status": "running", "outcome": None, "exit_code": None, "reason": None}
    row = {"id": "a1b2c3d4", "name": "api", "type": "task", "status": "running", "activity": "waiting", "children": []}
    question = {"id": "a1b2c3d4", "name": "api", "question": 3, "need": "permission", "attach_only": False,
                "options": []}  # fmt: skip
    ran = overmind(
        {"quest_why": NONE, "spec": NONE, "info": [{"ok": live}], "ps": [{"ok": [row]}], "inbox": [{"ok": [question]}]},
        "why", "api",
    )  # fmt: skip
    told = "  waits for you: question 3 (permission of api): overmind answer 3 allow\n"
    assert ran.out == f"api (a1b2c3d4): running\n{told}"


@pytest.mark.parametrize(
    ("plan", "agent", "said"),
    [
        (PLAN, "test", "release/test: waiting, waits for web (ready)\n"),
        (FLAKY, "flaky", "release/flaky (b1b2c3d4): has ended and starts again now\n"),
        (SILENT, "flaky", f"release/flaky (b1b2c3d4): {WHY_STALLED}\n"),
        (FAILED, "test", "release/test: skipped, db failed\n"),
    ],
)
def test_an_agent_that_a_plan_lists_is_answered_though_it_has_no_mission(overmind, plan, agent, said):
    nothing = {"quest_why": NONE, "spec": NONE, "info": NONE}
    ran = overmind({**nothing, "plan": [{"ok": plan}]}, "why", f"release/{agent}")
    assert (ran.status, ran.out, ran.err) == (0, said, "")


@pytest.mark.parametrize("plan", [NONE, [{"error": "invalid", "message": "It is not a plan."}], [{"ok": PLAN}]])
def test_what_is_no_agent_of_a_plan_is_looked_for_among_the_missions(overmind, plan):
    answers = {"quest_why": NONE, "spec": NONE, "plan": plan, "info": [{"ok": {**MISSION, "name": "release/x"}}]}
    assert overmind(answers, "why", "release/x").out.startswith("release/x (a1b2c3d4): failed (3)")


@pytest.mark.parametrize("word", ["carts/tasks", "5bec/tasks"])
def test_a_gate_whose_document_no_quest_has_made_is_said_with_its_question(overmind, word):
    gate = {"question": 4, "id": "5bec", "name": "carts", "about": {"kind": "spec", "id": "5bec", "name": "carts"},
            "part": "tasks", "quests": [], "need": "phase", "summary": "carts: tasks passed with 0.95", "subject": {},
            "options": [], "attach_only": False}  # fmt: skip
    nothing = {"quest_why": NONE, "spec": NONE, "plan": NONE, "info": NONE, "ritual": NONE,
               "worktrees": [{"ok": {"worktrees": []}}]}  # fmt: skip
    ran = overmind({**nothing, "inbox": [{"ok": [gate]}]}, "why", word)
    asks = "  waits for you: question 4 (gate of carts/tasks): overmind answer 4 allow"
    assert (ran.status, ran.out.splitlines()) == (0, [f"{word}: carts: tasks passed with 0.95", asks])
    ran = overmind({**nothing, "inbox": [{"ok": [gate]}]}, "why", "carts/design")
    assert (ran.status, ran.out) == (1, "")


def test_a_spec_is_shown_as_spec_show_does(overmind, monkeypatch):
    monkeypatch.setattr("overmind_core.cli.specs.commands.spec_text", lambda spec, asked: f"the {spec['slug']} {asked}")
    spec = {"id": "e1e2e3e4", "slug": "x", "state": "running"}
    asks = [{"id": one, "name": one, "question": number, "need": "stuck"} for number, one in enumerate(("x/a", "y/a"))]
    answers = {"quest_why": NONE, "info": NONE, "ritual": NONE, "spec": [{"ok": spec}], "inbox": [{"ok": asks}]}
    assert overmind(answers, "why", "x").out == f"the x {asks[:1]}\n"


RITUAL: dict[str, Any] = {
    "id": "r1", "name": "nightly", "schedule": "0 3 * * *", "zone": "Etc/UTC", "paused": False, "running": [],
    "next_local": "2026-11-29 03:00 UTC", "last_result": None, "last_local": None,
}  # fmt: skip
ENDED = {**QUEST, "status": "completed", "code": None, "text": "landed on main"}
ASKED = {**QUEST, "status": "failed", "code": None, "text": "",
         "questions": [{"question": 7, "text": "question 7", "need": "stuck", "name": "login"}]}  # fmt: skip
SPEC = {"id": "e1e2e3e4", "slug": "login", "state": "failed"}
DONE = {**SPEC, "state": "done"}
SEVERAL = {"error": "ambiguous", "message": "Two.", "candidates": [{"id": "q1"}, {"id": "q2"}]}
Q, S = "The quest: overmind why a1b2c3d4", "The spec: overmind why e1e2e3e4"
OF_ONE_NAME: list[tuple[Any, Any, dict[str, Any], list[str]]] = [
    # the quest, the spec, others of the name, the first words of each thing that is said
    (ENDED, SPEC, {}, [f"This is the spec of this name. {Q}", "the spec"]),
    (ENDED, DONE, {}, [f"This is the quest of this name. {S}", "login has completed"]),
    (QUEST, DONE, {}, [f"This is the quest of this name. {S}", "login is queued"]),
    (QUEST, SPEC, {}, ["The quest of this name:", "login is queued", "The spec of this name:", "the spec"]),
    (ASKED, SPEC, {}, ["The quest of this name:", "login has failed", "The spec of this name:", "the spec"]),
    (ENDED, {**SPEC, "slug": "log", "id": "login"}, {}, ["login has completed"]),
    (QUEST, None, {"info": {"error": "not_running", "message": "It is queued."}}, ["login is queued"]),
    (SEVERAL, SPEC, {}, ["This is the spec of this name. The quests: overmind why q1, overmind why q2", "the spec"]),
]  # fmt: skip


@pytest.mark.parametrize(("quest", "spec", "others", "said"), OF_ONE_NAME)
def test_of_several_things_of_one_name_each_that_is_open_is_shown_and_the_others_are_named(
    overmind, monkeypatch, quest, spec, others, said
):
    def answer(row):
        return NONE if row is None else [row if "error" in row else {"ok": row}]

    monkeypatch.setattr("overmind_core.cli.specs.commands.spec_text", lambda *_: "the spec")
    nothing: dict[str, list[dict[str, object]]] = {"ps": [{"ok": []}], "inbox": [{"ok": []}]}
    known = {"quest_why": quest, "spec": spec, "info": None, "ritual": None, **others}
    ran = overmind({**nothing, **{kind: answer(row) for kind, row in known.items()}}, "why", "login")
    lines = [line for line in ran.out.splitlines() if line[0] != " " and not line.startswith("completing")]
    assert (ran.status, ran.err, len(lines)) == (0, "", len(said)), ran.out
    assert [line[: len(start)] for line, start in zip(lines, said, strict=True)] == said


@pytest.mark.parametrize(
    ("quest", "code", "status"),
    [(NONE, "not_found: No quest, spec, plan, mission or ritual is named 'x'.", 1),
     ([{"error": "ambiguous", "message": "Two."}], "ambiguous: Two.", 1)],
)  # fmt: skip
def test_what_nobody_knows_is_said_and_what_could_be_several_things(overmind, quest, code, status):
    nothing = {"spec": NONE, "info": NONE, "ritual": NONE, "worktrees": [{"ok": {"worktrees": []}}]}
    ran = overmind({"quest_why": quest, **nothing}, "why", "x")
    assert (ran.status, ran.out) == (status, "")
    assert code in ran.err


LOST: dict[str, Any] = {**MISSION, "outcome": "lost", "exit_code": None, "reason": "keeper_lost", "parent": None}
OF_PLAN = {**PLAN, "status": "stopped", "outcome": "stopped", "file": "/src/my plan.toml", "agents": [
    {**AGENT, "name": "web", "stage": "failed", "outcome": "stopped", "reason": "stopped"},
]}  # fmt: skip
LOST_AGENT = {**OF_PLAN, "outcome": "failed", "agents": [
    {**AGENT, "name": "web", "stage": "failed", "outcome": "lost", "reason": "keeper_lost", "mission": "b1b2c3d4"},
]}  # fmt: skip
STOPPED_AGENT = {**OF_PLAN, "outcome": "failed"}
APPLY = "  go on with: overmind apply '/src/my plan.toml' --name release --rerun failed"


@pytest.mark.parametrize(
    ("answers", "word", "command"),
    [
        ({"info": [{"ok": LOST}]}, "api", "  go on with: overmind restart api"),
        ({"info": [{"ok": OF_PLAN}], "plan": [{"ok": OF_PLAN}]}, "release", APPLY),
        (
            {"info": [{"ok": OF_PLAN}], "plan": [{"ok": {**OF_PLAN, "file": "-"}}]},
            "release",
            "  go on with: overmind restart release",
        ),
        ({"info": [{"ok": LOST_AGENT}], "plan": [{"ok": LOST_AGENT}]}, "release", APPLY),
        ({"plan": [{"ok": LOST_AGENT}]}, "release/web", APPLY),
        ({"info": [{"ok": STOPPED_AGENT}], "plan": [{"ok": STOPPED_AGENT}]}, "release", APPLY),
        ({"plan": [{"ok": STOPPED_AGENT}]}, "release/web", APPLY),
        (
            {
                "info": [{"ok": {**LOST, "name": "release/web", "outcome": "stopped", "parent": "a1b2c3d4"}}],
                "plan": [{"ok": STOPPED_AGENT}],
            },
            "b1b2",
            APPLY,
        ),
        (
            {"info": [{"ok": {**LOST, "name": "release/web", "parent": "a1b2c3d4"}}], "plan": [{"ok": LOST_AGENT}]},
            "b1b2",
            APPLY,
        ),
    ],
)
def test_what_was_lost_and_a_plan_that_was_stopped_name_the_command_that_goes_on(overmind, answers, word, command):
    ran = overmind({"quest_why": NONE, "spec": NONE, **answers}, "why", word)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines().count(command) == 1, ran.out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "nightly: a ritual (0 3 * * *, Etc/UTC): it starts next at 2026-11-29 03:00 UTC\n"),
        (
            {"running": ["a1"], "last_result": "failed", "last_local": "2026-11-28 03:00 UTC"},
            (
                "nightly: a ritual (0 3 * * *, Etc/UTC), and runs now: it starts next at 2026-11-29 03:00 UTC\n"
                "  its last run: failed, 2026-11-28 03:00 UTC\n"
            ),
        ),
        (
            {"last_result": "cancelled", "last_outcome": "stopped", "last_local": "2026-11-28 03:00 UTC"},
            (
                "nightly: a ritual (0 3 * * *, Etc/UTC): it starts next at 2026-11-29 03:00 UTC\n"
                "  its last run: stopped, 2026-11-28 03:00 UTC\n"
            ),
        ),
        ({"next_local": None}, "nightly: a ritual (0 3 * * *, Etc/UTC): it never starts again\n"),
        (
            {"paused": True, "next_local": None},
            "nightly: a ritual (0 3 * * *, Etc/UTC), which is paused\n  go on with: overmind ritual resume nightly\n",
        ),
    ],
)
def test_a_ritual_says_what_it_is_and_when_it_comes_next(overmind, more, said):
    ran = overmind({"quest_why": NONE, "spec": NONE, "info": NONE, "ritual": [{"ok": {**RITUAL, **more}}]}, "why", "r")
    assert (ran.status, ran.err, ran.out) == (0, "", f"{said}See: overmind ritual history nightly\n")


ISOLATED: dict[str, Any] = {
    "id": "a1b2c3d4", "name": "api", "type": "task", "status": "stopped", "outcome": "succeeded", "exit_code": 0,
    "reason": None, "isolation": {"worktree": "/w", "branch": "overmind/api"},
}  # fmt: skip
TREE: dict[str, Any] = {
    "mission": "a1b2c3d4", "name": "api", "status": "stopped", "path": "/w", "dirty": False, "merged": True,
    "ignored": 0, "problem": None,
}  # fmt: skip
SEE, COMMIT, MERGE, DISCARD = (
    "  see: overmind changes a1b2c3d4\n",
    "  go on with: overmind commit a1b2c3d4 -m …\n",
    "  go on with: overmind merge a1b2c3d4\n",
    "  remove it with: overmind discard a1b2c3d4 --force\n",
)
WORK: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    # what its worktree has, what `changes` tells of it, where it has landed, the lines below
    ({"dirty": True}, {}, "", f"  its work is kept in: /w (uncommitted)\n{SEE}{COMMIT}{MERGE}{DISCARD}"),
    ({"merged": False}, {}, "", f"  its work is kept in: /w (unmerged)\n{SEE}{MERGE}{DISCARD}"),
    ({"ignored": 2}, {}, "", f"  its work is kept in: /w (ignored by git)\n{DISCARD}"),
    ({}, {"files": [{}], "branch": "main"}, ", landed on main", ""),
    ({}, {"files": [], "branch": "overmind/api"}, "", ""),
]


@pytest.mark.parametrize(("tree", "changes", "landed", "lines"), WORK)
def test_a_mission_that_has_succeeded_says_where_its_work_is(overmind, tree, changes, landed, lines):
    known = {"info": [{"ok": ISOLATED}], "worktrees": [{"ok": {"worktrees": [{**TREE, **tree}]}}]}
    ran = overmind(
        {"quest_why": NONE, "quest": NONE, "spec": NONE, **known, "changes": [{"ok": changes}]}, "why", "api"
    )
    assert (ran.status, ran.err, ran.out) == (0, "", f"api (a1b2c3d4): succeeded{landed}\n{lines}")


TO_REVIEW = {"id": "a1b2c3d4", "status": "cancelled", "review": "person", "phase": None}
REVIEWS = [
    # the quest whose work it is, and the line about landing it
    (NONE, MERGE),
    ([{"ok": TO_REVIEW}], "  land it without its review with: overmind merge a1b2c3d4 --unreviewed\n"),
    ([{"ok": {**TO_REVIEW, "review": None}}], MERGE),
    ([{"ok": {**TO_REVIEW, "status": "completed"}}], MERGE),
    ([{"ok": {**TO_REVIEW, "status": "running", "phase": "landing"}}], MERGE),
]


@pytest.mark.parametrize(("quest", "merge"), REVIEWS)
def test_of_a_mission_that_was_removed_it_is_said_where_its_work_is_kept(overmind, quest, merge):
    trees = [{**TREE, "mission": "b", "name": "web"}, {**TREE, "status": None, "merged": False}]
    nothing = {"quest_why": NONE, "spec": NONE, "info": NONE, "ritual": NONE}
    ran = overmind({**nothing, "quest": quest, "worktrees": [{"ok": {"worktrees": trees}}]}, "why", "api")
    lines = f"  its work is kept in: /w (unmerged)\n{SEE}{merge}{DISCARD}"
    assert (ran.status, ran.err, ran.out) == (0, "", f"api (a1b2c3d4): was removed\n{lines}")
