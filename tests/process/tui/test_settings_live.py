"""config.toml while the program runs: saving it is all, a mistake is a flash, valid settings still apply."""

from __future__ import annotations

import asyncio
import os
from functools import partial

import pytest

from tests.tui.conftest import picture, until

GOOD = """
[tui]
theme = "light"
symbols = "ascii"
confirm_kill = true
[tui.hotkeys]
f2 = "events /created"
"ctrl-t" = { line = "top", context = "missions" }
[tui.aliases]
busy = "missions /state:working"
"""


def save(om, text):
    with open(os.path.join(om.home, "config.toml"), "w", encoding="utf-8") as file:
        file.write(text)


def replace(om, text):
    """As editors do that write another file first."""
    path = os.path.join(om.home, "config.toml")
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{path}.new", path)


def flashes(app, text):
    """Whether the bottom line says this."""
    return text in app.notice.text


def view(app):
    return getattr(app.screen, "view", "missions")


@pytest.mark.parametrize("write", [save, replace])
def test_what_is_saved_counts_at_once(om, opened, write):
    async def scenario(app, pilot):
        write(om, GOOD)
        await until(pilot, lambda: app.theme == "light", what="the theme")
        assert app.settings.confirm_kill
        await until(pilot, lambda: " > alpha" in picture(app), what="the signs")
        await pilot.press("f2")
        await until(pilot, lambda: view(app) == "events", what="a hotkey")
        assert app.screen.filtering.filter.text == "created"
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert view(app) == "events", "it counts on the missions alone"
        await pilot.press("escape", "escape", "ctrl+t")
        await until(pilot, lambda: view(app) == "top", what="a hotkey of one context")
        await pilot.press("colon", *"bus", "tab", "enter")
        await until(pilot, lambda: app.main.table_panel.filter.text == "state:working", what="an alias")
        await pilot.press("question_mark")
        await until(pilot, lambda: ":events /created" in picture(app) or view(app) == "help", what="help")
        await pilot.press("question_mark")
        assert any("f2" in cell.text for line in app.screen.text.lines for cell in line)

    opened({"alpha": "sleep 300"}, scenario)


def test_a_mistake_is_a_flash_with_its_line_and_what_was_good_stays(om, opened):
    async def scenario(app, pilot):
        save(om, GOOD)
        await until(pilot, lambda: app.theme == "light", what="good")
        for text, said in (
            ('[tui]\ntheme = "dark"\nsymbols = "emoji"', "line 3: tui.symbols"),
            ("[tui\n", "config.toml"),
            ("[tui.hotkeys]\nx = 'top'", "line 2: tui.hotkeys.x: x is already used"),
        ):
            replace(om, text)
            await until(pilot, partial(flashes, app, said), what=said)
            assert app.notice.tone == "bad"
            assert app.theme == "light"
            assert app.settings.aliases == {"busy": "missions /state:working"}
        os.remove(os.path.join(om.home, "config.toml"))
        await until(pilot, lambda: app.theme == "dark", what="without a file all has its default")

    opened({"alpha": "sleep 300"}, scenario)


def test_how_logs_are_shown_follows_the_settings_and_what_a_key_changed_stays_else(om, opened):
    async def scenario(app, pilot):
        log = app.main.log_view
        save(om, "[tui]\nlog_time = true\nlog_range = '5m'")
        await until(pilot, lambda: log.times, what="times")
        await pilot.press("l", "t")
        assert not log.times
        save(om, "[tui]\nlog_time = true\nlog_range = '5m'\nconfirm_kill = true")
        await until(pilot, lambda: app.settings.confirm_kill, what="something else")
        assert not log.times
        await pilot.press("escape", "j")
        await until(pilot, lambda: app.main.log_panel.span == "the last 5m", what="another log begins so")

    opened({"alpha": "sleep 300", "beta": "sleep 300"}, scenario)


def test_a_theme_that_nobody_knows_is_said(om, opened):
    async def scenario(app, pilot):
        save(om, '[tui]\ntheme = "nosuch"')
        await until(pilot, lambda: "unknown theme 'nosuch'" in app.notice.text, what="said")
        assert app.theme == "dark"

    opened({"alpha": "sleep 300"}, scenario)


def test_the_theme_of_the_command_line_wins(om, opened):
    async def scenario(app, pilot):
        assert app.theme == "light"
        save(om, '[tui]\ntheme = "nord"\nconfirm_kill = true')
        await until(pilot, lambda: app.settings.confirm_kill, what="read")
        assert app.theme == "light"

    opened({"alpha": "sleep 300"}, scenario, theme="light")


def test_a_mistake_at_the_start_is_said_and_the_rest_counts(om, program):
    om.ok("start")
    save(om, '[tui]\ntheme = "light"\nmouse = 3')

    async def session():
        app = program()
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: "line 3: tui.mouse" in picture(app), what="said")
            assert app.theme == "light"
        await asyncio.to_thread(app.quitting.on_exit)

    asyncio.run(session())


def test_a_hotkey_does_nothing_where_keys_are_text(om, opened):
    async def scenario(app, pilot):
        save(om, '[tui.hotkeys]\nu = { line = "top", override = true }')
        await until(pilot, lambda: app.settings.hotkeys, what="read")
        await pilot.press("colon", "u")
        assert app.screen.bar.field.text == "u"
        await pilot.press("escape", "u")
        await until(pilot, lambda: view(app) == "top", what="elsewhere it does")

    opened({"alpha": "sleep 300"}, scenario)


def test_the_supervisor_and_the_doctor_take_a_file_with_all_settings_of_the_program(om):
    save(om, GOOD)
    om.ok("start")
    assert [one["status"] for one in om.json("doctor", "--json") if one["check"] == "config.toml"] == ["ok"]
