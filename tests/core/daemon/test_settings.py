"""What config.toml says to the supervisor reaches those who act on it."""

from __future__ import annotations

import pytest

from overmind_core.errors import OvermindError
from overmind_core.kernel import config
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit import in_process
from tests.kit.in_process import ScriptedKeeper, supervising

READ = [
    ("", Settings()),
    ('[logs]\nper_mission = "64KB"', Settings(log_limit=64_000)),
    ('[logs]\ntotal = "2GB"', Settings(log_total=2_000_000_000)),
    ("[retention]\nfinished = 5", Settings(finished=5)),
    ("[retention]\nevents = 6", Settings(events=6)),
    ('[sweep]\nleave = ["a*"]', Settings(leave=("a*",))),
    ('[keeper]\nspawn = "auto"', Settings(spawn_method="auto")),
    ('[keeper]\nspawn = "posix_spawn"', Settings(spawn_method="posix_spawn")),
    ('[keeper]\nspawn = "ptyprocess"', Settings(spawn_method="ptyprocess")),
    ('[notify]\ncommand = ["beep", "-n"]', Settings(notify=("beep", "-n"))),
    ("[notify]\ncommand = []", Settings(notify=())),
    ('[permissions]\nallow = ["Bash(ls)"]\ndeny = ["Edit"]', Settings(allow=("Bash(ls)",), deny=("Edit",))),
    ('[providers.claude]\nprogram = "/opt/claude"', Settings(programs=(("claude", "/opt/claude"),))),
]
REFUSED = [
    ('[keeper]\nspawn = "fork"', "keeper.spawn: 'fork' is not allowed here."),
    ("[keeper]\nspawn = true", "keeper.spawn: True is not allowed here."),
    ("keeper = 3", "[keeper] must be a table."),
    ("[retention]\nfinished = 0", "retention.finished: 0 is not allowed here."),
    ("[retention]\nevents = true", "retention.events: True is not allowed here."),
    ('[sweep]\nleave = "a"', "sweep.leave: 'a' is not allowed here."),
    ('[permissions]\nallow = ["Bash("]', "permissions.allow: "),
    ('[providers]\nclaude = "x"', "[providers] must hold tables"),
    ('[providers.claude]\nprogram = ""', "providers.claude.program must be a path or a name."),
]


@pytest.fixture
def home(tmp_path):
    return Home(str(tmp_path))


def load(home, text):
    with open(home.config, "w", encoding="utf-8") as file:
        file.write(text)
    return config.load(home.config)


@pytest.mark.parametrize(("text", "expected"), READ)
def test_each_key_sets_what_it_names_and_nothing_else(home, text, expected):
    assert load(home, text) == expected


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_a_mistake_is_told_with_its_file_and_key(home, text, why):
    with pytest.raises(OvermindError) as refusal:
        load(home, text)
    assert refusal.value.code == "invalid_config"
    assert f"{home.config}: {why}" in refusal.value.message


def test_without_a_file_all_is_as_it_suits_most(home):
    assert config.load(home.config) == Settings()


@pytest.mark.parametrize("way", ["auto", "posix_spawn", "ptyprocess"])
def test_the_keeper_is_asked_to_spawn_in_the_way_that_is_set(home, way):
    chosen = load(home, f'[keeper]\nspawn = "{way}"\n[logs]\nper_mission = "64KB"')

    async def story():
        keeper = ScriptedKeeper(home)
        async with supervising(home, keeper, settings=chosen) as inside:
            await inside.run("true")
        (asked,) = keeper.asked["spawn"]
        assert (asked["method"], asked["log_limit"], asked["segment"]) == (way, 64_000, 8_000)

    in_process.run(story())
