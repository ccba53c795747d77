"""`logs`: what a mission wrote, shown sanely or byte by byte, and which part of it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from datetime import datetime

import pytest

from tests.kit.killing import without_waiting
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
MEGABYTE = 1_000_000

SHOWN = {
    "no newline at the end": ("printf abc", "abc\n"),
    "nothing at all": ("true", ""),
    "only a newline": ("echo", "\n"),
    "crlf": ("printf 'a\\r\\nb\\r\\n'", "a\nb\n"),
    "a progress bar": ("printf '10%%\\r50%%\\r100%%\\n'", "100%\n"),
    "a shorter line over a longer one": ("printf 'a long line\\rshort\\033[K\\n'", "short\n"),
    "colours": ("printf '\\033[1;31mred\\033[0m\\n'", "red\n"),
    "a title": ("printf '\\033]0;title\\007text\\n'", "text\n"),
    "wide characters": ("printf '日本語 🙂\\n'", "日本語 🙂\n"),
    "a cut-off sequence": ("printf 'text\\033['", "text\n"),
}

BYTES = {
    "nul": b"a\0b\n",
    "every byte": bytes(range(256)) + b"\n",
    "invalid utf-8": b"\xff\xfe caf\xe9\n",
    "an escape sequence": b"\x1b[31mred\x1b[0m\x1b[2J\n",
    "no newline": b"abc",
    "empty": b"",
}


def write(data):
    """An argv that writes exactly these bytes."""
    return [sys.executable, "-c", f"import os; os.write(1, {data!r})"]


@pytest.mark.parametrize("options", [(), ("--no-tty",)], ids=["terminal", "pipe"])
def test_text_is_shown_as_a_person_would_have_seen_it(om, cases, options):
    for name, (command, shown) in SHOWN.items():
        with cases(name):
            assert om.logs(om.finished(command, *options)["id"]) == shown


@pytest.mark.parametrize("options", [(), ("--no-tty",)], ids=["terminal", "pipe"])
def test_raw_gives_the_bytes_exactly_and_as_text_they_are_harmless(om, cases, options):
    as_they_are = [] if options else ["sh", "-c", 'stty raw </dev/tty; exec "$@"', "sh"]
    for name, data in BYTES.items():
        with cases(name):
            mission = om.finished([*as_they_are, *write(data)], *options)["id"]
            assert om.raw("logs", mission, "--raw") == data
            shown = om.raw("logs", mission).decode()
            assert [character for character in shown if not character.isprintable() and character not in "\n\t"] == []


def test_a_character_that_comes_in_two_parts_is_one(om):
    script = "import os, time; os.write(1, b'\\xe6\\x97'); time.sleep(0.3); os.write(1, b'\\xa5!\\n')"
    mission = om.mission([sys.executable, "-c", script])
    client = om.popen("logs", "-f", mission)
    assert client.communicate(timeout=30)[0] == "日!\n"
    assert om.logs(mission) == "日!\n"


def test_who_follows_is_told_why_nothing_comes(om):
    mission = om.mission("echo x; exit 3", "--restart", "always", "--backoff", "60000", "--name", "failing")
    client = om.popen("logs", "-f", mission)
    assert client.stdout.readline() == "x\n"
    assert re.match(r"waits: failing has failed \(3\) and starts again in \d+ s", client.stderr.readline())
    om.ok("stop", mission)
    client.communicate(timeout=30)
    silent = om.mission("sleep 100", "--name", "silent")
    client = om.popen("logs", "-f", silent)
    assert client.stderr.readline() == "waits for silent: running\n"
    om.ok("stop", silent)
    client.communicate(timeout=30)


def test_ten_megabytes_on_one_line(om):
    info = om.finished(f"head -c {10 * MEGABYTE} /dev/zero | tr '\\0' x; echo; echo last", timeout=60)
    assert len(om.raw("logs", info["id"], "--raw")) == 10 * MEGABYTE + len("\r\nlast\r\n")
    shown = om.logs(info["id"])
    assert shown.endswith("last\n")
    assert shown.startswith("xxx")
    assert om.logs(info["id"], "--tail", "1") == "last\n"


def test_a_full_screen_program_is_one_line(om):
    frames = "for n in $(seq 200); do printf '\\033[H\\033[2Jframe %s' $n; done"
    script = f"printf 'before\\n\\033[?1049h'; {frames}; printf '\\033[?1049lafter\\n'"
    shown = om.logs(om.finished(script)["id"]).splitlines()
    assert shown[0] == "before"
    assert shown[-1] == "after"
    assert len(shown) == 3
    assert re.fullmatch(r"\[full-screen output, [\d.]+ [kKM]?B\]", shown[1])


def test_without_an_id_every_mission_under_its_title_oldest_first(om):
    first = om.finished("echo one", "--name", "first")["id"]
    second = om.finished("echo two", "--name", "second")["id"]
    assert om.ok("logs") == f"=== first ({first}) ===\none\n=== second ({second}) ===\ntwo\n"
    assert om.ok("logs", "second", "first") == f"=== second ({second}) ===\ntwo\n=== first ({first}) ===\none\n"


def test_an_empty_list_prints_nothing(om):
    om.ok("start")
    finished = om("logs")
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")


def test_tail_grep_and_both(om):
    om.finished("seq 1 100", "--name", "count")
    assert om.logs("count", "--tail", "3") == "98\n99\n100\n"
    assert om.logs("count", "--tail", "0") == ""
    assert om.logs("count", "--tail", "1000").count("\n") == 100
    assert om.logs("count", "--grep", "^9") == "9\n" + "".join(f"{n}\n" for n in range(90, 100))
    assert om.logs("count", "--grep", "^9", "--tail", "2") == "98\n99\n"
    assert om.logs("count", "--grep", "nothing") == ""


def test_timestamps_since_and_until(om):
    om.finished("for n in 1 2 3; do echo line $n; sleep 0.4; done", "--name", "slow")
    lines = om.logs("slow", "--timestamps").splitlines()
    assert [re.sub(rf"^{TIME} ", "", line) for line in lines] == ["line 1", "line 2", "line 3"]
    times = [line.split(" ")[0] for line in lines]
    assert times == sorted(times)
    assert len(set(times)) == 3
    first, second = _between(times[0], times[1]), _between(times[1], times[2])
    assert om.logs("slow", "--since", first) == "line 2\nline 3\n"
    assert om.logs("slow", "--until", second) == "line 1\nline 2\n"
    assert om.logs("slow", "--since", first, "--until", second) == "line 2\n"
    assert om.logs("slow", "--since", "1h") == "line 1\nline 2\nline 3\n"
    assert om.logs("slow", "--until", "1h") == ""
    assert om.logs("slow", "--since", "0s") == ""


def test_one_stream_alone(om):
    mission = om.finished("echo out; sleep 0.1; echo err >&2", "--no-tty")["id"]
    assert om.logs(mission, "--stdout") == "out\n"
    assert om.logs(mission, "--stderr") == "err\n"
    assert om.logs(mission) == "out\nerr\n"
    assert om.raw("logs", mission, "--raw", "--stderr") == b"err\n"


def test_one_run_of_a_restarted_mission(om):
    mission = om.finished("echo run of $$", "--name", "again")["id"]
    first = om.logs("again")
    om.ok("restart", "again")
    om.wait_status(mission, "stopped")
    assert om.logs("again", "--run", "1") == first
    restart, second = om.logs("again", "--run", "2").splitlines()
    assert re.fullmatch(rf"--- restart #1 at {TIME} ---", restart)
    assert second + "\n" != first
    assert om.logs("again").splitlines() == [first.strip(), restart, second]
    assert om.raw("logs", "again", "--raw") == f"{first.strip()}\r\n{second}\r\n".encode()
    om.refused("logs", "again", "--run", "3", code="not_found")


def test_follow_shows_what_was_and_what_comes_and_ends_with_the_mission(om):
    os.mkfifo(om.path("gate"))
    om.mission("echo before; read x < gate; echo after; printf unfinished", "--name", "grows")
    client = om.popen("logs", "-f", "grows")
    assert client.stdout.readline() == "before\n"
    with open(om.path("gate"), "w") as gate:
        gate.write("go\n")
    out, err = client.communicate(timeout=30)
    assert (client.returncode, out, err) == (0, "after\nunfinished\n", "")


def test_follow_of_a_finished_mission_ends_at_once(om):
    om.finished("echo all; exit 3", "--name", "over")
    finished = om("logs", "-f", "over", timeout=10)
    assert (finished.returncode, finished.stdout) == (0, "all\n")


def test_follow_with_tail_begins_near_the_end(om):
    mission = om.mission("seq 1 50; sleep 2; echo end", "--name", "tail")
    eventually(lambda: "50" in om.logs(mission))
    assert om.ok("logs", "-f", "tail", "--tail", "2").splitlines() == ["49", "50", "end"]


def test_several_missions_followed_interleave_with_their_names(om):
    om.mission("for n in 1 2 3; do echo a$n; sleep 0.1; done", "--name", "short")
    om.mission("for n in 1 2 3; do echo b$n; sleep 0.1; done", "--name", "longer-name")
    out = om.ok("logs", "-f", "short", "longer-name").splitlines()
    assert [line for line in out if line.startswith("short")] == [f"short       | a{n}" for n in (1, 2, 3)]
    assert [line for line in out if line.startswith("longer")] == [f"longer-name | b{n}" for n in (1, 2, 3)]
    assert len(out) == 6


@pytest.mark.own_home
def test_follow_goes_through_a_restart_of_mission_and_daemon(om):
    mission = om.mission("echo run; sleep 100", "--name", "moving")
    client = om.popen("logs", "-f", "moving")
    assert client.stdout.readline() == "run\n"
    om.ok("start", "--replace")
    om.ok("restart", "moving")
    assert client.stdout.readline().startswith("--- restart #1")
    assert client.stdout.readline() == "run\n"
    om.ok("stop", mission)
    out, err = client.communicate(timeout=30)
    assert (client.returncode, without_waiting(err)) == (0, "")
    assert "run" not in out


def test_follow_raw_is_the_same_bytes(om):
    data = b"".join(b"%d \x1b[1m\xff\n" % number for number in range(2000))
    mission = om.mission(write(data), "--no-tty")
    assert om.raw("logs", "-f", "--raw", mission) == data


def test_events_are_shown_between_the_lines(om):
    mission = om.finished("echo work", "--name", "told")["id"]
    shown = om.logs(mission, "--events").splitlines()
    assert "work" in shown
    assert len(shown) > 2
    assert all(line == "work" or (line.startswith("--- ") and line.endswith(" ---")) for line in shown)
    assert shown.index("work") not in {0, len(shown) - 1}
    assert "None" not in om.logs(om.finished("exit 3")["id"], "--events")


def test_a_cast_is_a_recording_that_players_read(om):
    mission = om.finished("echo one; sleep 0.2; echo two", "--size", "90x20", "--name", "movie")["id"]
    header, *events = map(json.loads, om.ok("logs", mission, "--cast").splitlines())
    assert (header["version"], header["width"], header["height"]) == (2, 90, 20)
    assert [kind for _, kind, _ in events] == ["o"] * len(events)
    assert "".join(data for _, _, data in events) == "one\r\ntwo\r\n"
    times = [at for at, _, _ in events]
    assert times == sorted(times)
    assert 0.15 < times[-1] < 20


def test_a_cast_whose_times_are_lost_says_so_and_has_all_output(om):
    mission = om.finished("echo one; sleep 0.2; echo two")["id"]
    assert om("logs", mission, "--cast").stderr == ""
    os.unlink(om.path("logs", mission, "000001", "index.000000"))
    finished = om("logs", mission, "--cast")
    assert finished.stderr.startswith("Warning: the time index of run 1 is damaged or incomplete.")
    _, *events = map(json.loads, finished.stdout.splitlines())
    assert "".join(data for _, _, data in events) == "one\r\ntwo\r\n"


@pytest.mark.parametrize(
    "options",
    [("--cast", "-f"), ("--cast", "--raw"), ("--raw", "--grep", "x"), ("--raw", "--timestamps"), ("--events", "-f")],
    ids=" ".join,
)
def test_options_that_contradict_each_other_are_wrong_usage(om, options):
    om.finished("true", "--name", "one")
    om.refused("logs", "one", *options, code="invalid", exit_code=2)


def test_a_log_is_readable_while_it_is_written(om):
    mission = om.mission("n=0; while :; do n=$((n+1)); echo line $n; done")
    eventually(lambda: "line 100\n" in om.logs(mission))
    last = om.logs(mission, "--tail", "5").splitlines()
    numbers = [int(line.removeprefix("line ")) for line in last[:-1] if re.fullmatch(r"line \d+", line)]
    assert len(numbers) >= 3
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_what_a_mission_wrote_is_in_its_log_at_once_also_when_it_is_killed(om):
    mission = om.mission("echo last words; kill -9 $$")
    om.wait_status(mission, "crashed")
    assert om.logs(mission) == "last words\n"


def test_a_client_that_is_killed_while_it_follows_leaves_the_log_whole(om):
    mission = om.mission("for n in $(seq 300); do echo $n; sleep 0.003; done")
    client = om.popen("logs", "-f", mission)
    client.stdout.readline()
    client.send_signal(signal.SIGKILL)
    client.wait()
    om.wait_status(mission, "stopped", timeout=30)
    assert om.logs(mission) == "".join(f"{n}\n" for n in range(1, 301))


def test_since_counts_from_now(om):
    om.finished("echo old", "--name", "aged")
    time.sleep(1.1)  # what is older than a second can't be made faster
    assert om.logs("aged", "--since", "1s") == ""
    assert om.logs("aged", "--since", "60") == "old\n"


def _between(earlier, later):
    """The moment in the middle of two, as text."""
    first, second = map(datetime.fromisoformat, (earlier, later))
    return (first + (second - first) / 2).isoformat()


def test_the_answer_tells_when_somebody_looked_last(om):
    om.finished("echo one", "--name", "looked-at")
    assert om.api("logs", ids=["looked-at"])["missions"][0]["seen_at"] is None
    om.ok("seen", "looked-at")
    assert om.api("logs", ids=["looked-at"])["missions"][0]["seen_at"] >= om.ps()[0]["ended_at"]
