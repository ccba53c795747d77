"""`.ci/run`, with a `make` that does what a plan says: the order, the lanes, what is tried again, the last lines."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

from scripts.landing.execution import Ended, Executor, Interrupts, Job, write_duration
from scripts.landing.targets import NIGHT, Target
from tests.kit.fake_make import FINE, FakeMake, Step
from tests.kit.overmind import REPOSITORY
from tests.kit.waiting import eventually

NEEDED = ("tmux", "vim", "openssl", "ssh", "sshd", "npm")
"""Programs that it installs where they are missing."""
LANE_A = ["test-process"]
LANE_B = ["test-postgres", "test-web", "test-docker", "test-claude", "demo-engine"]
FAILED = "<failure message='AssertionError: no&#10;more'/>"
LEFT = "<error message='failed on teardown with \"left after the test\"'/>"
CRASHED = "<error message=\"failed on setup with &quot;worker 'gw0' crashed while running 'tests/test_a.py'&quot;\"/>"
SEEDED = "<failure message='no'/><system-out>OVERMIND_TEST_SEED=7</system-out>"
HYPOTHESIS = "<failure message='no'>or by running pytest with --hypothesis-seed=12</failure>"


def red(*names, inside=FAILED):
    """A step in which these tests fail, besides one that passes."""
    return Step(2, [FINE, *(("tests/test_a.py", name, inside) for name in names)])


def green(*names):
    """A step in which these tests pass."""
    return Step(0, [("tests/test_a.py", name, "") for name in names])


class Ci:
    """`.ci/run` in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        for name in (".ci", "scripts/landing"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(os.path.join(REPOSITORY, name), folder / name, ignore=ignored)
        self.programs = folder / "programs"
        self.programs.mkdir()
        (self.programs / "python3").symlink_to(sys.executable)
        self.make = FakeMake(str(self.programs))
        for name in NEEDED:
            self.put(name)
        self.environment = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}", "TMPDIR": str(folder)}
        self.environment.pop("OVERMIND_TEST_MUST", None)
        self.environment["OVERMIND_LANDING_CORES"] = "4"
        self.command = ["bash", ".ci/run"]

    def put(self, name, command=""):
        """Make a program."""
        (self.programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (self.programs / name).chmod(0o700)

    def start(self, **steps):
        """Begin it, with these steps of targets."""
        for name, planned in steps.items():
            self.make.plan(name.replace("_", "-"), *([planned] if isinstance(planned, Step) else planned))
        return subprocess.Popen(
            self.command, cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, **steps):
        """Let it end; its exit status and all that it said."""
        process = self.start(**steps)
        said, _ = process.communicate(timeout=100)
        assert not list(self.folder.glob("overmind-landing-*"))
        return process.returncode, said

    def targets(self):
        """The targets in their order; lane B alone where both lanes run."""
        return [call.target for call in self.make.begun() if call.target not in LANE_A]

    def noted(self, word):
        """The rest of all noted lines that begin with a word."""
        return [words for first, *words in self.make.calls() if first == word]

    def place(self, noted, target):
        """The place of the last such line among all that was noted."""
        calls = self.make.calls()
        return max(place for place, words in enumerate(calls) if words[:2] == [noted, target])


@pytest.fixture
def ci(tmp_path):
    return Ci(tmp_path)


def row(said, target):
    """The row of a target in the last lines, without its seconds."""
    lines = said.partition("=== The last lines ===")[2].splitlines()
    cells = next(re.split("  +", line) for line in lines if line.startswith(f"{target}  "))
    assert re.fullmatch(r"\d+( of \d+(, over)?)?", cells[-1])
    return cells[1:-1]


def test_a_green_landing_runs_all_and_shows_a_row_for_each(ci):
    entries = [("tests/test_b.py", f"test_{'long' * number}", "") for number in range(12)]
    entries += [("tests/test_a.py", f"test_{number}", "<skipped message='no htop'/>") for number in range(2)]
    cost = "cost: 1,267 s of processor time, 98,415 looks of 125,000"
    left_out = Step(entries=None, output="make test-web: skipped. it needs root")
    code, said = ci.run(test=Step(entries=entries, output=cost), test_web=left_out)
    assert code == 0
    assert ci.targets() == ["check", "test", *LANE_B]
    assert {call.given["MUST"] for call in ci.make.begun()} == {"postgres web docker claude"}
    assert row(said, "check") == ["0", "–", "–", "–", "0", "–"]
    assert row(said, "test") == ["0", "12", "2", "0", "1267", "98,415 of 125,000"]
    assert [row(said, name)[:4] for name in ("test-process", "test-docker")] == [["0", "1", "0", "0"]] * 2
    assert [row(said, name)[:4] for name in ("demo-engine", "test-web")] == [["0", "–", "–", "–"]] * 2
    last = said.partition("=== The last lines ===")[2]
    assert "test: 2 × no htop\n" in last
    assert "test-web: all. it needs root\n" in last
    dearest = re.findall(r"^ +([\d.]+) s  tests/test_b\.py::(\w+)$", last, re.MULTILINE)
    assert dearest == [(f"{5 + 4 * number}.0", f"test_{'long' * number}") for number in range(11, 2, -1)]
    assert len(re.findall(r"^ +[\d.]+ s  tests/", last, re.MULTILINE)) == 10
    assert last.splitlines()[-1].startswith("Lands after ")
    assert said.count(cost) == 1


def test_on_few_cores_the_lanes_run_one_after_the_other(ci):
    ci.environment["OVERMIND_LANDING_CORES"] = "2"
    assert ci.run(test_process=red("test_it"))[0] == 1
    targets = [call.target for call in ci.make.begun()]
    assert targets == ["check", "test", "test-process", *LANE_B, "test-process"]
    assert ci.place("end", "test-process") > ci.place("end", "demo-engine"), "the second try comes when all have ended"


def test_a_night_runs_each_target_once_whatever_fails_and_is_red_for_one(ci):
    ci.command = ["python3", "-m", "scripts.landing", "night"]
    code, said = ci.run(check=Step(1), test=red("test_it"), unsteady=Step(1), test_web=green("test_long"))
    assert code == 1
    targets = [call.target for call in ci.make.begun()]
    assert targets == [target.name for stage in NIGHT.stages for lane in stage for target in lane]
    last = said.partition("=== The last lines ===")[2]
    assert [line for line in last.splitlines() if line.startswith("Red: ")] == [
        "Red: make check: exit 1.",
        "Red: make unsteady: exit 1.",
        "Red: make test: tests/test_a.py::test_it: AssertionError: no",
    ]
    assert last.splitlines()[-1].startswith("Red after ")


def test_the_environment_may_name_other_engines_but_narrows_no_target(ci):
    ci.environment |= {"OVERMIND_TEST_MUST": "web", "TESTS": "tests/core", "ARGS": "-k it"}
    assert ci.run(check=Step(1))[0] == 1
    assert [(call.given["MUST"], call.given["NARROWED"]) for call in ci.make.begun()] == [("web", "")]


def test_lanes_run_side_by_side_and_both_to_their_end(ci):
    code, said = ci.run(
        test_process=Step(2, None, "PROCESS", until="begin demo-engine"),
        test_postgres=Step(2, None, "POSTGRES", until="begin test-process"),
        test_claude=Step(137, None),
    )
    assert (code, ci.targets()) == (1, ["check", "test", *LANE_B])
    assert ci.place("end", "test-postgres") < ci.place("begin", "test-web")
    for target in ("process", "postgres"):
        assert re.search(rf"\n=== make test-{target}: exit 2 after \d+ s ===\n{target.upper()}\n\n", said)
    assert "Red: make test-claude: there is no report of it" in said
    assert said.splitlines()[-1].startswith("Refused after ")


@pytest.mark.parametrize(
    ("steps", "targets", "why"),
    [
        ({"check": Step(2)}, ["check"], "make check: exit 2."),
        (
            {"test": red("test_it")},
            ["check", "test", "test"],
            "make test again: exit 2; first tests/test_a.py::test_it failed.",
        ),
        ({"test": [red("test_it"), green("test_other")]}, ["check", "test", "test"], "make test again: not all of"),
        ({"test": red("test_it", inside=LEFT)}, ["check", "test"], "make test: tests/test_a.py::test_it: failed on t"),
        ({"test": red("it", inside=CRASHED)}, ["check", "test"], "make test: tests/test_a.py::it: worker 'gw0'"),
        ({"test": red()}, ["check", "test"], "make test: no test has failed: something else has."),
        ({"test": Step(2, None)}, ["check", "test"], "make test: there is no report of it"),
        ({"test": red(*"abcdef")}, ["check", "test"], "6 tests have failed; 5 at most are tried again."),
        ({"demo_engine": Step(1)}, ["check", "test", *LANE_B], "make demo-engine: exit 1."),
        (
            {"test": [red(*"abc"), green(*"abc")], "test_web": red(*"abc")},
            ["check", "test", "test", *LANE_B],
            "6 tests have failed",
        ),
        (
            {"demo_engine": Step(1), "test_web": red("test_it")},
            ["check", "test", *LANE_B],
            "make test-web: tests/test_a.py::test_it: AssertionError: no",
        ),
    ],
    ids=[
        "check", "fails twice", "does not run twice", "left processes", "crashed worker", "something else", "no report",
        "six failed", "demonstration", "six failed in all", "final already",
    ],
)  # fmt: skip
def test_a_final_failure_ends_the_landing_with_its_stage(ci, steps, targets, why):
    code, said = ci.run(**steps)
    assert (code, ci.targets()) == (1, targets)
    assert f"\nRed: {why}" in said
    assert "Lands" not in said


def test_a_failed_test_is_tried_again_with_its_file_and_its_seed_before_anything_else_runs(ci):
    inside = {"test_a[b c]": SEEDED, "test_h": HYPOTHESIS, "test_other": FAILED}
    first = Step(2, [FINE, *((f"tests/{name[:6]}.py", name, inside[name]) for name in inside)])
    again = [Step(0, [(f"tests/{name[:6]}.py", name, "")]) for name in inside]
    code, said = ci.run(test=[first, *again])
    assert (code, ci.targets()) == (0, ["check", "test", "test", "test", "test", *LANE_B])
    given = [call.given for call in ci.make.begun()][2:5]
    assert [(one["TESTS"], one["SEED"], one["ARGS"].partition(".xml ")[2]) for one in given] == [
        ("tests/test_a.py", "7", "-n 2"),
        ("tests/test_h.py", "", "-n 2 --hypothesis-seed=12"),
        ("tests/test_o.py", "", "-n 2"),
    ]
    assert row(said, "test")[:4] == ["2", "4", "0", "3"]
    assert row(said, "test again")[:4] == ["0", "1", "0", "0"]
    rows = re.findall(r"^(tests/\S+::.*) \| \d{4}-\d\d-\d\d \| (.*) \| (\S+)$", said, re.MULTILINE)
    assert rows == [
        ("tests/test_a.py::test_a[b c]", "no", "OVERMIND_TEST_SEED=7"),
        ("tests/test_h.py::test_h", "no", "--hypothesis-seed=12"),
        ("tests/test_o.py::test_other", "AssertionError: no", "-"),
    ]


def test_a_test_that_fails_in_a_lane_is_tried_again_when_both_have_ended(ci):
    (ci.folder / ".ci" / "unsteady").write_text("tests/test_a.py::test_it | 2026-01-02 | no | -\nno row\n")
    code, said = ci.run(test_postgres=[red("test_it"), green("test_it")], test_process=Step(until="end demo-engine"))
    assert (code, ci.targets()) == (0, ["check", "test", *LANE_B, "test-postgres"])
    assert ci.place("end", "test-process") < ci.place("begin", "test-postgres")
    shown = re.findall(
        r"^(check|test\S*(?: again)?|demo-engine)  ", said.partition("=== The last lines ===")[2], re.MULTILINE
    )
    assert shown == ["check", "test", *LANE_A, LANE_B[0], f"{LANE_B[0]} again", *LANE_B[1:]]
    assert "Listed already since 2026-01-02: tests/test_a.py::test_it\n" in said


def test_a_signal_ends_all_that_runs_and_the_last_lines_are_there(ci):
    process = ci.start(test_process=Step(stays=True), test_postgres=Step(stays=True))
    eventually(lambda: len(ci.noted("stays")) == 2, timeout=60)
    pids = [int(pid) for words in ci.noted("stays") for pid in words]
    process.send_signal(signal.SIGTERM)
    eventually(lambda: len(ci.noted("interrupted")) == 2)
    process.send_signal(signal.SIGTERM)  # the next signal comes sooner when it is asked again
    eventually(lambda: len(ci.noted("terminated")) == 2)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert row(said, "test-process")[0] == row(said, "test-postgres")[0] == "137"
    assert "\nRed: SIGTERM came.\n" in said
    eventually(lambda: not any(runs(pid) for pid in pids), what="all have ended")
    assert ci.targets() == ["check", "test", "test-postgres"]


def runs(pid):
    """Whether a process has not ended; nobody may have waited for it."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


@pytest.mark.linux
def test_a_full_disk_refuses_the_landing(ci):
    with open("/dev/full", "w") as full:
        finished = subprocess.run(
            ["bash", ".ci/run"], cwd=ci.folder, env=ci.environment, stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert finished.returncode == 1
    assert b"Refused: [Errno 28] No space left on device" in finished.stderr


def test_a_missing_program_is_installed_first(ci, tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    for name in ("make", *NEEDED):
        (ci.programs / name).rename(away / name)
    for name in ("bash", "sh", "dirname", "mv", "cp", "cat", "grep"):
        (ci.programs / name).symlink_to(shutil.which(name))
    ci.put("apt-get", f'echo "$*" >> {tmp_path}/asked; [ "$1" = update ] || mv {away}/make {ci.programs}')
    ci.environment["PATH"] = str(ci.programs)
    assert ci.run(check=Step(1))[0] == 1
    update, install = (tmp_path / "asked").read_text().splitlines()
    assert update == "update -qq"
    assert {"make", "tmux", "vim", "openssl", "openssh-client", "npm"} <= set(install.split())
    assert ci.targets() == ["check"]


# --- lanes, without `.ci/run` ---------------------------------------------------------------------------------------


@pytest.fixture
def make(tmp_path, monkeypatch):
    made = FakeMake(str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return made


def executor_of(folder, say, heartbeat_seconds=60.0):
    """An executor, and what has ended in it."""
    ended: list[Ended] = []
    made = Executor(
        str(folder), say=say, on_end=ended.append, interrupts=Interrupts(), heartbeat_seconds=heartbeat_seconds
    )
    return made, ended


def test_nobody_waits_in_silence(make, tmp_path):
    make.plan("slow", Step(output="tests [ 12%]\ntests [ 45%]", stop="shown"))
    said = []

    def say(line):
        said.append(line)
        if "(45% of its tests)" in line:
            make.note("shown")

    executor, ended = executor_of(tmp_path, say, heartbeat_seconds=0.0)
    assert executor.execute([[Job(Target("slow"))]]) == ended
    assert re.fullmatch(r"After \d+ s: make slow for \d+ s \(45% of its tests\)", said[-1])


def test_a_target_that_cannot_be_started_is_red_and_its_lane_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    executor, ended = executor_of(tmp_path, said.append)
    jobs = [Job(Target("a")), Job(Target("b"))]
    executor.execute([jobs])
    assert [(one.job, one.code) for one in ended] == [(job, 127) for job in jobs]
    assert [line.partition(" could not be started: ")[0] for line in said] == ["make a", "make b"]


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59.5, "1 min 0 s"), (200, "3 min 20 s")])
def test_a_duration_is_written_in_minutes_and_seconds(seconds, words):
    assert write_duration(seconds) == words
