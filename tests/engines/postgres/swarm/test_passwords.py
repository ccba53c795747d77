"""Homes that join a swarm whose server asks for passwords, as all do but that of the other tests."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from overmind_core.swarm.connection import url_with_login
from tests.kit.postgres_server import servers
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually

ODD = "p@ss:w/ö%41'\"?#&+ \\=$;"


@pytest.fixture
def homes(make_home):
    """A swarm of a server that trusts its owner alone."""
    with servers() as machines:
        server = machines.started()
        Path(server.data, "pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
        server.reload()
        yield SwarmHomes(server.url, make_home)


def test_a_home_joins_with_the_invitation_and_with_no_other_password(homes, tmp_path):
    url = homes.invited("a")
    password = url.split(":")[2].split("@")[0]
    home = homes._make()
    home.ok("start")
    said = home.refused("swarm", "join", url.replace(password, "wrong"), code="forbidden")
    assert "Ask an owner for a new invitation." in said
    assert "wrong" not in said
    assert not Path(home.home, "swarm.url").exists()
    home.ok("swarm", "join", url)
    homes.desk.ok("run", "--on", "any", "--name", "once", f"echo x >> {tmp_path}/begun")
    homes.wait_state("once", "done")
    assert (tmp_path / "begun").read_text() == "x\n"


def test_a_password_with_odd_characters_is_taken_as_it_is(homes):
    name = homes.name("a")
    homes.invited("a")
    with psycopg.connect(homes.url, autocommit=True) as owner:
        owner.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(name), sql.Literal(ODD)))
    home = homes._make()
    url = url_with_login(homes.url, name, ODD)
    assert ODD not in url
    home.ok("swarm", "join", "-", stdin=url)
    assert ODD not in home.ok("swarm", "status", "--json") + "".join(map(str, home.events()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps arguments where they can be hidden")
def test_no_list_of_processes_shows_the_password_while_it_joins(homes):
    url = homes.invited("a")
    password = url.split(":")[2].split("@")[0]
    home = homes._make()
    with homes.way() as way:
        way.freeze()
        words = [sys.executable, "-P", "-m", "overmind_core.cli", "swarm", "join", way.through(url)]
        joining = subprocess.Popen(words, env=home.environment, stdout=subprocess.PIPE, text=True)
        shown = Path(f"/proc/{joining.pid}/cmdline")
        eventually(lambda: b"\0join\0***" in shown.read_bytes(), timeout=30, what="the URL is hidden")
        assert joining.poll() is None
        assert not any(password.encode() in one for one in command_lines())
        way.thaw()
        assert joining.communicate(timeout=60)[0].startswith("Joined swarm ")
        assert not any(password.encode() in one for one in command_lines())


def command_lines():
    """What the list of processes shows of each."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            yield (process / "cmdline").read_bytes()


def test_an_invitation_again_locks_out_who_has_the_one_before(homes):
    home = homes.hive("a")
    again = homes.invited("a")
    with psycopg.connect(homes.url, autocommit=True) as owner:
        owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (homes.name("a"),))
    said = home.refused("swarm", "status", code="forbidden")
    assert said.endswith("Ask an owner for a new invitation.\n")
    assert homes.name("a") in again
