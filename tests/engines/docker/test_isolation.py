"""Containers of isolated missions in a real engine: all of them or none, whatever fails and whoever is killed."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.kit.containers import BUSYBOX, REDIS, redis
from tests.kit.isolated import Gates, Project
from tests.kit.killing import kill_supervisor
from tests.kit.overmind import FINAL
from tests.kit.waiting import eventually

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
SPAN = f"isolation: {{ port_range: {25000 + 100 * WORKER}-{25099 + 100 * WORKER} }}\n"
"""Ports of this worker alone: two homes may both find one free before a container of either has it."""
DB = f"services: {{ db: {{ docker: '{REDIS}', port: 6379, volumes: {{ data: /data }}, ready: {{ tcp: true }} }} }}\n"
GO = f"services: {{ db: {{ docker: '{BUSYBOX}', volumes: {{ data: /data }}, ready: {{ exec: '[ -e /tmp/go ]' }} }} }}\n"


@pytest.fixture
def shop(om, engine):
    """Makes projects whose missions use the engine of this environment; what a test leaves goes with it."""

    def make(text):
        project = Project(om, text + SPAN)
        project.environ["DOCKER_HOST"] = os.environ["DOCKER_HOST"]
        return project

    yield make
    for one in engine.own_containers(om.home):
        engine.remove(one.name)
        engine.remove_volumes(engine.volumes_of(one.mission, om.home))


def ours(engine, om):
    return {one.name: one.running for one in engine.own_containers(om.home)}


def assert_nothing_left(engine, om, shop, mission):
    shop.assert_nothing_left()
    eventually(lambda: ours(engine, om) == {}, what="no container is left")
    eventually(lambda: engine.volumes_of(mission, om.home) == [], what="no volume is left")


def test_ten_at_once_have_each_its_database_which_is_stopped_with_it_and_goes_with_its_work(om, engine, shop):
    project = shop(DB)
    with ThreadPoolExecutor(10) as threads:
        missions = list(
            threads.map(lambda number: project.run("echo > work.txt; exec sleep 1000", f"m{number}"), range(10))
        )
    for mission in missions:
        info = om.wait_status(mission, "running", *FINAL, timeout=120)
        assert info["status"] == "running", (info["reason"], om.logs(mission))
    ports = {port for mission in missions for port in om.info(mission)["isolation"]["ports"].values()}
    assert len(ports) == 20
    assert ours(engine, om) == {f"overmind-{mission}-db": True for mission in missions}
    first, *others = missions
    engine.run_inside(f"overmind-{first}-db", "redis-cli set key mine")
    om.api("stop", id=first)
    assert ours(engine, om)[f"overmind-{first}-db"] is False
    om.api("restart", id=first)
    om.wait_status(first, "running", *FINAL, timeout=60)
    assert "mine" in engine.run_inside(f"overmind-{first}-db", "redis-cli get key")[1]
    assert "mine" not in engine.run_inside(f"overmind-{others[0]}-db", "redis-cli get key")[1]

    om.api("kill", all=True)
    assert set(ours(engine, om).values()) == {False}
    for mission in missions:
        om.api("discard", id=mission, force=True)
    assert_nothing_left(engine, om, project, first)


SERVE = "while :; do echo console | nc -l -p 9001; done & while :; do echo api | nc -l -p 9000; done"
STORE = f"""\
services:
  store: {{ docker: '{BUSYBOX}', ports: [9000, 9001], env: {{ RUN: "{SERVE}" }}, ready: {{ tcp: true }} }}
"""


def test_a_container_with_several_ports_is_reached_at_each_and_has_the_same_ones_again(om, engine, shop):
    project = shop(STORE)
    mission = project.run("echo $STORE_HOST $STORE_PORT $STORE_PORT_9001; echo > work.txt; exec sleep 1000")
    assert om.wait_status(mission, "running", *FINAL, timeout=60)["status"] == "running", om.logs(mission)
    ports = om.info(mission)["isolation"]["ports"]
    assert f"127.0.0.1 {ports['store']} {ports['store/9001']}\n" in om.logs(mission)
    for port, served in ((ports["store"], "api"), (ports["store/9001"], "console")):
        assert eventually(partial(redis, port), timeout=30) == served
    om.api("stop", id=mission)
    assert [row for row in om.api("ports")["ports"] if row["held"]] == []
    om.api("restart", id=mission)
    assert om.wait_status(mission, "running", *FINAL, timeout=60)["status"] == "running", om.logs(mission)
    assert om.info(mission)["isolation"]["ports"] == ports
    assert eventually(lambda: redis(ports["store/9001"]), timeout=30) == "console"
    om.api("kill", id=mission)
    om.api("discard", id=mission, force=True)
    assert_nothing_left(engine, om, project, mission)


ONE = f"services: {{ db: {{ docker: '{BUSYBOX}', volumes: {{ data: /data }}, %s }} }}\n"
FAILURES = {
    "no image": ("services: { db: { docker: 'overmind-test/none:1' } }\n", "image_missing", "overmind-test/none:1"),
    "dies at once": (ONE % "env: { RUN: 'echo dying; exit 3' }", "container_failed", "db | dying"),
    "never ready": (
        ONE % "ready: { exec: 'exit 1', timeout: 2s }",
        "not_ready",
        "did not become ready within 2 s",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_container_that_fails_leaves_nothing(om, engine, shop, name):
    text, reason, said = FAILURES[name]
    project = shop(text)
    mission = project.run()
    info = om.wait_status(mission, "running", *FINAL, timeout=60)
    assert (info["status"], info["reason"]) == ("crashed", reason), om.logs(mission)
    assert said in om.logs(mission)
    assert_nothing_left(engine, om, project, mission)


MORTAL = "until [ -e /tmp/die ]; do sleep 0.1; done; rm /tmp/die; echo dying; exit 3"


def test_a_container_that_ends_later_is_told_and_started_again_where_the_project_says_so(om, engine, shop):
    services = f"docker: '{BUSYBOX}', env: {{ RUN: '{MORTAL}' }}"
    project = shop(f"services: {{ once: {{ {services} }}, again: {{ {services}, restart: on-failure }} }}\n")
    mission = project.run()
    assert om.wait_status(mission, "running", *FINAL, timeout=60)["status"] == "running", om.logs(mission)

    def ended():
        return [(event["service"], event["exit_code"]) for event in om.events("service_ended", mission=mission)]

    for service in ("once", "again"):
        engine.run_inside(f"overmind-{mission}-{service}", "touch /tmp/die")
    eventually(lambda: sorted(ended()) == [("again", 3), ("once", 3)], timeout=30, what="both are told")
    name = f"overmind-{mission}-again"
    eventually(lambda: ours(engine, om)[name], timeout=30, what="one runs again")
    said = om.logs(mission)
    assert "--- once has ended with exit code 3 ---" in said
    assert "--- again has ended with exit code 3; restarting it ---" in said
    assert "once | dying" in said
    assert [event["now"] for event in om.events("notification", mission=mission)] == ["once has ended with exit code 3"]
    kill_supervisor(om)
    engine.run_inside(name, "touch /tmp/die")
    eventually(lambda: ended().count(("again", 3)) == 2, timeout=30, what="the next daemon watches, too")
    eventually(lambda: ours(engine, om)[name], timeout=30, what="it runs again")
    om.api("kill", id=mission)
    om.api("discard", id=mission, force=True)
    assert_nothing_left(engine, om, project, mission)


@pytest.mark.parametrize("restart", ["never", "on-failure"])
def test_a_container_runs_and_is_watched_while_the_work_is_checked_and_its_end_is_seen_in_ports(
    om, engine, shop, restart
):
    services = f"docker: '{BUSYBOX}', port: 9000, restart: {restart}, env: {{ RUN: '{MORTAL}' }}"
    project = shop(f"services: {{ db: {{ {services} }} }}\n")
    gate = os.path.join(om.environment["HOME"], "checked")
    check = f"until [ -e {gate} ]; do sleep 0.1; done"
    env = project.environ | {"HOME": om.environment["HOME"]}
    red = om.api("quest_run", command="true", cwd=project.folder, env=env, name="red", check=check)["id"]
    eventually(lambda: any(row["name"] == "red/check" for row in om.api("ps")), timeout=60, what="it is checked")
    name = f"overmind-{red}-db"
    assert ours(engine, om) == {name: True}

    def status():
        return {row["service"]: (row["status"], row["held"]) for row in om.api("ports")["ports"]}

    eventually(lambda: status() == {None: ("stopped", True), "db": ("running", True)}, timeout=30, what="it runs")
    engine.run_inside(name, "touch /tmp/die")
    eventually(lambda: status()["db"] == ("crashed", True), timeout=30, what="its end is seen")
    assert "--- db has ended with exit code 3" in om.logs(red)
    if restart == "on-failure":
        eventually(lambda: ours(engine, om) == {name: True}, timeout=30, what="it runs again")
    with open(gate, "w", encoding="utf-8"):
        pass
    eventually(lambda: om.api("quest", id=red)["status"] == "completed", timeout=30, what="it is done")
    assert_nothing_left(engine, om, project, red)


def test_a_port_that_is_taken_after_it_was_chosen_fails_the_container_and_leaves_nothing(om, engine, shop):
    project, gates = shop(DB), Gates(om)
    gates.hook(project)
    mission = project.run()
    gates.await_at("worktree")
    with socket.create_server(("127.0.0.1", om.info(mission)["isolation"]["ports"]["db"])):
        gates.open("worktree")
        info = om.wait_status(mission, "running", *FINAL, timeout=60)
        assert (info["status"], info["reason"]) == ("crashed", "container_failed")
        assert "is in use by another program" in om.logs(mission)
        assert_nothing_left(engine, om, project, mission)
    om.api("restart", id=mission)
    assert om.wait_status(mission, "running", *FINAL, timeout=60)["status"] == "running"
    om.api("kill", id=mission)
    assert_nothing_left(engine, om, project, mission)


@pytest.mark.parametrize("way", ["stop", "kill", "killed supervisor", "replaced"])
def test_while_a_container_is_waited_for(om, engine, shop, way):
    project = shop(GO)
    mission = project.run(grace=0.5)
    name = f"overmind-{mission}-db"
    eventually(lambda: (om.info(mission)["isolation"]["step"] or "").startswith("waiting for db"), timeout=30)
    if way in {"stop", "kill"}:
        om.api(way, id=mission)
        assert_nothing_left(engine, om, project, mission)
        return
    if way == "replaced":
        om.ok("start", "--replace")
    else:
        kill_supervisor(om)
    engine.run_inside(name, "touch /tmp/go")
    assert om.wait_status(mission, "running", *FINAL, timeout=60)["status"] == "running"
    assert ours(engine, om) == {name: True}
    om.api("stop", id=mission)
    assert_nothing_left(engine, om, project, mission)


def test_containers_of_missions_that_are_no_more_go_with_the_next_start(om, engine, shop):
    project = shop(DB)
    mission = project.run("echo > work.txt; exec sleep 1000")
    info = om.wait_status(mission, "running", *FINAL, timeout=60)
    assert info["status"] == "running", (info["reason"], om.logs(mission))
    om.ok("shutdown", "-y")
    assert ours(engine, om) == {f"overmind-{mission}-db": False}
    for name in os.listdir(om.home):
        if name.endswith((".db", ".db-wal", ".db-shm")):
            os.unlink(om.path(name))
    om.ok("start")
    om.ok("trust", project.folder)
    second = project.run(name="second")
    om.wait_status(second, "running", *FINAL, timeout=60)
    om.ok("start", "--replace")
    eventually(lambda: set(ours(engine, om)) == {f"overmind-{second}-db"}, what="only the new one is left")
    om.api("kill", all=True)


class Way:
    """A way to the engine that can be blocked."""

    def __init__(self, path):
        self.url = f"unix://{path}"
        self._path = path
        self._ends = []

    def open(self):
        door = socket.socket(socket.AF_UNIX)
        door.bind(self._path)
        door.listen()
        self._ends.append(door)
        threading.Thread(target=self._let_in, args=(door,), daemon=True).start()

    def block(self):
        """Nobody gets through any more, and who was on the way is thrown out."""
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def _let_in(self, door):
        with contextlib.suppress(OSError):
            while True:
                here, _ = door.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))
                self._ends += [here, there]
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=pair, daemon=True).start()


def _pass_on(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def way(om):
    way = Way(os.path.join(om.home, "way.sock"))
    way.open()
    yield way
    way.block()


def test_while_the_engine_is_away_missions_end_all_the_same_and_the_next_start_sees_to_their_containers(
    om, engine, shop, way
):
    project = shop(DB)
    project.environ["DOCKER_HOST"] = way.url
    mission = project.run("echo > work.txt; exec sleep 1000")
    om.wait_status(mission, "running", *FINAL, timeout=60)
    way.block()
    om.api("stop", id=mission)
    assert (om.info(mission)["status"], ours(engine, om)) == ("stopped", {f"overmind-{mission}-db": True})
    assert not [row for row in om.api("ports")["ports"] if row["held"]]
    om.api("restart", id=mission)
    assert om.wait_status(mission, *FINAL, timeout=60)["reason"] == "docker_missing"
    assert om("run", "true", cwd=project.folder, env={"DOCKER_HOST": way.url}).returncode == 1
    way.open()
    om.ok("shutdown", "--keep")
    om.ok("start")
    eventually(lambda: ours(engine, om) == {f"overmind-{mission}-db": False}, timeout=20, what="it is stopped")
    way.block()
    assert om("discard", mission, "--force").returncode == 1
    way.open()
    om.ok("start", "--replace")
    assert_nothing_left(engine, om, project, mission)
