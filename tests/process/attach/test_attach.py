"""`overmind attach` as a person has it."""

from __future__ import annotations

import shutil
import signal

import pytest

from tests.kit.attached import Attached
from tests.kit.killing import without_waiting
from tests.kit.overmind import PROGRAM
from tests.kit.waiting import eventually

pytestmark = pytest.mark.shared_home

LEAVE = b"\x1c"
KEYS = {
    "byte": b"\x1c",
    "kitty": b"\x1b[92;5u",
    "kitty with everything": b"\x1b[92:124:92;5:1;28u",
    "modifyOtherKeys": b"\x1b[27;5;92~",
}
needs_vim = pytest.mark.skipif(not shutil.which("vim"), reason="vim is not installed: nothing edits a file here")


def attached(om, mission):
    return om.info(mission)["attached"]


def left_well(person, status=0):
    """It has ended with this status, and the terminal is as it was."""
    assert person.end() == status, person.text()
    assert person.settings() == person.before
    modes = person.screen.modes
    assert not modes.alternate
    assert modes.private == {7, 25}
    return True


@needs_vim
def test_a_file_is_edited_and_saved(om, attach):
    path = om.path("poem.txt")
    mission = om.mission(["vim", "-u", "NONE", "-i", "NONE", "-n", path], "--type", "session", "--name", "editor")
    person = attach(mission)
    person.shows("~\n~")
    person.type(b"ifirst line\rsecond \xc3\xbc\x1b")
    person.shows("second ü")
    person.type(b":wq\r")
    assert left_well(person)
    assert "[editor ended: exited 0]" in person.text()
    with open(path, encoding="utf-8") as file:
        assert file.read() == "first line\nsecond ü\n"


TAKES_CTRL_C = """
import os, signal
signal.signal(signal.SIGINT, lambda *_: os.write(1, b"took it\\n"))
os.write(1, b"ready\\n")
input()
"""


def test_a_program_that_took_ctrl_c_ends_as_it_says(om, attach):
    path = om.path("takes.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(TAKES_CTRL_C)
    person = attach(om.mission(f"python3 {path}", "--type", "session", "--name", "taker"))
    person.shows("ready")
    person.type(b"\x03")
    person.shows("took it")
    person.type(b"\r")
    assert left_well(person)
    assert om.ok("wait", "taker").endswith("finished: stopped (exit code 0): succeeded\n")


@needs_vim
def test_an_editor_is_left_and_found_again_as_it_was(om, attach):
    command = ["vim", "-u", "NONE", "-i", "NONE", "-n", "-c", "set mouse=a"]
    mission = om.mission(command, "--type", "session", "--name", "editor")
    person = attach(mission)
    person.shows("~\n~")
    person.type(b"ihello there\x1b")
    person.shows("hello there")
    assert person.screen.modes.alternate
    person.type(LEAVE)
    assert left_well(person)
    assert "[detached from editor]" in person.text()
    again = attach(mission, size=(60, 12))
    again.shows("hello there")
    assert again.screen.modes.alternate
    assert again.screen.modes.mouse
    again.type(b"osecond\x1b")
    again.until(lambda: again.screen.lines()[:3] == ["hello there", "second", "~"], "it is drawn at its size")


def test_the_size_is_the_persons_and_follows_the_window(om, attach):
    mission = om.mission("trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done", "--type", "session")
    person = attach(mission, size=(91, 31))
    person.shows("31 91")
    person.resize(92, 32)
    person.shows("32 92")


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_key_leaves(om, attach, shell, key):
    person = attach(shell)
    person.type(b"x" + key)
    assert left_well(person)
    assert "[detached from shell]" in person.text()
    assert om.info(shell)["status"] == "running"


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_the_key_leaves_though_it_comes_in_pieces(attach, shell, key):
    person = attach(shell)
    for byte in key:
        person.type(bytes([byte]))
    assert left_well(person)


def test_the_key_is_text_in_a_paste(om, attach):
    mission = om.mission("stty raw -echo; echo ready; cat -v", "--type", "session")
    person = attach(mission)
    person.shows("ready")
    for part in (b"\x1b[200~a", b"\x1c", b"\x1b[92;5u", b"\x1b[20", b"1~end"):
        person.type(part)
    person.shows("^[[200~a^\\^[[92;5u^[[201~end")
    person.type(LEAVE)
    assert left_well(person)


def test_a_lone_esc_arrives(om, attach):
    mission = om.mission("stty raw -echo; echo ready; cat -v", "--type", "session")
    person = attach(mission)
    person.shows("ready")
    person.type(b"\x1b")
    person.shows("^[")


@pytest.mark.own_home
def test_another_key_can_be_chosen(om, attach, shell):
    with open(om.path("config.toml"), "w") as file:
        file.write('[attach]\ndetach_keys = ["ctrl-]"]\n')
    for words, key in (
        ((), b"\x1d"),
        (("--detach-key", "^q"), b"\x11"),
        (("--detach-key", "C-q"), b"\x1b[93;5u"),
    ):
        person = attach(shell, *words)
        person.type(key)
        assert left_well(person)


@pytest.mark.own_home
def test_keys_that_are_none_are_refused(om, shell):
    with Attached(om, shell, "--detach-key", "f12") as person:
        assert person.end() == 2
        assert "is not a key" in person.text()
    for content in ('detach_keys = "ctrl-]"', 'detach_keys = ["ctrl-m"]', "detach_keys = [", "detach_key = []"):
        with open(om.path("config.toml"), "w") as file:
            file.write(f"[attach]\n{content}\n")
        with Attached(om, shell) as person:
            assert person.end() == 1
            assert "Error: invalid_config" in person.text()


def test_a_thousand_keys_come_back_once_each_and_in_order(om, attach):
    mission = om.mission("stty raw -echo; echo ready; cat", "--type", "session")
    person = attach(mission)
    person.shows("ready")
    begin = len(person.seen)
    keys = "".join(chr(0x4E00 + number) for number in range(1000))
    for key in keys:
        person.type(key.encode())
    person.until(lambda: len(person.seen) - begin >= 3 * len(keys), "all came back")
    assert person.seen[begin:].decode() == keys


def test_two_see_the_same_and_the_one_who_typed_last_gives_the_size(om, attach):
    command = "trap 'stty size' WINCH; stty -echo; echo ready; while :; do read -r x && echo got $x; done"
    mission = om.mission(command, "--type", "session")
    first = attach(mission, size=(90, 30))
    first.shows("30 90")
    second = attach(mission, size=(110, 40))
    assert attached(om, mission) == 2
    second.type(b"one\r")
    for person in (first, second):
        person.shows("40 110")
        person.shows("got one")
    first.type(b"two\r")
    for person in (first, second):
        person.until(lambda person=person: person.text().count("30 90") >= 1 and "got two" in person.text())
    first.type(LEAVE)
    assert left_well(first)
    second.until(lambda: second.text().rstrip().endswith("40 110"), "the size is of who is left")
    assert attached(om, mission) == 1


def test_only_the_newest_typists_terminal_answers_the_program(om, attach):
    mission = om.mission("stty raw -echo; echo ready; head -c 1; printf '\\033[c'; cat -v", "--type", "session")
    people = [attach(mission) for _ in range(3)]
    for person in people:
        person.shows("ready")
    people[1].type(b"!")
    for person in (people[1], people[0], people[2]):
        person.until(lambda person=person: person.text().count("^[[?") == 1, "one answer came")
    people[1].type(b".")
    people[1].until(lambda: people[1].text().endswith("c."), "nothing came between")


def test_who_only_watches_types_nothing(om, attach, shell):
    watcher = attach(shell, "--read-only")
    typist = attach(shell)
    watcher.type(b"echo evil\r")
    watcher.until(lambda: b"\x07" in watcher.seen, "a bell rings")
    typist.type(b"echo go''od\r")
    watcher.shows("good")
    assert "evil" not in watcher.text()
    watcher.type(b"\x03")
    assert left_well(watcher)
    assert om.info(shell)["status"] == "running"


@pytest.mark.parametrize("command", ["sleep 100", "echo working; sleep 100", "printf half; sleep 100"])
def test_a_task_without_input_says_on_the_screen_that_it_is_only_watched(om, attach, command):
    """Below what it has written, where a blank screen would leave a person without a way out."""
    person = attach(om.mission(command, "--name", "task"))
    person.shows("[watching only; ctrl-\\ or ctrl-c leaves: task has no input (--type session gives it one)]")
    person.type(LEAVE)
    assert left_well(person)


def test_what_a_task_writes_after_the_notice_stands_below_it(om, attach, tmp_path):
    gate = tmp_path / "gate"
    person = attach(om.mission(f"until [ -e {gate} ]; do sleep 0.1; done; echo going on; sleep 100", "--name", "task"))
    person.shows("watching only")
    gate.touch()
    person.shows("going on")
    assert person.text().index("watching only") < person.text().index("going on")
    person.type(LEAVE)
    assert left_well(person)


def test_an_interactive_task_is_typed_into(om, attach):
    mission = om.mission("read -r x; echo got $x; exit 7", "--interactive", "--name", "task")
    person = attach(mission)
    person.type(b"it\r")
    assert left_well(person, 7)
    assert "got it" in person.text()
    assert "[task ended: exited 7]" in person.text()


def test_what_was_written_before_is_there(om, attach):
    mission = om.mission("seq 1 500; printf '\\033[31mred\\033[m end'; exec cat", "--type", "session")
    om.wait_status(mission, "running")
    eventually(lambda: "end" in om.ok("screen", mission), what="it has written")
    person = attach(mission, size=(80, 24))
    assert person.screen.lines()[-2:] == ["500", "red end"]
    assert person.screen.cursor[:2] == (7, 23)
    person.type(b"x\r")
    person.until(lambda: "x\nx" in person.text(), "it goes on there")


def test_detach_sends_everybody_away(om, attach, shell):
    people = [attach(shell), attach(shell, "--read-only")]
    assert om.ok("detach", "shell") == f"Detached 2 from mission {shell} (shell)\n"
    for person in people:
        assert left_well(person)
        assert "[detached from shell]" in person.text()
    gone = om("detach", "shell")
    assert (gone.returncode, gone.stdout) == (0, "")
    assert without_waiting(gone.stderr).startswith("Error: not_attached: ")


def test_coming_and_going_are_events(om, attach, shell):
    person = attach(shell)
    eventually(lambda: attached(om, shell) == 1, what="it is counted")
    assert om.ps("--wide")[0]["attached"] == 1
    person.type(LEAVE)
    assert left_well(person)
    eventually(lambda: attached(om, shell) == 0, what="it is not counted any more")
    types = [event["type"] for event in om.events(mission=shell)]
    assert types[-2:] == ["attached", "detached"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_it_in_order(attach, shell, number):
    person = attach(shell)
    person.signal(number)
    assert left_well(person, 128 + number)


def test_it_goes_on_after_it_was_stopped(attach, shell):
    person = attach(shell)
    raw = person.settings()
    person.signal(signal.SIGSTOP)
    person.make_cooked()
    person.signal(signal.SIGCONT)
    person.until(lambda: person.settings() == raw, "every key is let through again")
    person.type(b"echo st''ill here\r")
    person.shows("still here")


def test_the_terminals_end_is_a_leave(om, attach, shell):
    person = attach(shell)
    person.hang_up()
    assert person.process.wait(20) == 129
    eventually(lambda: attached(om, shell) == 0, what="nobody is attached")
    assert om.info(shell)["status"] == "running"


REFUSED = [
    ("shell", "</dev/null", "attach needs a terminal"),
    ("shell", "2>&1 >/dev/null", "attach needs a terminal"),
    ("pipes", "", "Mission"),
    ("over", "", "not_running: Mission"),
    ("nosuch", "", "not_found: "),
]


@pytest.mark.usefixtures("shell")
def test_what_can_not_be_joined_is_told_why(om, cases):
    om.mission("sleep 100", "--name", "pipes", "--no-tty")
    om.finished("exit 0", "--name", "over")
    for name, files, error in REFUSED:
        with cases(f"{name} {files}"), Attached(om, name, shell=files) as person:
            assert person.end() == 1
            assert person.settings() == person.before
            assert f"Error: {error}" in person.text().replace("\n", "")


def test_a_process_inside_a_mission_may_not_attach(om, shell):
    inside = om.finished([*PROGRAM, "attach", "shell"], "--interactive")
    assert "Error: forbidden" in om.logs(inside["id"])


def test_a_terminal_that_is_not_read_harms_nobody(om, attach):
    command = f"stty -echo; echo ready; read -r x; yes {'x' * 79} | head -c 12000000; echo done; read -r x"
    mission = om.mission(command, "--type", "session")
    sleepy, awake = attach(mission), attach(mission)
    awake.type(b"\r")
    awake.shows("done")
    sleepy.shows("done")
    sleepy.type(b"\r")
    assert left_well(sleepy)
    assert left_well(awake)
