"""What `doctor` says about what isolated missions need."""

from __future__ import annotations

from typing import Any

import pytest

from overmind_core.cli.doctor import machine
from overmind_core.cli.doctor.finding import CheckContext

NOBODY: Any = None
"""What these checks do not look at."""


def world(**environ):
    return CheckContext(environ, NOBODY, NOBODY, NOBODY, "linux")


@pytest.mark.parametrize(("free", "status"), [(0, "fail"), (1, "warn"), (49, "warn"), (50, "ok"), (900, "ok")])
def test_ports_are_judged_by_how_many_are_free(free, status):
    found = machine.judge_ports(free)
    assert (found.status, found.found) == (status, f"{free} of 3100-3999 are free")
    assert ("port_range" in found.mend) is (status != "ok")


def test_ports_of_this_machine_are_counted():
    assert "of 3100-3999 are free" in machine.ports(world()).found


def test_an_engine_that_is_not_there_is_told_with_what_to_do_and_is_no_failure(tmp_path):
    found = machine.engine(world(DOCKER_HOST=f"unix://{tmp_path}/none.sock"))
    assert found.status == "warn"
    assert f"{tmp_path}/none.sock" in found.found
    assert found.mend.startswith("needed only for projects with containers. Start the engine")
