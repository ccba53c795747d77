"""Other programs in our terminal, and what leaves it: the clipboard and saved files."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import pytest

from overmind_tui.shell import clipboard, external
from tests.kit.processes import alive
from tests.kit.screen import TMUX, TmuxScreen
from tests.kit.waiting import eventually
from tests.tui.conftest import until

on_a_terminal = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


def test_another_program_runs_and_its_exit_status_comes_back(om, opened):
    async def scenario(app, pilot):
        codes: list[int] = []
        external.run(app, ["sh", "-c", 'test "$(pwd)" = / && exit $CODE'], cwd="/", then=codes.append,
                    environ={**app.world.environ, "CODE": "7"})  # fmt: skip
        await until(pilot, lambda: codes == [7], what="its exit status")
        external.run(app, ["sh", "-c", "kill -TERM $$"], cwd="/", then=codes.append)
        await until(pilot, lambda: codes == [7, 143], what="128 + the signal")

    opened({"alpha": "sleep 300"}, scenario)


@pytest.mark.parametrize(("argv", "cwd"), [(["no-such-program"], "/"), (["true"], "/no/such/folder")])
def test_a_program_that_can_not_be_started_is_a_flash(om, opened, argv, cwd):
    async def scenario(app, pilot):
        codes: list[int] = []
        external.run(app, argv, cwd=cwd, then=codes.append)
        await until(pilot, lambda: codes == [external.NOT_STARTED], what="an end")
        assert "No such file" in app.notice.text

    opened({"alpha": "sleep 300"}, scenario)


def saved(app):
    return Path(app.home.root, "saved")


def test_without_any_clipboard_the_terminal_is_asked_and_a_file_is_written(om, opened):
    async def scenario(app, pilot):
        said: list[str] = []
        app.write_terminal = said.append
        clipboard.copy(app, "grüße\n[red]", "2 lines")
        await until(pilot, lambda: app.notice.text.startswith("copied 2 lines · the terminal · "), what="how")
        assert said == ["\x1b]52;c;Z3LDvMOfZQpbcmVkXQ==\a"]
        file = saved(app) / "copied.txt"
        assert app.notice.text.endswith(str(file))
        assert file.read_text("utf-8") == "grüße\n[red]"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700

    opened({"alpha": "sleep 300"}, scenario)


def test_tmux_and_the_local_clipboard_are_used_where_they_are(om, opened, tmp_path):
    for name in ("tmux", "xclip", "xsel"):
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\n[ "$1" = --clipboard ] && exit 1\nhere={tmp_path}\ncat > $here/{name}.got\n')
        tool.chmod(0o755)

    async def scenario(app, pilot):
        said: list[str] = []
        app.write_terminal = said.append
        clipboard.copy(app, "text", "it")
        await until(pilot, lambda: app.notice.text.startswith("copied it · tmux, xclip · "), what="how")
        assert (tmp_path / "tmux.got").read_text() == (tmp_path / "xclip.got").read_text() == "text"
        assert said == [""]

    om.environment |= {"TMUX": "/tmp/t,1,0", "DISPLAY": ":1", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    opened({"alpha": "sleep 300"}, scenario)


def test_what_is_too_long_for_the_terminal_is_in_the_file_and_the_flash_says_so(om, opened):
    async def scenario(app, pilot):
        clipboard.copy(app, "x" * 90_000, "the log")
        await until(pilot, lambda: "too long" in app.notice.text, what="a word about it")
        assert (saved(app) / "copied.txt").stat().st_size == 90_000

    opened({"alpha": "sleep 300"}, scenario)


def test_each_saved_text_has_a_file_of_its_own_with_a_harmless_name(om, opened):
    async def scenario(app, pilot):
        app.now = lambda: 0.0
        for _ in range(2):
            app.flash("")
            clipboard.save(app, "text", "../../[red] logs\x1b")
            await until(pilot, lambda: app.notice.text.startswith("saved "), what="where")
        names = sorted(file.name for file in saved(app).iterdir())
        assert len(names) == 2
        assert all(name.startswith("red-logs-") and name.endswith(".txt") for name in names)

    opened({"alpha": "sleep 300"}, scenario)


def test_a_home_that_takes_no_file_is_told(om, opened):
    async def scenario(app, pilot):
        saved(app).write_text("in the way")
        clipboard.save(app, "text", "log")
        await until(pilot, lambda: app.notice.text.startswith("not saved: "), what="why")

    opened({"alpha": "sleep 300"}, scenario)


@on_a_terminal
def test_a_shell_has_the_terminal_and_its_keys_until_it_ends(om):
    om.environment["SHELL"] = "/bin/sh"
    om.mission("while :; do echo tick; sleep 0.1; done", "--name", "api", "--env", "PS1=ready> ")
    with TmuxScreen(om) as screen:
        screen.until("api", "working")
        screen.type("s")
        screen.until("ready>", gone="working")
        left = [one.strip() for one in screen.shown().splitlines() if one.strip()]
        assert left[0].endswith(" of api: exit returns to overmind")
        assert left[1:] == ["ready>"], "all else that is left there when the program ends is the person's own"
        screen.type("cat")
        screen.keys("Enter")
        screen.type("said")
        screen.keys("Enter")
        eventually(lambda: screen.shown().count("said") == 2, what="cat runs")
        screen.keys("C-c")
        screen.type("echo $((6*7)); exit 3")
        screen.keys("Enter")
        screen.until("working", "back from", gone="ready>")
        screen.keys("q")
        assert screen.exit_status() == 0


def test_another_program_has_the_terminal_alone_and_its_keys_are_not_ours(om, opened, tmp_path):
    busy = tmp_path / "busy"
    script = f"mkdir {busy} && sleep 0.2 && rmdir {busy}"

    async def scenario(app, pilot):
        codes: list[int] = []
        external.run(app, ["sh", "-c", script], cwd="/", then=codes.append)
        external.run(app, ["sh", "-c", script], cwd="/", then=codes.append)
        await pilot.press("question_mark")
        await until(pilot, lambda: codes == [0, 0], what="one after the other")
        assert len(app.screen_stack) == 1
        await pilot.press("question_mark")
        await until(pilot, lambda: len(app.screen_stack) == 2, what="the help")

    opened({"alpha": "sleep 300"}, scenario)


@on_a_terminal
def test_the_program_that_is_told_to_end_meanwhile_does_so_and_the_other_one_too(om, tmp_path):
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid\n"
                      "echo in the editor; exec sleep 300\n")  # fmt: skip
    editor.chmod(0o755)
    om.environment["EDITOR"] = str(editor)
    om.mission("sleep 300", "--name", "api")
    with TmuxScreen(om, "tui") as screen:
        screen.until("api", "working")
        screen.type("e")
        screen.until("in the editor", gone="working")
        eventually((tmp_path / "pid").exists, what="the editor's pid")
        os.kill(screen.pid(), signal.SIGTERM)
        assert screen.exit_status() == 0
        eventually(lambda: not alive(int((tmp_path / "pid").read_text())), what="the editor has ended")
