"""What `doctor` says of the swarm that a home is in."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from tests.kit.overmind import Overmind
from tests.kit.postgres_server import servers
from tests.kit.swarm_homes import SwarmHomes
from tests.kit.waiting import eventually


def row(home: Overmind) -> Any:
    """What it says of the swarm; None: nothing."""
    return next((one for one in json.loads(home("doctor", "--json").stdout) if one["check"] == "swarm"), None)


def is_warned(home: Overmind) -> bool:
    """Whether it says that the server could forget."""
    found = row(home)
    return found["status"] == "warn" and "a standby that is not synchronous" in found["found"]


def test_it_says_whether_the_database_answers_and_has_a_standby_that_could_forget(make_home):
    with servers() as machines:
        server = machines.started()
        homes = SwarmHomes(server.url, make_home)
        home = homes.hive("a")
        assert row(make_home()) is None, "it is in none"
        found = row(home)
        assert (found["status"], found["found"]) == (
            "ok", f"overmind: 1 of 1 hives beat, this one as {homes.name('a')}"
        )  # fmt: skip
        assert row(homes.desk)["found"] == "overmind: 1 of 1 hives beat"
        machines.standby_of(server)
        for one in (home, homes.desk):
            eventually(partial(is_warned, one), timeout=30, what="it warns")
        server.kill()
        assert row(home)["status"] == "fail"
        assert "does not answer" in row(home)["found"]
        home.ok("shutdown")
        assert row(home)["status"] == "warn"
