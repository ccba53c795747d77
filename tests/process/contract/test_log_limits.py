"""A flood: memory stays flat, disk use within the setting, the newest is kept and readable meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from tests.kit.waiting import eventually

MB = 1_000_000
LIMIT = 4 * MB
FLOOD = 60 * MB
SLACK = 1 * MB
"""Bytes over the limit: a segment that is being written, and the time index."""


def configure(om, text):
    Path(om.path("config.toml")).write_text(text)


def open_gate(om):
    with open(om.path("gate"), "w") as gate:
        gate.write("go\n")


def log_bytes(om, mission):
    total = 0
    for folder, _, files in os.walk(om.path("logs", mission)):
        for name in files:
            try:
                total += os.stat(os.path.join(folder, name)).st_size
            except FileNotFoundError:
                continue
    return total


def test_a_flood_stays_within_the_limit_and_keeps_the_newest(om):
    configure(om, f'[logs]\nper_mission = "{LIMIT}B"\n')
    om.finished("true")
    processes = [psutil.Process(om.supervisor_pid()), psutil.Process(om.keeper_pid())]
    before = [process.memory_info().rss for process in processes]
    largest, most = 0, [0, 0]
    os.mkfifo(om.path("gate"))
    flood = f"yes 0123456789abcdef | head -c {FLOOD}"
    mission = om.mission(f"echo began; read x < gate; {flood}; read x < gate; echo; echo the end", "--no-tty")
    eventually(lambda: om.logs(mission) == "began\n")
    open_gate(om)
    written = 0
    while written < FLOOD:
        written = om.info(mission)["runs"][0]["output_bytes"]
        largest = max(largest, log_bytes(om, mission))
        most = [max(one, process.memory_info().rss) for one, process in zip(most, processes, strict=True)]
        if written > LIMIT:
            assert "0123456789abcdef" in om.logs(mission, "--tail", "3"), "its end is readable meanwhile"
    open_gate(om)
    om.wait_status(mission, "stopped", timeout=30)
    assert LIMIT // 2 <= largest <= LIMIT + SLACK
    assert log_bytes(om, mission) <= LIMIT + SLACK
    assert [now - then for now, then in zip(most, before, strict=True) if now - then > 32 * MB] == []
    assert om.logs(mission, "--tail", "1") == "the end\n"
    kept = om.raw("logs", mission, "--raw")
    assert LIMIT // 2 <= len(kept) <= LIMIT + SLACK
    assert kept.endswith(b"the end\n")
    assert om.info(mission)["runs"][0]["output_bytes"] == len("began\n") + FLOOD + len("\nthe end\n")
    assert om.info(mission)["exit_code"] == 0
    assert om.json("status", "--json")["log_bytes"] <= LIMIT + SLACK


def test_on_a_terminal_too_and_over_restarts(om):
    configure(om, f'[logs]\nper_mission = "{LIMIT}B"\n')
    mission = om.mission(f"yes 0123456789abcdef | head -c {2 * LIMIT}; echo; echo end of $$")
    for _ in range(2):
        om.wait_status(mission, "stopped", timeout=60)
        om.ok("restart", mission)
    om.wait_status(mission, "stopped", timeout=60)
    assert log_bytes(om, mission) <= LIMIT + SLACK
    assert om.logs(mission, "--tail", "1").startswith("end of ")
    assert [run["number"] for run in om.info(mission)["runs"]] == [1, 2, 3]


def test_a_follower_sees_the_end_of_a_flood_that_it_can_not_keep_up_with(om):
    configure(om, f'[logs]\nper_mission = "{LIMIT}B"\n')
    mission = om.mission(f"yes 0123456789abcdef | head -c {FLOOD}; echo; echo the end", "--no-tty")
    out = om.ok("logs", "-f", mission, timeout=100)
    assert out.endswith("the end\n")


def test_the_missions_beside_a_flood_lose_nothing(om):
    configure(om, f'[logs]\nper_mission = "{LIMIT}B"\n')
    small = om.finished("seq 1 1000")["id"]
    flood = om.mission("yes")
    eventually(lambda: log_bytes(om, flood) > LIMIT // 2, timeout=30)
    other = om.finished("seq 1 1000")["id"]
    om.ok("kill", flood)
    expected = "".join(f"{n}\n" for n in range(1, 1001))
    assert om.logs(small) == expected
    assert om.logs(other) == expected


def test_what_is_removed_frees_its_disk(om):
    mission = om.finished(f"head -c {MB} /dev/zero", "--no-tty")["id"]
    assert log_bytes(om, mission) >= MB
    om.ok("rm", mission)
    assert not os.path.exists(om.path("logs", mission))
