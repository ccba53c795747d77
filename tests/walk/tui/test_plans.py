"""Plans, quests and rituals: one walk through each view."""

from __future__ import annotations

from overmind_core.view.actions import Context
from overmind_core.view.keymap import keymap
from overmind_tui.pages.dialog import Dialog
from overmind_tui.render.layout import Panel
from tests.tui.conftest import picture, until

BLUEPRINT = """
[agents.first]
command = "until test -e {gate}; do sleep 0.05; done; echo through"
[agents.second]
command = "echo ${{agents.first.result}}"
"""


def test_what_a_supervisor_tells_is_what_is_shown_and_it_is_shown_as_it_happens(om, opened, tmp_path):
    gate, file = tmp_path / "gate", tmp_path / "two.toml"
    file.write_text(BLUEPRINT.format(gate=gate))
    om.ok("apply", str(file))
    om.ok("quest", "run", "--name", "docs", "sleep 300")
    om.ok("ritual", "create", "nightly", "0 3 * * *", "true")

    async def scenario(app, pilot):
        async def shown(line, *texts):
            app.commands.run(line)
            await until(pilot, lambda: all(text in picture(app) for text in texts), what=line)

        await shown("quests", "docs", "working", "sleep 300")
        await shown("rituals", "nightly", "waiting", "0 3 * * *")
        app.screen.act(keymap(Context.RITUALS)["R"])
        await until(pilot, lambda: isinstance(app.screen, Dialog), what="asked")
        await pilot.press("y")
        await until(pilot, lambda: "succeeded" in picture(app), what="its run")
        app.screen.act(keymap(Context.RITUALS)["enter"])
        await until(pilot, lambda: "nightly/1" in picture(app) and "manual" in picture(app), what="its history")
        await shown("bp", "two", "0/2", "two.toml")
        await shown("plan two", "waits for first", "1 running")
        gate.touch()
        await until(pilot, lambda: picture(app).count("succeeded") >= 2 and "through" in picture(app), what="the end")
        app.screen.act(keymap(Context.PLAN)["enter"])
        await until(pilot, lambda: app.main.panels.current is Panel.LOG and "through" in picture(app), what="the log")

    opened({}, scenario)
