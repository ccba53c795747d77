"""`apply` and `diff` of a plan that has ended: both say what runs again, what is kept, and where nothing runs."""

from __future__ import annotations

import os

import pytest

PLAN = {"id": "aaaa0001", "name": "p", "status": "crashed", "outcome": "failed", "exit_code": 3,
        "started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:01Z"}  # fmt: skip
NONE = {"id": "aaaa0001", "name": "p", "status": "unchanged", "changes": [], "kept": []}
PART = {**NONE, "status": "planned", "kept": ["lint"], "changes": [{"sign": "~", "agent": "b", "why": ["runs again"]}]}


@pytest.fixture
def run(overmind, tmp_path):
    """Run a command on a file whose plan has ended; return what became of it, and what the daemon was asked."""
    path = tmp_path / "p.toml"
    path.write_text('[blueprint]\nname = "p"\n[vars]\ntopic = "make"\n[agents.b]\ncommand = "true"\n')

    def ran(answer, command, *words, agents=(), **plan):
        rows = [{**PLAN, **plan, "file": str(path)}]
        answers = {"plans": [{"ok": rows}], "apply": [{"ok": answer}], "plan": [{"ok": {"agents": agents}}]}
        found = overmind(answers, command, str(path), *words)
        text = (found.out + found.err).replace(str(path), "p.toml")
        return found.status, text, [args for name, args in found.requests if name == "apply"][-1]

    return ran


@pytest.mark.parametrize("command", [("diff",), ("apply", "--dry-run")])
@pytest.mark.parametrize(("words", "rerun"), [(["--changed"], "changed"), (["--rerun", "failed"], "failed")])
def test_a_part_is_told_alike_by_both(run, command, words, rerun):
    status, text, asked = run(PART, *command, *words)
    assert (status, text) == (0, "~ b (runs again)\nkept: lint\n")
    assert asked["rerun"] in (rerun, [rerun])
    assert asked["dry_run"]


@pytest.mark.parametrize(("words", "given"), [((), []), (("--var", "topic=x"), ["topic"])])
def test_the_daemon_hears_which_variables_were_given(run, words, given):
    _, _, asked = run(PART, "diff", "--rerun", "failed", *words)
    assert asked["blueprint"]["given"] == given


HELP = [
    ({}, "failed", "Run what failed again with"),
    ({"outcome": "timed out"}, "timed out", "Run what failed again with"),
    ({"status": "killed", "outcome": "killed", "exit_code": None}, "was killed", "Go on with"),
    ({"status": "stopped", "outcome": "stopped", "exit_code": None}, "was stopped", "Go on with"),
    ({"status": "stopped", "outcome": "succeeded", "exit_code": 0}, "succeeded", ""),
]


@pytest.mark.parametrize(("plan", "how", "helps"), HELP)
@pytest.mark.parametrize("command", ["diff", "apply"])
def test_where_nothing_was_changed_it_says_how_the_last_run_ended_and_what_runs_the_rest_again(
    run, command, plan, how, helps
):
    _, text, _ = run(NONE, command, "--changed", "--name", "p", "--var", "topic=its history", **plan)
    assert text.startswith(f"unchanged: nothing of plan aaaa0001 (p) runs: its last run {how} ")
    assert text.endswith(
        f" ago. {helps}: overmind apply p.toml --name p --var 'topic=its history' --rerun failed\n"
        if helps
        else " ago\n"
    )


@pytest.mark.parametrize("command", ["diff", "apply"])
def test_where_what_failed_was_asked_for_and_nothing_is_left_to_run_that_is_not_named_once_more(run, command):
    _, text, _ = run(NONE, command, "--rerun", "failed", outcome="timed out")
    assert text.endswith(" ago. Nothing of it is unfinished. Run all of it again with: overmind apply p.toml\n")


WITHOUT_X = {**NONE, "changes": [{"sign": "-", "agent": "x", "why": []}]}
X_FAILED = [{"name": "a", "stage": "succeeded"}, {"name": "x", "stage": "failed"}]
LEFT = [
    # agents of the last run, what helps
    (X_FAILED, "The failed agents are not in the file any more. Run all of it again with: overmind apply p.toml"),
    ([*X_FAILED, {"name": "b", "stage": "failed"}], "Run what failed again with: overmind apply p.toml --rerun failed"),
]


@pytest.mark.parametrize(("agents", "helps"), LEFT)
@pytest.mark.parametrize("command", ["diff", "apply"])
def test_what_was_removed_is_told_and_no_command_is_named_that_would_run_nothing(run, command, agents, helps):
    _, text, _ = run(WITHOUT_X, command, "--changed", agents=agents)
    assert text.startswith("- x\nunchanged: nothing of plan aaaa0001 (p) runs: its last run failed ")
    assert text.endswith(f" ago. {helps}\n")


@pytest.mark.parametrize("words", [(), ("--wait",), ("--rerun", "failed", "--wait")])
def test_a_plan_that_somebody_has_started_meanwhile_is_not_told_by_its_last_run(overmind, tmp_path, words):
    path = tmp_path / "p.toml"
    path.write_text('[blueprint]\nname = "p"\n[agents.b]\ncommand = "true"\n')
    last = {**PLAN, "file": str(path)}
    looks = [[last], [{**last, "status": "running", "outcome": None, "exit_code": None, "ended_at": None}]]
    followed = {**PLAN, "status": "stopped", "outcome": "succeeded", "exit_code": 0, "runs": [], "annotations": []}
    answers = {
        "plans": lambda _: [{"ok": looks.pop(0)}],
        "apply": [{"ok": NONE}],
        "logs": [{"ok": {"missions": [followed], "seq": 1}}, {"end": {}}],
        "info": [{"ok": followed}],
    }
    ran = overmind(answers, "apply", str(path), *words)
    assert (ran.status, ran.out + ran.err) == (0, "unchanged: plan aaaa0001 (p)\n")


@pytest.mark.parametrize(("plan", "code"), [({}, 3), ({"status": "stopped", "exit_code": 0}, 0)])
def test_what_did_not_run_is_not_followed_and_its_last_run_is_the_exit_status(run, plan, code):
    status, text, _ = run(NONE, "apply", "--changed", "--wait", **plan)
    assert (status, text.count("\n")) == (code, 1)


def test_all_of_it_runs_again_and_what_was_changed_is_told_by_diff(run):
    _, text, _ = run({**PART, "kept": []}, "diff")
    assert text.splitlines()[0] == "~ b (runs again)"
    assert text.splitlines()[1].startswith("ended: apply runs all of it again (its last run failed ")


def test_of_standard_input_the_last_run_is_the_one_of_this_folder(overmind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = b'[blueprint]\nname = "p"\n[agents.b]\ncommand = "true"\n'
    monkeypatch.setattr("overmind_core.cli.plans.blueprint.content", lambda _path: text)
    there = {"id": "aaaa0002", "started_at": "2026-01-02T00:00:00Z", "outcome": "succeeded", "status": "stopped"}
    rows = [{**PLAN, **there, "file": "-"}, {**PLAN, "file": "-"}]

    def said(here):
        folders = {"aaaa0001": here, "aaaa0002": "/elsewhere"}
        answers = {"plans": [{"ok": rows}], "apply": [{"ok": NONE}],
                   "info": lambda args: [{"ok": {"cwd": folders[args["id"]]}}]}  # fmt: skip
        return overmind(answers, "apply", "-", "--changed").out

    assert said(os.getcwd()).startswith("unchanged: nothing of plan aaaa0001 (p) runs: its last run failed ")
    assert said("/elsewhere") == "unchanged: plan aaaa0001 (p)\n"
