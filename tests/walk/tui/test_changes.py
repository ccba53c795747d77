"""What changed in a mission's folder, its definition, its description, and what a page of text can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from overmind_tui.changes.page import ChangesPage
from overmind_tui.pages.dialog import Dialog
from overmind_tui.pages.text import TextPage
from overmind_tui.shell import external
from tests.tui.conftest import later, picture, until
from tests.tui.test_changes import run


@pytest.fixture
def repository(tmp_path):
    """Two commits behind, one change of each kind ahead."""
    folder = tmp_path / "repository"
    folder.mkdir()
    run(folder, "init", "-q", "-b", "main")
    for name in ("changed", "deleted", "old name", "binary"):
        (folder / name).write_text("".join(f"{name} {line}\n" for line in range(20)) + "\0" * (name == "binary"))
    run(folder, "add", "-A")
    run(folder, "commit", "-q", "-m", "first [red]")
    (folder / "changed").write_text((folder / "changed").read_text().replace("changed 7\n", "seven [b]\n"))
    (folder / "deleted").unlink()
    run(folder, "mv", "old name", "new name")
    (folder / "binary").write_bytes(b"\0\1")
    (folder / "grüße \x1b[2J").write_text("new\n")
    return folder


def copied(app):
    return Path(app.home.root, "saved", "copied.txt").read_text()


def test_v_shows_the_changes_and_n_goes_from_file_to_file(om, opened, repository):
    om.mission("sleep 300", "--name", "api", "--cwd", str(repository))

    async def scenario(app, pilot):
        await pilot.press("v")
        await until(pilot, lambda: "seven [b]" in picture(app) or "changed binary" in picture(app), what="the diff")
        page = app.screen
        assert isinstance(page, ChangesPage)
        assert page.targets()[0]["name"] == "api"
        assert page.path == ""
        await pilot.press("n", "n")
        assert page.path == "changed"
        await pilot.press("N", "N")
        assert page.text.at == 0
        await pilot.press("slash", *"seven", "enter")
        assert len(page.text.lines) == 1
        assert page.spot is not None
        assert page.spot.place == "changed:8"
        await pilot.press("n")
        assert len(page.text.lines) > 40
        assert "seven [b]" in picture(app)
        (repository / "fresh").write_text("x")
        await pilot.press("escape", "ctrl+r", "g")
        await until(pilot, lambda: "fresh" in picture(app), what="asked again")
        await pilot.press("c")
        await until(pilot, lambda: app.notice.text.startswith("copied"), what="copied")
        assert "+seven [b]" in copied(app)
        await pilot.press("#")
        assert app.notice.text.startswith("the cursor is not on a line of a file")
        later(app)
        await pilot.press("q")
        assert len(app.screen_stack) == 1

    opened({}, scenario, size=(80, 24))


def test_the_definition_and_the_description_are_pages(om, opened):
    async def scenario(app, pilot):
        await pilot.press("E")
        await until(pilot, lambda: 'command = "sleep 300"' in picture(app), what="its TOML")
        await pilot.press("q", "d")
        await until(pilot, lambda: "1 run" in picture(app), what="its description")
        om.ok("update", "alpha", "--label", "team=web")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "team=web" in picture(app), what="asked again")

    opened({"alpha": "sleep 300"}, scenario)


def test_o_opens_the_pager_with_the_whole_text(om, opened, tmp_path):
    pager = tmp_path / "pager"
    pager.write_text(f'#!/bin/sh\ncp "$2" {tmp_path}/paged; echo "$1" > {tmp_path}/word\n')
    pager.chmod(0o755)
    om.environment["PAGER"] = f"'{pager}' --word"

    async def scenario(app, pilot):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, TextPage), what="help")
        await pilot.press("o")
        await until(pilot, (tmp_path / "word").exists, what="the pager")
        assert (tmp_path / "paged").read_text() == app.screen.shown_text() + "\n"
        assert (tmp_path / "word").read_text() == "--word\n"

    opened({"alpha": "sleep 300"}, scenario)


def editor(om, tmp_path, body):
    file = tmp_path / "editor"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    om.environment |= {"EDITOR": str(file), "PYTHONPATH": om.environment["PYTHONPATH"]}


def test_e_changes_the_definition_and_asks_before_what_runs_is_restarted(om, opened, tmp_path, monkeypatch):
    editor(om, tmp_path, """sed -i 's/sleep 300/sleep 301/' "$1" """)

    async def scenario(app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="a question")
        await pilot.press("y")
        await until(pilot, lambda: om.info("alpha")["command"] == "sleep 301", what="another command")
        await until(pilot, lambda: len(om.info("alpha")["runs"]) == 2, what="another run")
        ran.clear()
        await pilot.press("e")
        await until(pilot, lambda: app.notice.text == "nothing changed", what="nothing to change")
        assert "--quiet" in ran[0], "no words of it stay in the person's shell"

    ran: list[Sequence[str]] = []
    run = external.run

    def remembered(shell, argv, **how):
        ran.append(argv)
        run(shell, argv, **how)

    monkeypatch.setattr(external, "run", remembered)
    opened({"alpha": "sleep 300"}, scenario)


def test_e_with_an_editor_that_fails_says_that_nothing_was_changed(om, opened, tmp_path):
    editor(om, tmp_path, "exit 1")

    async def scenario(app, pilot):
        await pilot.press("e")
        await until(pilot, lambda: app.notice.text.startswith("nothing changed · "), what="a word about it")

    opened({"alpha": "sleep 300"}, scenario)


def test_s_is_a_shell_in_the_folder_and_back(om, opened, tmp_path):
    shell = tmp_path / "shell"
    shell.write_text(f"#!/bin/sh\npwd > {tmp_path}/where\n")
    shell.chmod(0o755)
    om.environment["SHELL"] = str(shell)
    folder = tmp_path / "work"
    folder.mkdir()
    om.mission("sleep 300", "--name", "api", "--cwd", str(folder))

    async def scenario(app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: app.notice.text.startswith("back from "), what="back")
        assert (tmp_path / "where").read_text() == f"{folder}\n"
        folder.rmdir()
        await pilot.press("s")
        await until(pilot, lambda: "does not exist" in app.notice.text, what="refused")

    opened({}, scenario)
