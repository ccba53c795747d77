"""A preparation that fails, at each of the steps: nothing is left, it says why, and it works once the cause is gone."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Callable
from typing import NamedTuple

import pytest

from overmind_core.cli.definitions.start import PreparationFollower
from overmind_core.client.client import Client
from overmind_core.errors import OvermindError
from overmind_core.system.paths import Home
from tests.kit.full_disk import full_disk
from tests.kit.isolated import GATES, PROJECT, Gates, Project
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

SERVER = (
    'exec python3 -c \'import os,socket; s=socket.create_server(("127.0.0.1",int(os.environ["PORT"]))); s.accept()\''
)


def text(*, services="", isolation=""):
    return f"services: {{{services}}}\nisolation: {{port_range: 22100-22999, {isolation}}}\n"


class Case(NamedTuple):
    """What is wrong, how that shows, and how it is put right."""

    text: str
    reason: str
    said: str
    """Part of what the log says."""
    spoil: Callable[[Project], object] = lambda _: None
    cure: Callable[[Project], object] = lambda shop: _touch(shop.path("..", "cure"))
    command: object = "exec sleep 1000"


def _touch(path, content=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)


def _occupy(shop):
    _touch(shop.path(".overmind"))
    with open(shop.path(".git", "info", "exclude"), "a") as file:
        file.write(".overmind\n")


def _link(shop):
    os.makedirs(shop.path("..", "elsewhere"))
    os.symlink("../elsewhere", shop.path(".overmind"))
    with open(shop.path(".git", "info", "exclude"), "a") as file:
        file.write(".overmind\n")


def _huge(shop):
    with open(shop.path("huge.log"), "w") as file:
        os.truncate(file.fileno(), 3 * 10**9)


def _script(shop):
    _touch(shop.path("tool.log"), "#!/bin/sh\nexec sleep 1000\n")
    os.chmod(shop.path("tool.log"), 0o755)


CASES = {
    "set-up fails": Case(
        text(isolation='setup: ["echo trying; [ -e ~/cure ]"]'), "setup_failed", "set-up failed with exit code 1 ---"
    ),
    "set-up is killed": Case(
        text(isolation='setup: ["[ -e ~/cure ] || kill -9 $$"]'), "setup_failed", "set-up failed with exit code 137"
    ),
    "a branch is above": Case(
        text(),
        "git_failed",
        "a branch is called overmind, so git can make none below overmind/: rename that branch with: "
        "git branch -m overmind NAME, or set another `branch:`",
        lambda shop: shop.git("branch", "overmind"),
        lambda shop: shop.git("branch", "-m", "overmind", "other"),
    ),
    "no such base": Case(
        text(isolation="base: nope"),
        "git_failed",
        "no branch, tag or commit 'nope'",
        cure=lambda shop: shop.git("branch", "nope"),
    ),
    "the place is taken": Case(
        text(), "git_failed", "can't be created", _occupy, lambda shop: os.unlink(shop.path(".overmind"))
    ),
    "the place leads out": Case(
        text(), "git_failed", "is a symbolic link", _link, lambda shop: os.unlink(shop.path(".overmind"))
    ),
    "too much to copy": Case(
        text(isolation="copy: [huge.log]"),
        "invalid",
        "more than 2 GB",
        _huge,
        lambda shop: os.truncate(shop.path("huge.log"), 1),
    ),
    "a service ends at once": Case(
        text(services='web: {command: "[ -e ~/cure ] || exit 3; exec sleep 1000", ready: {exec: "[ -e ~/cure ]"}}'),
        "not_ready",
        "it ended with exit code 3 before it was ready. See: overmind logs",
    ),
    "a service ends before another is ready": Case(
        text(
            services='a: {command: "[ -e ~/cure ] || exit 3; exec sleep 1000"}, '
            'b: {command: "sleep 0.5; echo up; exec sleep 1000", ready: {log: up}}'
        ),
        "not_ready",
        "ended before the work could start. See: overmind logs",
    ),
    "a service is never ready": Case(
        text(services='web: {command: "exec sleep 1000", ready: {exec: "[ -e ~/cure ]", timeout: 1s}}'),
        "not_ready",
        "it did not become ready: after 1 s",
    ),
    "a service ends each time before it is ready": Case(
        text(
            services='web: {command: "[ -e ~/cure ] || exit 3; exec sleep 1000", restart: always, '
            'ready: {exec: "[ -e ~/cure ]", timeout: 1s}}'
        ),
        "not_ready",
        "it did not become ready: its command exited with 3",
    ),
    "the program does not exist": Case(
        text(isolation='setup: ["true"]'),
        "not_found",
        "tool.log",
        _script,
        lambda shop: shop.git("add", "-f", "tool.log") or shop.git("commit", "-qm", "tool"),
        ["./tool.log"],
    ),
}


@pytest.mark.parametrize("group", range(3))
def test_what_fails_leaves_nothing_says_why_and_works_later(om, cases, group):
    for number, (name, case) in enumerate(CASES.items()):
        if number % 3 == group:
            with cases(name):
                _fails_and_works(om, f"shop {number}", case)


def _fails_and_works(om, name, case):
    shop = Project(om, case.text, name)
    case.spoil(shop)
    shop.before = shop.facts()
    mission = shop.run(case.command, name=f"m-{name[-1]}x")
    info = om.wait_status(mission, "running", *FINAL)
    assert (info["status"], info["reason"]) == ("crashed", case.reason)
    assert case.said in om.logs(mission)
    assert case.said in om.logs(mission)
    shop.assert_nothing_left()

    plain = shop.run(name=f"m-{name[-1]}y", isolate=False)
    assert om.wait_status(plain, "running")
    om.api("kill", id=plain)
    case.cure(shop)
    shop.before = shop.facts()
    om.api("restart", id=mission)
    info = om.wait_status(mission, "running", *FINAL)
    assert info["status"] == "running", info["reason"]
    om.api("stop", id=mission)
    om.api("discard", id=mission, force=True)
    shop.assert_nothing_left()
    if os.path.exists(shop.path("..", "cure")):
        os.unlink(shop.path("..", "cure"))


def test_a_stranger_on_a_port_that_was_reserved_is_not_the_service_and_another_start_gets_another_port(om):
    served = SERVER.replace("s.accept()", "s.accept(); s.accept()")
    text = PROJECT.replace("echo up at $PORT; exec sleep 1000", served).replace("log: up at", "tcp: true")
    shop, gates = Project(om, text), Gates(om)
    gates.hold_at("setup")
    mission = shop.run()
    gates.await_at("setup")
    port = om.info(mission)["isolation"]["ports"]["web"]
    with socket.create_server(("127.0.0.1", port)):
        gates.open(*GATES)
        info = om.wait_status(mission, *FINAL)
        assert (info["status"], info["reason"]) == ("crashed", "not_ready")
        assert f"web: its port {port} was taken by" in om.logs(mission)
        assert f"(PID {os.getpid()}) before it started" in om.logs(mission)
        shop.assert_nothing_left()
        om.api("restart", id=mission)
        assert om.wait_status(mission, "running", *FINAL)["status"] == "running"
        assert om.info(mission)["isolation"]["ports"]["web"] != port
        om.api("kill", id=mission)
    shop.assert_nothing_left()


def test_a_range_without_a_free_port_refuses_the_mission_and_nothing_of_it_is_recorded(om):
    shop = Project(om, "services: {web: {command: 'exec sleep 1000', port: 1}}\nisolation: {port_range: 22100-22104}\n")
    held = [shop.run(name=f"m{number}") for number in range(2)]
    told = om.refused("run", "sleep 1000", cwd=shop.folder, code="port_range_exhausted")
    assert "22100-22104" in told
    assert len(om.api("ports")["ports"]) == 4
    eventually(lambda: len(om.ps("--all")) == len([*held, *held]), what="each has its service, and there is no other")
    for mission in held:
        om.api("kill", id=mission)
    shop.assert_nothing_left()
    assert om.wait_status(shop.run(name="m3"), "running")


@pytest.mark.own_home
@pytest.mark.linux
@pytest.mark.parametrize("gate", ["worktree", "setup"])
def test_a_full_disk_undoes_what_was_begun(om, gate):
    shop, gates = Project(om), Gates(om)
    gates.hook(shop)
    gates.hold_at(gate)
    mission = shop.run(grace=0.5)
    gates.await_at(gate)
    with full_disk(om.supervisor_pid()):
        gates.open(*GATES)
        eventually(lambda: om.info(mission)["status"] == "crashed", what="it has failed")
    assert om.info(mission)["reason"] == "disk_full"
    eventually(lambda: "can't be saved" in om.logs(mission), what="it is told")
    shop.assert_nothing_left()
    om.api("restart", id=mission)
    assert om.wait_status(mission, "running", *FINAL)["status"] == "running"


@pytest.mark.parametrize(
    ("options", "reason", "code"), [({"timeout": 300}, "timeout", 124), ({"activity_timeout": 0.3}, "stalled", 137)]
)
def test_a_set_up_that_hangs_ends_with_the_limits_of_its_mission(om, options, reason, code):
    shop, gates = Project(om), Gates(om)
    gates.hold_at("setup")
    mission = shop.run(grace=0.2, **options)
    info = om.wait_status(mission, *FINAL)
    assert (info["status"], info["reason"], info["exit_code"]) == ("crashed", reason, code)
    shop.assert_nothing_left()


def test_a_policy_prepares_again_as_often_as_its_budget_allows(om):
    shop = Project(om, text(isolation='setup: ["echo tried; exit 1"]'))
    mission = shop.run(restart="on-failure", max_restarts=2, backoff=10)
    info = om.wait_status(mission, *FINAL)
    assert (info["status"], info["reason"], info["restart_count"]) == ("crashed", "restart_budget_spent", 2)
    assert om.logs(mission).splitlines().count("tried") == 3
    shop.assert_nothing_left()
    again = ("--restart", "on-failure", "--max-restarts", "1", "--backoff", "10ms")
    told = om("run", "--name", "again", *again, "true", cwd=shop.folder).stderr
    assert "Error: restart_budget_spent: The project's set-up failed. See its log: overmind logs again" in told


def test_whoever_looks_late_at_a_set_up_that_failed_is_not_told_that_the_mission_runs(om):
    shop = Project(om, text(isolation='setup: ["exit 1"]'))
    waits = shop.run(name="waits", restart="on-failure", max_restarts=1, backoff=60_000)
    ended = shop.run(name="ended", restart="on-failure", max_restarts=1, backoff=10)
    om.wait_status(waits, "restarting")
    om.wait_status(ended, *FINAL)
    with contextlib.closing(Client(Home(om.home))) as client:
        late = PreparationFollower({"id": waits, "name": "waits"})
        late.catch_up(client)
        assert not late.over
        late = PreparationFollower({"id": ended, "name": "ended"})
        late.catch_up(client)
    with pytest.raises(OvermindError, match="The project's set-up failed") as refused:
        late.check()
    assert refused.value.code == "restart_budget_spent"


@pytest.fixture
def small_disk(om):
    """A disk of 4 MB at `disk` in the person's home."""
    path = os.path.join(om.environment["HOME"], "disk")
    os.mkdir(path)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", path], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("only root may mount a small disk")
    yield path
    om("shutdown", "-y")
    subprocess.run(["umount", path], check=True)


@pytest.mark.own_home
@pytest.mark.linux
@pytest.mark.parametrize(("what", "reason"), [("checkout", "git_failed"), ("copy", "disk_full")])
def test_a_disk_that_is_full_for_git_or_for_files(om, small_disk, what, reason):
    shop = Project(om, text(isolation="copy: [big.log]" if what == "copy" else ""), "disk/shop")
    shop.write({"big.log": os.urandom(1_700_000 if what == "checkout" else 2_400_000)})
    if what == "checkout":
        shop.git("add", "-f", "big.log")
        shop.git("commit", "-qm", "big")
    shop.before = shop.facts()
    mission = shop.run()
    info = om.wait_status(mission, "running", *FINAL)
    assert (info["status"], info["reason"]) == ("crashed", reason), om.logs(mission)
    shop.assert_nothing_left()
    subprocess.run(["mount", "-o", "remount,size=40m", small_disk], check=True)
    om.api("restart", id=mission)
    assert om.wait_status(mission, "running", *FINAL)["status"] == "running"
    om.api("kill", id=mission)
    shop.assert_nothing_left()
