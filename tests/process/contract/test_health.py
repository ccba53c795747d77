"""`health`: signs of life of real processes, as the command line shows them."""

from __future__ import annotations

import os
import sys

import pytest

from tests.kit.repositories import Repository
from tests.kit.waiting import eventually

pytestmark = pytest.mark.linux

TITLES = ["NAME", "HEALTH", "SILENT", "CPU", "ALIGN", "WHY"]
SPIN = f"exec {sys.executable} -c 'while True: pass'"


@pytest.fixture
def quick(om):
    """A home whose beats are short, though long enough for ticks of the kernel's clock."""
    with open(om.path("config.toml"), "w") as config:
        config.write('[health]\nbeat = "250ms"\n')
    return om


def levels(om, mission):
    return [event["level"] for event in om.events("health", mission=mission)]


def test_silence_without_cpu_gets_worse_and_with_cpu_it_is_ok(quick):
    """Acceptance 45."""
    silent = quick.mission("exec sleep 1000", "--name", "silent", "--activity-timeout", "1h")
    spin = quick.mission(SPIN, "--name", "spin")
    eventually(lambda: levels(quick, silent) == ["quiet", "stalled", "hung"], timeout=60.0)
    assert set(levels(quick, spin)) <= {"quiet", "ok"}
    rows = {row["name"]: row for row in quick.json("health", "--json")}
    assert (rows["silent"]["level"], rows["silent"]["cpu_percent"]) == ("hung", 0.0)
    assert rows["silent"]["missed"] >= 20
    assert (rows["spin"]["id"], rows["spin"]["level"]) == (spin, "ok")
    assert rows["spin"]["cpu_percent"] >= 1.0


def test_a_build_that_starts_a_short_program_again_and_again_is_busy(quick):
    build = quick.mission("while :; do seq 20000 >/dev/null; done", "--name", "build")
    silent = quick.mission("exec sleep 1000", "--name", "silent", "--activity-timeout", "1h")
    eventually(lambda: "stalled" in levels(quick, silent), timeout=60.0)
    assert "stalled" not in levels(quick, build)


def test_health_is_a_table_with_how_many_run_under_it(om):
    om.mission("exec sleep 1000", "--name", "nap")
    om.mission("cat", "--name", "shell", "--type", "session")
    titles, row, last = om.ok("health").splitlines()
    assert titles.split() == TITLES
    assert row.split()[:2] == ["nap", "ok"]
    assert row.split()[3:] == ["-", "-", "-"]
    assert last == "2 running · 1 not watched"
    assert om.ok("health", "nap").splitlines()[0] == titles
    assert len(om.ok("health", "nap").splitlines()) == 2, "the others are not counted"
    (shown,) = om.json("health", "shell", "--json")
    assert (shown["name"], shown["level"], shown["silent_seconds"], shown["coherence"]) == ("shell", None, None, None)


ALIVE = "while :; do echo alive; sleep 0.05; done"


def test_two_that_change_one_file_are_told_apart_before_either_lands(quick):
    with open(quick.path("config.toml"), "a") as config:
        config.write('[guardian]\nevery = "100ms"\n')
    shop = Repository(os.path.join(quick.environment["HOME"], "shop"))
    shop.commit("first", {"a.txt": "a\n", "b.txt": "b\n"})
    names = {}
    for name in ("one", "two"):
        change = f"echo {name} > a.txt; echo new > {name}.txt; echo b >> b.txt; git add b.txt; {ALIVE}"
        names[quick.mission(change, "--name", name, "--isolate", "--cwd", shop.folder)] = name
    (told,) = eventually(lambda: quick.events("overlap"), timeout=60.0)
    assert {names[told["mission"]], names[told["other"]]} == {"one", "two"}
    assert {told["name"], told["other_name"]} == {"one", "two"}
    assert (told["files"], told["conflicts"], told["twins"]) == (["a.txt", "b.txt"], ["a.txt"], True)
    for name, other in (("one", "two"), ("two", "one")):
        (row,) = [row for row in quick.json("timeline", name, "--json") if row["what"] == "overlap"]
        assert row["text"] == f"{other} changes a.txt, b.txt, too; conflicts: a.txt"
    assert quick.json("health", "one", "--json")[0]["level"] == "ok"
    why = {line.split()[0]: line for line in quick.ok("health").splitlines()[1:3]}
    assert why["one"].endswith("two changes a.txt, b.txt, too")
    assert why["two"].endswith("one changes a.txt, b.txt, too")
    assert quick.ok("health").splitlines()[-1] == "2 running · 2 agents change the same files"
    assert shop.git("status", "--porcelain", "--untracked-files=no") == "", "nobody sees anything of the look"


def test_where_nothing_runs_there_is_nothing_to_say(om):
    om.finished("true")
    assert om.ok("health") == ""
    assert om.json("health", "--json") == []


def test_one_that_has_ended_or_was_never_there_has_no_health(om):
    done = om.finished("true", "--name", "done")
    om.refused("health", done["id"], code="not_running")
    om.refused("health", "nobody", code="not_found")
