"""The colours of the dashboard: tones of the full-screen program, on grounds on which all of them can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from overmind_core.view import tones
from tests.kit.colours import READ, contrast
from tests.kit.overmind import REPOSITORY

STYLES = Path(REPOSITORY, "overmind_web", "static", "styles")
GROUNDS = ("page", "card", "cursor")
CHANGED = [(tone, ground) for tone in ("text", "quiet") for ground in ("added", "removed")]
"""What stands on the grounds of changed lines: their signs say which they are."""


def tokens() -> dict[str, dict[str, str]]:
    """Theme → name of a token → its colour, as tokens.css has them."""
    text = (STYLES / "tokens.css").read_text(encoding="utf-8")
    found = {}
    for theme in ("dark", "light"):
        match = re.search(rf':root\[data-theme="{theme}"\] \{{(.*?)\}}', text, re.DOTALL)
        assert match is not None, theme
        found[theme] = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", match[1]))
    return found


@pytest.mark.parametrize("palette", [tones.DARK, tones.LIGHT], ids=lambda palette: palette.name)
def test_the_tones_are_those_of_the_full_screen_program(palette):
    found = tokens()[palette.name]
    assert {name: found[name] for name in tones.NAMES} == {name: palette.colour(name) for name in tones.NAMES}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("tone", tones.NAMES)
@pytest.mark.parametrize("ground", GROUNDS)
def test_every_tone_can_be_read_on_every_ground(theme, tone, ground):
    found = tokens()[theme]
    assert contrast(found[tone], found[ground]) >= READ


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize(("tone", "ground"), [*CHANGED, ("on-filled", "filled"), ("page", "wait"), ("text", "glow")])
def test_what_stands_on_a_ground_of_its_own_can_be_read(theme, tone, ground):
    found = tokens()[theme]
    assert contrast(found[tone], found[ground]) >= READ


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("edge", ["edge", "key", "wait"])
def test_every_edge_can_be_seen_on_every_ground(theme, ground, edge):
    found = tokens()[theme]
    assert contrast(found[edge], found[ground]) >= 3.0


def test_no_script_says_anything_in_the_colour_of_a_call_but_that_a_mission_needs_a_person():
    """Refusals, answers that were given, and what goes on by itself call for nobody."""
    scripts = [path for path in STYLES.parent.rglob("*.js") if "vendor" not in path.parts]
    lines = [(path.name, line) for path in scripts for line in path.read_text("utf-8").splitlines()]
    called = [(name, line.strip()) for name, line in lines if re.search(r'tone-wait|say\(.*"wait"', line)]
    assert called == [("app.js", '} else this.toasts.say(text, "wait", { label: "Open", press: open });')]


OF_WHAT_CALLS = {".tone-wait", ".edge-wait", ".card::before", ".count.waits", ".strip:not([hidden])"}
"""Rules about a mission that needs a person, or about all of them."""


def test_nothing_is_drawn_in_the_colour_of_a_call_but_what_calls_for_a_person():
    """Marks, what was found and comments do not; nor does an agent's own magenta, which has no other tone here."""
    rules = [
        rule for path in STYLES.glob("*.css") for rule in re.findall(r"([^{}]+)\{([^{}]*)\}", path.read_text("utf-8"))
    ]
    called = {selector.strip() for selector, text in rules if "var(--wait)" in text}
    assert {one for one in called if not one.startswith(".sgr-")} == OF_WHAT_CALLS


def test_no_colour_stands_outside_the_tokens():
    sheets = [path for path in STYLES.glob("*.css") if path.name != "tokens.css"]
    assert len(sheets) > 5
    for path in sheets:
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", text), path.name
