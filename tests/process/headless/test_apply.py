"""Plans in a CI job: all that their agents write, reports of each, and nothing that is left."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.kit.blueprints import written
from tests.kit.waiting import eventually

MIXED = """
    [blueprint]
    on_failure = "continue"
    [agents.build]
    command = "echo built"
    [agents.flaky]
    command = "echo trying; [ -e there ] || { touch there; exit 1; }"
    retries = 1
    depends_on = ["build"]
    [agents.test]
    command = "echo testing; echo it is broken; exit 3"
    depends_on = ["build"]
    [agents.publish]
    command = "true"
    depends_on = ["test"]
    [agents.service]
    command = "echo serving; sleep 600"
    restart = "always"
"""


def test_everything_is_shown_summed_up_and_reported(headless, tmp_path):
    report, events, summary = (tmp_path / name for name in ("report.xml", "events.ndjson", "summary.md"))
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "NO_COLOR": "1"}
    path = written(tmp_path, MIXED, "ci")
    done = headless("--junit", str(report), "apply", path, "--events", str(events), env=env)
    assert done.returncode == 1
    _output(done.stdout)
    _summed_up(done.stderr)
    _junit(ET.fromstring(report.read_text())[0])
    _github(summary.read_text())
    told = [json.loads(line) for line in events.read_text().splitlines()]
    assert {event["name"] for event in told} == {
        "ci", "ci/build", "ci/flaky", "ci/test", "ci/service",
    }  # fmt: skip
    assert [one["agent"] for one in told if one["type"] == "agent_skipped"] == ["publish"]


CLOUD = """
    [agents.train]
    command = "echo on; sleep 600"
    [agents.drop]
    command = "sleep 0.3; echo dropped"
    when = "always"
    depends_on = ["train"]
"""


@pytest.mark.parametrize(("how", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (None, 124)])
def test_what_cleans_up_runs_on_a_signal_and_when_the_time_is_over(headless, tmp_path, how, status):
    limit = () if how else ("--timeout", "1s")
    run = headless.popen(*limit, "apply", written(tmp_path, CLOUD, "ci"))
    assert any(re.fullmatch(r"ci/train +\| on\n", line) for line in run.stdout)
    if how:
        run.send_signal(how)
    out, err = run.communicate(timeout=30)
    assert run.returncode == status
    assert re.search(r"^ci/drop +\| dropped$", out, re.MULTILINE)
    assert re.search(r"^drop +succeeded", err, re.MULTILINE), err
    headless.gone()


def _output(out):
    lines = out.splitlines()
    assert lines[0] == "::group::overmind apply ci"
    assert lines[-1] == "::error title=test::failed (3)"
    assert all(" | " in line for line in lines[1:-2])
    shown = [line.partition("|") for line in lines]
    by_name = {name.strip(): [text.strip() for other, _, text in shown if other == name] for name, _, _ in shown}
    assert by_name["ci/build"] == ["built"]
    assert by_name["ci/test"] == ["testing", "it is broken"]
    assert by_name["ci/service"] == ["serving"]
    began: dict[str, int] = {}
    for number, line in enumerate(lines):
        if (match := re.search("--- ([a-z]+): started", line)) is not None:
            began.setdefault(match[1], number)
    for number, line in enumerate(lines):
        if (own := re.match("ci/([a-z]+) ", line)) is not None:
            assert began[own[1]] < number, "an agent's output follows the line that it began"
    assert by_name["ci/flaky"].count("trying") == 2
    total = r"--- ci: 2 succeeded, 1 stopped, 1 failed, 1 skipped in .*; failed: test ---"
    assert any(re.search(total, line) for line in lines)


def _summed_up(err):
    rows = {line.split()[0]: line.split() for line in err.splitlines()}
    assert rows["build"][1:3] == ["succeeded", "0"]
    assert rows["flaky"][4] == "1"
    assert rows["test"][1:3] == ["failed", "3"]
    assert rows["publish"][1:3] == ["skipped", "-"]
    assert "overmind: ci: 2 succeeded, 1 stopped, 1 failed, 1 skipped, " in err
    assert "state and logs are kept in " in err


def _junit(suite):
    assert {name: suite.get(name) for name in ("name", "tests", "failures", "skipped", "errors")} == {
        "name": "ci", "tests": "5", "failures": "1", "skipped": "1", "errors": "0",
    }  # fmt: skip
    cases = {case.get("name"): case for case in suite}
    assert list(cases) == ["build", "flaky", "test", "publish", "service"] or set(cases) == {
        "build", "flaky", "test", "publish", "service",
    }  # fmt: skip
    assert {case.get("classname") for case in suite} == {"ci"}
    failure = cases["test"].find("failure")
    assert failure.get("message") == "failed (3)"
    assert failure.text == "testing\nit is broken"
    assert cases["publish"].find("skipped").get("message") == "skipped: test failed"
    assert cases["build"].find("system-out").text == "built"
    assert float(cases["build"].get("time")) >= 0


def _github(text):
    assert text.startswith("### ❌ ci\n")
    assert "```mermaid\nflowchart LR\n" in text
    assert '["test<br/>failed"]' in text
    assert "| test | failed | 3 |" in text
    assert "it is broken" in text


def test_success_leaves_nothing_and_is_one_line_of_json(headless, tmp_path):
    path = written(tmp_path, """
        [agents.a]
        command = "echo 42"
        [agents.b]
        command = "echo got ${agents.a.result}"
        [agents.service]
        command = "sleep 600"
        restart = "always"
        ready = { exec = "true" }
    """)  # fmt: skip
    done = headless("--json", "apply", path)
    assert done.returncode == 0, done
    assert "got 42" in done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert (found["exit_code"], found["trouble"], found["kept"]) == (0, None, None)
    assert found["plan"]["counts"]["succeeded"] == 3
    assert headless.homes() == []


def test_a_file_with_mistakes_starts_nothing(headless, tmp_path):
    done = headless("apply", written(tmp_path, '[agents.a]\ncomand = "true"\n'))
    assert done.returncode == 1
    assert "plan.toml:2:1: unknown key 'comand'" in done.stderr
    assert headless.homes() == []


@pytest.mark.parametrize("words", [("--timeout", "700ms", "apply"), ("apply", "--timeout", "700ms")])
def test_the_time_limit_ends_it_all(headless, lock, tmp_path, words):
    report = tmp_path / "report.xml"
    path = written(tmp_path, _long(lock))
    done = headless("--junit", str(report), *words, path)
    assert done.returncode == 124
    assert "1 succeeded, 1 stopped, 1 skipped" in done.stderr
    assert "(timed out after 0.7s)" in done.stderr
    cases: Any = {case.get("name"): case for case in ET.fromstring(report.read_text())[0]}
    assert cases["before"].find("failure") is None
    assert cases["long"].find("failure").get("type") == "timed out"
    assert cases["after"].find("skipped") is not None
    assert not lock.held()


def _long(lock):
    command = lock.wrap("echo on; sleep @")
    return f"""
        [agents.before]
        command = "true"
        [agents.long]
        command = {json.dumps(command)}
        depends_on = ["before"]
        [agents.after]
        command = "true"
        depends_on = ["long"]
    """


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_and_leaves_nothing(headless, lock, tmp_path, number, status):
    run = headless.popen("apply", written(tmp_path, _long(lock)))
    _until_on(run)
    run.send_signal(number)
    _, err = run.communicate(timeout=30)
    assert run.returncode == status
    assert f"(interrupted by {number.name})" in err
    assert not lock.held()
    assert headless.living() == []


def test_its_own_kill_minus_nine_leaves_nothing_and_what_is_left_is_not_gone_on_with(headless, lock, tmp_path):
    home = tmp_path / "home"
    path = written(tmp_path, "[blueprint]\non_failure = 'continue'\n" + _long(lock) + f"""
        [agents.other]
        command = "echo ran >> {tmp_path}/other; exit 1"
        depends_on = [{{ agent = "long", until = "finished" }}]
    """)  # fmt: skip
    run = headless.popen("--home", str(home), "apply", path)
    _until_on(run)
    run.kill()
    eventually(lambda: not lock.held() and not headless.living(), 8.0)
    assert headless("--home", str(home), "run", "sleep 0.3").returncode == 0
    assert not os.path.exists(tmp_path / "other")


def _until_on(run):
    for line in run.stdout:
        if line.endswith("| on\n"):
            return
    raise AssertionError("it ended before it was on")
