"""Agents of a plan that others wait for until they are ready, and what they hand on."""

from __future__ import annotations

import socket

import pytest

from tests.kit.blueprints import applied, ended, stages

pytestmark = pytest.mark.shared_home

SERVER = "exec python3 -m http.server --bind 127.0.0.1 {port}"


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_whoever_waits_for_services_starts_when_all_are_ready(om, tmp_path, port):
    plan = applied(om, tmp_path, f"""
        [vars]
        made = "it is there"
        [agents]
        web = {{ command = "{SERVER.format(port=port)}", restart = "always", ready = {{ tcp = {port} }} }}
        page = {{ command = "sleep 60", restart = "always", ready = {{ http = "http://localhost:{port}/" }} }}
        log = {{ command = "echo on port 1; sleep 60", restart = "always", ready = {{ log = "port [0-9]+$" }} }}
        idle = {{ command = "sleep 60", restart = "always", ready = {{ idle = "100ms" }} }}
        [agents.file]
        command = "touch 'it is there'; sleep 60"
        restart = "always"
        ready = {{ exec = "test -e ${{vars.made}} && test $OVERMIND_MISSION_NAME = plan/file" }}
        [agents.out]
        command = "overmind output version=1.2 && echo from stdin | overmind output log=-"
        depends_on = [{", ".join(f'{{ agent = "{name}", until = "ready" }}' for name in SERVICES)}]
        outputs = ["version", "log"]
        [agents.last]
        command = "echo got ${{agents.out.version}}, ${{agents.out.log}}"
    """)  # fmt: skip
    found = ended(om, plan)
    assert set(stages(found).values()) == {"succeeded"}, om.logs("plan")
    assert om.logs("last") == "got 1.2, from stdin\n"
    assert om.logs(plan).count(": ready after") == len(SERVICES)


SERVICES = ("web", "page", "log", "idle", "file")


def test_an_agent_that_is_not_ready_in_time_has_failed_and_ends(om, tmp_path, port):
    plan = applied(om, tmp_path, f"""
        [agents.web]
        command = "sleep 60"
        restart = "always"
        ready = {{ tcp = {port}, timeout = "200ms" }}
        [agents.after]
        command = "true"
        depends_on = [{{ agent = "web", until = "ready" }}]
    """)  # fmt: skip
    assert stages(ended(om, plan)) == {"web": "failed", "after": "skipped"}
    assert f"not ready: after 0.2 s nothing listens at localhost:{port} (Connection refused)" in om.logs("web")
