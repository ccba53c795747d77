"""Plans through the command line: started, followed, changed, ended, run again."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
from functools import partial

import pytest

from tests.kit.blueprints import applied, ended, stages, written
from tests.kit.overmind import PROGRAM
from tests.kit.raw_socket import RawSocket
from tests.kit.terminal import Terminal
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

MEET = "touch {0}; while ! [ -e {1} ]; do sleep 0.02; done"
"""A command that ends only when another one runs beside it."""


def narrative(om, plan):
    """What a plan has said, without ids and durations."""
    lines = re.sub(r"[0-9a-f]{8}", "ID", om.logs(plan)).splitlines()
    return [re.sub(r"\d+\.\d s", "T", line) for line in lines]


# --- started and looked at ----------------------------------------------------------------------------------------


def test_a_plan_is_a_mission_and_its_agents_are_its_children(om, tmp_path):
    path = written(tmp_path, """
        [agents.build]
        command = "echo built; while ! [ -e go ]; do sleep 0.02; done"
        [agents.test]
        command = "echo tested"
        depends_on = ["build"]
    """)  # fmt: skip
    said = om.ok("apply", path)
    assert re.fullmatch(r"Started plan [0-9a-f]{8} \(plan\)\n", said)
    plan = said.split()[2]
    build = eventually(lambda: [row["id"] for row in om.api("ps") if row["name"] == "plan/build"])[0]
    row = om.ps("--all")[0]
    assert (row["id"], row["name"], row["type"], row["status"]) == (plan, "plan", "blueprint", "running")
    assert om.info(plan)["children"] == [build]
    assert {om.info(name)["id"] for name in ("plan/build", "build", build)} == {build}
    assert om.info("build")["parent"] == plan
    assert [one["id"] for one in om.ps("--children", "plan")] == [build]
    eventually(lambda: om.logs("build") == "built\n")
    (tmp_path / "go").touch()
    assert om.ok("wait", "plan") == f"Mission {plan} finished: stopped (exit code 0): succeeded\n"
    assert om.logs("test") == "tested\n"
    assert narrative(om, "plan") == [
        "--- build: started (ID) ---", "--- build: succeeded after T ---",
        "--- test: started (ID) ---", "--- test: succeeded after T ---",
        "--- plan: 2 succeeded in T ---",
    ]  # fmt: skip
    events = om.events(mission=plan)
    assert [event["type"] for event in events if event["type"].startswith("agent_")] == [
        "agent_started", "agent_ended", "agent_started", "agent_ended",
    ]  # fmt: skip
    assert [event["agent"] for event in events if event["type"] == "agent_ended"] == ["build", "test"]


def test_independent_branches_run_side_by_side_and_meet_again(om, tmp_path):
    plan = applied(om, tmp_path, f"""
        [agents]
        a = {{ command = "echo a > order" }}
        b = {{ command = "{MEET.format("b", "c")}; echo b >> order", depends_on = ["a"] }}
        c = {{ command = "{MEET.format("c", "b")}; echo c >> order", depends_on = ["a"] }}
        d = {{ command = "cat order; echo d", depends_on = ["b", "c"] }}
    """)  # fmt: skip
    found = ended(om, plan)
    assert set(stages(found).values()) == {"succeeded"}
    first, *middle, last = om.logs("d").split()
    assert (first, set(middle), last) == ("a", {"b", "c"}, "d")
    assert found["critical_path"][0] == "a"
    assert found["critical_path"][-1] == "d"


def test_at_most_so_many_run_at_once(om, tmp_path):
    alone = "mkdir busy && sleep 0.05 && rmdir busy"
    plan = applied(om, tmp_path, "[blueprint]\nmax_parallel = 1\n" + "\n".join(
        f'[agents.a{number}]\ncommand = "{alone}"' for number in range(5)
    ))  # fmt: skip
    assert ended(om, plan)["counts"]["succeeded"] == 5


def test_what_agents_hand_on_reaches_others_whole_and_executes_nothing(om, tmp_path):
    nasty = """it's "quoted" $(touch hacked) `touch hacked` ; touch hacked \\ ünï"""
    (tmp_path / "nasty").write_text(f"first\n{nasty}\n\n")
    plan = applied(om, tmp_path, """
        [vars]
        greeting = "hi there"
        [agents.say]
        command = 'cat nasty; printf "1\\n2\\n" > "$OVERMIND_OUTPUT_DIR/facts"'
        outputs = ["facts"]
        [agents.bare]
        command = 'printf "%s|" ${agents.say.result} ${vars.greeting} ${agents.say.exit_code} "$HOME" "$${HOME}"'
        [agents.argv]
        command = ["printf", "%s|", "<${agents.say.result}>", "${agents.say.facts}"]
        no_tty = true
        [agents.all]
        command = 'echo "${agents.say.output}"; echo "${agents.bare.result}" | wc -l'
    """)  # fmt: skip
    found = ended(om, plan)
    assert set(stages(found).values()) == {"succeeded"}, om.logs("plan")
    home = om.environment["HOME"]
    assert om.logs("bare").strip() == f"{nasty}|hi there|0|{home}|{home}|"
    assert om.logs("argv").strip() == f"<{nasty}>|1\n2|"
    assert om.logs("all").splitlines()[:2] == ["first", nasty]
    assert not (tmp_path / "hacked").exists()
    assert next(one for one in found["agents"] if one["name"] == "say")["facts"] == {"facts": "1\n2"}


# --- nothing is started that is not right -------------------------------------------------------------------------


@pytest.mark.own_home
def test_every_mistake_is_told_with_its_place_and_nothing_starts(om, tmp_path):
    path = written(tmp_path, '[agents.a]\ncommand = "true"\ndepend_on = ["b"]\n\n[agents.c]\ndepends_on = ["nope"]\n')
    for command in ("apply", "diff"):
        done = om(command, path)
        assert done.returncode == 1
        assert done.stdout == ""
        assert f"{path}:3:1: unknown key 'depend_on'. Did you mean" in done.stderr
        assert f"{path}:6:15: " in done.stderr
        assert "Error: invalid: " in done.stderr
    om.refused("apply", str(tmp_path / "none.toml"), code="invalid")
    om.refused("apply", path, "--var", "x", code="invalid", exit_code=2)
    om.refused("ps", code="daemon_not_running")


def test_a_plan_may_come_from_standard_input_with_its_name_in_it(om, tmp_path):
    text = '[blueprint]\nname = "piped"\n[vars]\nx = "no"\n[agents.a]\ncommand = "pwd; echo ${vars.x}"\n'
    said = om.ok("apply", "-", "--var", "x=yes", "--wait", "--json", stdin=text, cwd=str(tmp_path))
    assert json.loads(said.splitlines()[0])["name"] == "piped"
    assert om.logs("a").splitlines() == [str(tmp_path), "yes"]


def test_a_name_that_another_mission_has_is_refused(om, tmp_path):
    om.mission("sleep 100", "--name", "plan")
    om.refused("apply", written(tmp_path, '[agents.a]\ncommand = "true"\n'), code="name_taken")


@pytest.mark.own_home
def test_agents_that_depend_on_each_other_are_a_cycle_here_and_over_the_socket(om, tmp_path):
    path = written(tmp_path, """
        [agents.a]
        command = "true"
        depends_on = ["b"]
        [agents.b]
        command = "true"
        depends_on = ["a"]
    """)  # fmt: skip
    done = om("apply", path)
    assert done.returncode == 1
    assert f"{path}:4:23: these agents depend on each other in a circle: a -> b -> a\nError: cycle: " in done.stderr
    om.ok("start")
    agents = [
        {"name": one, "start": {"command": "true", "cwd": "/"}, "depends_on": [{"agent": other}]}
        for one, other in ("ab", "ba")
    ]
    with RawSocket.connect(om.home) as api:
        assert api.request("apply", blueprint={"name": "p", "agents": agents}, cwd="/")["error"] == "cycle"


def test_a_plan_whose_agents_program_is_not_installed_is_refused_before_it_begins(om, tmp_path):
    path = written(tmp_path, """
        [agents.first]
        command = "touch began"
        [agents.write]
        provider = "claude"
        command = "write: ${agents.first.result}"
        env = { PATH = "/nowhere" }
    """)  # fmt: skip
    told = om.refused("apply", path, code="provider_missing")
    assert "write: " in told
    assert "plan" not in {row["name"] for row in om.ps("--all")}
    assert not (tmp_path / "began").exists()


def test_a_mission_may_apply_a_plan_below_itself_within_the_limits_of_its_tree(om, tmp_path):
    path = written(tmp_path, """
        [blueprint]
        on_failure = "continue"
        [agents.a]
        command = "sleep 600"
        [agents.b]
        command = "sleep 600"
    """)  # fmt: skip
    command = f"{shlex.join(PROGRAM)} apply {shlex.quote(path)}; sleep 600"
    caller = om.mission(command, "--max-children", "1")
    plan = eventually(lambda: [row for row in om.ps() if row["name"] == "plan"])[0]
    assert plan["parent"] == caller
    eventually(lambda: sorted(stages(om.api("plan", id="plan")).values()) == ["failed", "running"], what="one may run")
    assert f"--max-children of mission {caller} " in om.logs("plan")
    om.ok("stop", "--cascade", caller)
    assert [row["name"] for row in om.ps() if row["ended_at"] is None] == []


# --- failure ------------------------------------------------------------------------------------------------------

ENDS = [
    (
        "stop: nothing new starts, what runs goes on",
        '[blueprint]\non_failure = "stop"',
        {"bad": ("exit 3", ""), "beside": ("sleep 0.3", ""), "later": ("true", 'depends_on = ["beside"]'),
         "below": ("true", 'depends_on = ["bad"]')},
        {"bad": "failed", "beside": "succeeded", "later": "skipped", "below": "skipped"},
    ),
    (
        "continue: what does not depend on it runs",
        '[blueprint]\non_failure = "continue"',
        {"bad": ("exit 3", ""), "beside": ("sleep 0.3", ""), "later": ("true", 'depends_on = ["beside"]'),
         "below": ("true", 'depends_on = ["bad"]'), "lower": ("true", 'depends_on = ["below"]')},
        {"bad": "failed", "beside": "succeeded", "later": "succeeded", "below": "skipped", "lower": "skipped"},
    ),
    (
        "cancel: what runs is stopped",
        '[blueprint]\non_failure = "cancel"',
        {"bad": ("sleep 0.2; exit 3", ""), "beside": ("sleep 600", "")},
        {"bad": "failed", "beside": "cancelled"},
    ),
    (
        "a failure is what some are there for",
        "",
        {"bad": ("exit 3", ""), "mourn": ("echo ${agents.bad.exit_code}", 'depends_on = ["bad"]\nwhen = "failure"'),
         "clean": ("true", 'depends_on = ["bad"]\nwhen = "always"'),
         "after": ("true", 'depends_on = [{ agent = "bad", until = "finished" }]')},
        {"bad": "failed", "mourn": "succeeded", "clean": "succeeded", "after": "succeeded"},
    ),
    (
        "without a failure nobody is there for it",
        "",
        {"good": ("true", ""), "mourn": ("true", 'depends_on = ["good"]\nwhen = "failure"'),
         "clean": ("true", 'depends_on = ["good"]\nwhen = "always"')},
        {"good": "succeeded", "mourn": "skipped", "clean": "succeeded"},
    ),
    (
        "what is tried again may succeed",
        "",
        {"flaky": ("[ -e there ] || { touch there; exit 1; }", "retries = 2"),
         "after": ("true", 'depends_on = ["flaky"]')},
        {"flaky": "succeeded", "after": "succeeded"},
    ),
    (
        "a program that is not there, and a promise that is not kept",
        '[blueprint]\non_failure = "continue"',
        {"gone": ("", 'command = ["/does/not/exist", "x"]'), "silent": ("true", 'outputs = ["facts"]')},
        {"gone": "failed", "silent": "failed"},
    ),
]  # fmt: skip


def plan_text(head, agents):
    tables = []
    for name, (command, more) in agents.items():
        written_command = f"command = {json.dumps(command)}\n" if command else ""
        tables.append(f"[agents.{name}]\n{written_command}{more}\n")
    return "\n".join([head, *tables])


def test_what_becomes_of_the_others_when_one_fails(om, tmp_path, cases):
    plans = []
    for number, (_, head, agents, _) in enumerate(ENDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        plans.append(applied(om, folder, plan_text(head, agents), f"plan{number}"))
    found = [ended(om, plan) for plan in plans]
    last_lines = [log.splitlines()[-1] for log in om.ok("logs", *plans).split("\n=== ")]
    for (title, _, _, expected), one, last in zip(ENDS, found, last_lines, strict=True):
        with cases(title):
            assert stages(one) == expected, last
            failed = [name for name, stage in expected.items() if stage == "failed"]
            assert one["exit_code"] == (1 if failed else 0)
            assert last.endswith(f"; failed: {', '.join(failed)} ---") or not failed


def test_an_agent_that_a_person_ends_has_failed(om, tmp_path, cases):
    for verb in ("stop", "kill"):
        with cases(verb):
            plan = applied(om, tmp_path, f"""
                [agents.long]
                command = "trap 'exit 0' TERM; touch {verb}; sleep 600 & wait"
                [agents.after]
                command = "true"
                depends_on = ["long"]
            """, verb)  # fmt: skip
            eventually((tmp_path / verb).exists)
            om.ok(verb, f"{verb}/long")
            found = ended(om, plan)
            assert (stages(found), found["exit_code"]) == ({"long": "failed", "after": "skipped"}, 1)


# --- services -----------------------------------------------------------------------------------------------------


def test_services_are_waited_for_until_ready_and_stopped_in_the_end_in_reverse(om, tmp_path):
    plan = applied(om, tmp_path, """
        [agents.base]
        command = "trap 'echo base >> ends; exit 0' TERM; sleep 0.1; echo listening; sleep 600 & wait"
        restart = "always"
        ready = { log = "^listening$", timeout = "20s" }
        [agents.top]
        command = "trap 'echo top >> ends; exit 0' TERM; touch up; sleep 600 & wait"
        restart = "always"
        ready = { exec = "test -e up", timeout = "20s" }
        depends_on = [{ agent = "base", until = "ready" }]
        [agents.use]
        command = "test -e up"
        depends_on = [{ agent = "top", until = "ready" }]
    """)  # fmt: skip
    assert set(stages(ended(om, plan)).values()) == {"succeeded"}, om.logs(plan)
    assert (tmp_path / "ends").read_text().split() == ["top", "base"]
    assert om("wait", plan).returncode == 0


def test_a_service_that_does_not_become_ready_has_failed(om, tmp_path):
    plan = applied(om, tmp_path, """
        [agents.deaf]
        command = "sleep 600"
        restart = "always"
        ready = { exec = "false", timeout = "200ms" }
        [agents.use]
        command = "true"
        depends_on = [{ agent = "deaf", until = "ready" }]
    """)  # fmt: skip
    assert stages(ended(om, plan)) == {"deaf": "failed", "use": "skipped"}
    assert "not ready" in om.logs("deaf")


# --- the whole is ended -------------------------------------------------------------------------------------------

STAYS = """
    [agents.a]
    command = "sleep 600"
    [agents.b]
    command = "sleep 600"
    depends_on = [{ agent = "a", until = "started" }]
    [agents.c]
    command = "true"
    depends_on = ["b"]
"""


def both_run(om, name="plan"):
    eventually(
        lambda: {f"{name}/a", f"{name}/b"} <= {row["name"] for row in om.api("ps") if row["status"] == "running"}
    )


def test_however_a_plan_is_ended_its_agents_end_with_it(om, tmp_path, cases):
    for number, words in enumerate((("stop",), ("stop", "--cascade"), ("kill", "--cascade"), ("delete", "-y"))):
        with cases(" ".join(words)):
            name = f"plan{number}"
            plan = applied(om, tmp_path, STAYS, name)
            both_run(om, name)
            om.ok(*words, name)
            assert [row["name"] for row in om.api("ps") if row["ended_at"] is None] == []
            found = ended(om, plan)
            assert found["status"] == ("killed" if words[0] == "kill" else found["status"])
            assert stages(found)["c"] in {"skipped", "waiting"}
            assert found["exit_code"] == (None if words[0] == "kill" else 1)


@pytest.mark.own_home
def test_a_shutdown_ends_plans_and_a_kept_one_goes_on(om, tmp_path):
    plan = applied(om, tmp_path, f"""
        [agents.a]
        command = "while ! [ -e {tmp_path}/go ]; do sleep 0.02; done"
        [agents.b]
        command = "true"
        depends_on = ["a"]
    """)  # fmt: skip
    applied(om, tmp_path, STAYS, "other")
    both_run(om, "other")
    om.ok("shutdown", "--keep")
    (tmp_path / "go").touch()
    om.ok("start")
    assert stages(ended(om, plan)) == {"a": "succeeded", "b": "succeeded"}
    om.ok("shutdown", "-y")
    om.ok("start")
    assert om.info("other")["status"] in {"stopped", "crashed"}
    assert [row for row in om.api("ps") if row["ended_at"] is None] == []


# --- changed ------------------------------------------------------------------------------------------------------


def test_an_unchanged_file_changes_nothing_and_a_changed_one_only_what_differs(om, tmp_path):
    path = written(tmp_path, STAYS)
    plan = om.json("apply", "--json", path)["id"]
    both_run(om)
    before = {row["name"]: row["id"] for row in om.api("ps")}
    assert om.ok("apply", path) == f"unchanged: plan {plan} (plan)\n"
    assert om.ok("diff", path) == ""
    assert om.json("diff", path, "--json") == []
    changed = STAYS.replace('command = "true"', 'command = "false"')
    written(tmp_path, changed + '[agents.new]\ncommand = "sleep 600"\n')
    told = "~ c (command)\n+ new\n"
    assert om.ok("diff", path) == told
    assert om("diff", path, "--exit-code").returncode == 1
    assert om.ok("apply", path, "--dry-run") == told
    assert {row["name"]: row["id"] for row in om.api("ps")} == before
    assert om.ok("apply", path) == f"{told}Changed plan {plan} (plan)\n"
    eventually(lambda: "plan/new" in {row["name"] for row in om.api("ps")})
    assert {row["name"]: row["id"] for row in om.api("ps") if row["name"] != "plan/new"} == before
    written(tmp_path, STAYS.replace("sleep 600", "sleep 601"))
    assert om.ok("diff", path) == "~ a (command)\n~ b (command)\n~ c (command)\n- new\n"
    om.ok("apply", path)
    eventually(lambda: len([row for row in om.api("ps") if row["status"] == "running"
                            and row["command"] == "sleep 601"]) == 2)  # fmt: skip
    lives = {"plan", "plan/a", "plan/b"}
    eventually(lambda: {row["name"] for row in om.api("ps") if row["ended_at"] is None} == lives)
    assert om.ok("delete", path) == f"Deleted plan {plan} (plan)\n"
    assert om.ok("delete", "plan") == f"Plan {plan} (plan) has already ended\n"
    ended_, said = om("diff", path), "ended: apply runs all of it again (its last run was stopped "
    assert (ended_.stdout, ended_.stderr.startswith(said)) == ("", True)
    om.refused("delete", "nobody", code="not_found")
    om.refused("delete", "./nobody", code="invalid")


def test_what_failed_runs_again_and_what_depends_on_it_and_nothing_else(om, tmp_path):
    path = written(tmp_path, """
        [agents.base]
        command = "echo ran >> base"
        [agents.flaky]
        command = "echo ran >> flaky; test -e mended"
        depends_on = ["base", { agent = "db", until = "ready" }]
        [agents.db]
        command = "echo ran >> db; sleep 600"
        restart = "always"
        ready = { exec = "test -e db" }
        [agents.after]
        command = "echo ran >> after"
        depends_on = ["flaky"]
    """)  # fmt: skip
    plan = om.json("apply", "--json", path)["id"]
    assert stages(ended(om, plan)) == {
        "base": "succeeded", "db": "succeeded", "flaky": "failed", "after": "skipped",
    }  # fmt: skip
    (tmp_path / "mended").touch()
    told = "".join(f"~ {name} (runs again)\n" for name in ("after", "db", "flaky"))
    told += "kept: base\n"
    assert om.ok("apply", path, "--rerun", "failed", "--dry-run") == told
    done = om("apply", path, "--rerun", "failed", "--wait")
    assert done.returncode == 0, done
    assert done.stderr.startswith(f"{told}Started plan {plan} (plan) again: its last run failed ")
    assert done.stdout.startswith("--- restart #1 at ")
    assert "failed" not in done.stdout
    assert om.logs("plan", "--run", "2") == done.stdout
    assert set(stages(ended(om, plan)).values()) == {"succeeded"}
    counts = {name: (tmp_path / name).read_text().count("ran") for name in ("base", "db", "flaky", "after")}
    assert counts == {"base": 1, "db": 2, "flaky": 2, "after": 1}
    assert om.ok("apply", path, "--rerun", "failed").startswith(f"unchanged: nothing of plan {plan} (plan) runs: ")
    again = om.json("apply", path, "--json")
    assert again["id"] != plan
    ended(om, again["id"])
    assert (tmp_path / "base").read_text().count("ran") == 2
    om.refused("apply", written(tmp_path, STAYS, "never"), "--rerun", "failed", code="not_found")


def test_what_has_ended_runs_again_whole_or_in_the_part_that_is_asked_for_and_says_so(om, tmp_path):
    def text(first):
        return f"""
            [agents.lint]
            command = "echo ran >> lint"
            [agents.build]
            command = "echo {first} >> build"
            [agents.test]
            command = "echo ran >> test"
            depends_on = ["build"]
        """

    def ran(name):
        return (tmp_path / name).read_text().split()

    path = written(tmp_path, text("one"))
    om.refused("apply", path, "--changed", code="not_found")
    om.ok("apply", path, "--wait")
    written(tmp_path, text("two"))
    seen = om("diff", path)
    assert seen.stdout == "~ build (command)\n"
    assert re.fullmatch(r"ended: apply runs all of it again \(its last run succeeded \d+s ago\)\n", seen.stderr)
    done = om("apply", path, "--changed", "--wait")
    assert re.fullmatch(
        r"~ build \(command\)\n~ test \(runs again\)\nkept: lint\nStarted plan \w+ \(plan\) again: .*\n", done.stderr
    )
    assert "--- plan: 2 succeeded, 1 kept in " in done.stdout
    assert (ran("lint"), ran("build"), ran("test")) == (["ran"], ["one", "two"], ["ran"] * 2)
    assert om.ok("apply", path, "--changed").startswith("unchanged: nothing of plan ")
    om.refused("apply", path, "--rerun", "tset", code="not_found")
    assert "kept: lint, build\n" in om("apply", path, "--rerun", "test", "--wait").stderr
    again = om("apply", path, "--wait").stderr
    assert re.fullmatch(r"Started plan \w+ \(plan\) again: its last run succeeded \d+s ago\n", again)
    assert (ran("lint"), ran("test")) == (["ran"] * 2, ["ran"] * 4)


def test_a_result_of_who_is_kept_is_there_for_who_refers_to_it_from_now_on(om, tmp_path):
    def text(use):
        return f"""
            [agents.build]
            command = "echo dist/app"
            [agents.use]
            depends_on = ["build"]
            command = 'echo "{use}"'
        """

    path = written(tmp_path, text("none"))
    om.ok("apply", path, "--wait")
    written(tmp_path, text("got <${agents.build.result}>"))
    assert "kept: build\n" in om("apply", path, "--changed", "--wait").stderr
    assert om.logs("plan/use").splitlines()[-1] == "got <dist/app>"
    om.ok("rm", "plan/build")
    written(tmp_path, text("again <${agents.build.result}>"))
    om("apply", path, "--changed", "--wait")
    assert "The result of build was removed. Run build again, too." in om.ok("logs", "plan")


# --- followed -----------------------------------------------------------------------------------------------------


def test_whoever_waits_sees_the_narrative_and_gets_the_code(om, tmp_path):
    path = written(tmp_path, '[agents.a]\ncommand = "exit 3"\n')
    done = om("apply", path, "--wait")
    assert done.returncode == 1
    assert re.fullmatch(
        r"Started plan [0-9a-f]{8} \(plan\)\nPlan [0-9a-f]{8} \(plan\) finished: crashed \(exit code 1\): failed. .+\n",
        done.stderr,
    )
    assert [line.split(" (")[0] for line in done.stdout.splitlines()[:2]] == ["--- a: started", "--- a: failed"]
    assert done.stdout.endswith("; failed: a ---\n")


def test_ctrl_c_leaves_it_alive_and_says_how_to_return(om, tmp_path):
    client = om.popen("apply", written(tmp_path, STAYS), "--wait")
    assert client.stdout.readline().startswith("--- a: started")
    client.send_signal(signal.SIGINT)
    _, err = client.communicate(timeout=20)
    assert client.returncode == 130
    assert "keeps running. Return with: overmind logs -f plan" in err
    assert om.info("plan")["status"] == "running"


@pytest.mark.own_home
@pytest.mark.linux
def test_a_plan_goes_on_when_its_supervisor_is_killed(om, tmp_path):
    plan = applied(om, tmp_path, """
        [agents.a]
        command = "echo ran >> a; while ! [ -e go ]; do sleep 0.02; done"
        [agents.b]
        command = "echo ran >> b"
        depends_on = ["a"]
    """)  # fmt: skip
    eventually((tmp_path / "a").exists)
    os.kill(om.supervisor_pid(), signal.SIGKILL)
    (tmp_path / "go").touch()
    eventually((tmp_path / "b").exists, timeout=20)
    assert om("wait", plan).returncode == 0
    assert [(tmp_path / name).read_text() for name in "ab"] == ["ran\n", "ran\n"]


def test_a_plan_may_be_restarted_at_any_time_and_then_all_of_it_runs_anew(om, tmp_path, cases):
    plan = applied(om, tmp_path, STAYS)
    both_run(om)
    for verb in ("restart", "stop", "kill", "kill --cascade"):
        with cases(verb):
            before = {row["id"] for row in om.api("ps", all=True)}
            if verb != "restart":
                om.ok(*verb.split(), plan)
            om.ok("restart", plan)
            eventually(partial(_both_run_anew, om, plan, before))
    om.ok("stop", plan)


def _both_run_anew(om, plan, before):
    live = {row["name"] for row in om.api("ps") if row["status"] == "running" and row["id"] not in before - {plan}}
    return live == {"plan", "plan/a", "plan/b"}


def test_what_was_killed_runs_again_like_what_has_failed(om, tmp_path):
    path = written(tmp_path, STAYS)
    om.ok("apply", path)
    both_run(om)
    om.ok("kill", "--cascade", "plan")
    assert stages(om.api("plan", id="plan")) == {"a": "failed", "b": "failed", "c": "skipped"}
    om.ok("apply", path, "--rerun", "failed")
    both_run(om)


def test_a_person_is_asked_before_agents_end(om, tmp_path):
    plan = applied(om, tmp_path, STAYS)
    both_run(om)
    for answer, said, status in (("n", "Nothing done", 1), ("y", f"Deleted plan {plan}", 0)):
        with Terminal(om, "delete", "plan") as terminal:
            terminal.expect(r"\(plan\) and its 2 running agents\? \[y/N\] ")
            terminal.type(f"{answer}\r")
            terminal.expect(said)
            assert terminal.end() == status


def test_a_request_that_comes_twice_makes_one_plan(om, tmp_path):
    om.ok("start")
    blueprint = {"name": "plan", "agents": [{"name": "a", "start": {"command": "echo ran >> a", "cwd": str(tmp_path)}}]}
    request = {"blueprint": blueprint, "cwd": str(tmp_path), "env": dict(om.environment), "request": "key"}
    first = om.api("apply", **request)
    ended(om, first["id"])
    assert om.api("apply", **request) == first
    assert (tmp_path / "a").read_text() == "ran\n"


def test_what_failed_may_run_again_while_the_rest_goes_on(om, tmp_path):
    path = written(tmp_path, """
        [agents.flaky]
        command = "echo ran >> flaky; test -n \\"$MENDED\\" || test -e mended"
        [agents.after]
        command = "touch after"
        depends_on = ["flaky"]
        [agents.long]
        command = "while ! [ -e go ]; do sleep 0.02; done"
    """)  # fmt: skip
    plan = om.json("apply", "--json", path)["id"]
    eventually(lambda: stages(om.api("plan", id=plan))["after"] == "skipped")
    (tmp_path / "mended").touch()
    told = "~ after (runs again)\n~ flaky (runs again)\n"
    assert om.ok("apply", path, "--rerun", "failed") == f"{told}Changed plan {plan} (plan)\n"
    eventually((tmp_path / "after").exists)
    (tmp_path / "go").touch()
    assert set(stages(ended(om, plan)).values()) == {"succeeded"}
    assert (tmp_path / "flaky").read_text() == "ran\nran\n"


def test_a_plan_runs_again_in_the_world_of_whoever_asks_and_only_when_something_went_wrong(om, tmp_path):
    path = written(tmp_path, """
        [blueprint]
        timeout = "1m"
        [agents.flaky]
        command = 'test -n "$MENDED"'
        [agents.alarm]
        command = "true"
        depends_on = ["flaky"]
        when = "failure"
    """)  # fmt: skip
    failed = om("apply", path, "--wait")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == (
        f"Plan {om.info('plan')['id']} (plan) finished: crashed (exit code 1): failed. See: overmind why plan. "
        f"Run what failed again with: overmind apply {path} --rerun failed"
    )
    written(tmp_path, (tmp_path / "plan.toml").read_text().replace("1m", "2m"))
    assert om("apply", path, "--rerun", "failed", "--wait", env={"MENDED": "yes"}).returncode == 0
    assert om.info("plan")["timeout_ms"] == 120_000
    assert stages(om.api("plan", id="plan")) == {"flaky": "succeeded", "alarm": "skipped"}
    assert om.ok("apply", path, "--rerun", "failed").startswith("unchanged")
