"""The demonstration of specs, without a daemon: what its agents hand in, and how they play their script."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import Any

import pytest

from overmind_core.demo import script, spec_agent, spec_documents, spec_project
from overmind_core.demo.script_player import Player
from overmind_core.demo.spec_agent import ScriptedStreamStage
from overmind_core.domain.agents.agent import AgentMode
from overmind_core.domain.agents.agent_events import TurnEnded
from overmind_core.domain.specs.check import CheckContext, judge
from overmind_core.domain.specs.reading import read
from overmind_core.domain.specs.shape import Document
from overmind_core.domain.specs.spec import PhaseName
from overmind_core.providers.claude import stream
from overmind_core.providers.claude.provider import verdict

FILES = frozenset(spec_project.SOURCES) | {"test"}
HANDED_IN = [
    (PhaseName.EXPLORE, spec_documents.EXPLORE, 1.0),
    (PhaseName.REQUIREMENTS, spec_documents.WEAK_REQUIREMENTS, 0.62),
    (PhaseName.REQUIREMENTS, spec_documents.REQUIREMENTS, 0.95),
    (PhaseName.DESIGN, spec_documents.DESIGN, 1.0),
    (PhaseName.TASKS, spec_documents.TASKS, 0.975),
]


def test_the_first_requirements_are_not_good_enough_and_everything_else_is():
    documents: dict[PhaseName, Document] = {}
    for phase, value, score in HANDED_IN:
        reading = read(phase, value, title="carts")
        found = judge(reading, CheckContext(documents=documents, files=FILES))
        assert (phase, found.score, found.vetoes) == (phase, score, ())
        documents[phase] = reading.document


@pytest.fixture
def root(tmp_path):
    assert spec_project.write(str(tmp_path), {**os.environ, "GIT_DIR": "nowhere"})
    return tmp_path


def test_the_shop_passes_its_tests_whatever_settings_a_person_has(root):
    shop = root / "shop"
    assert sorted(os.listdir(shop)) == sorted([*FILES, ".git"])
    subprocess.run(["./test"], cwd=shop, check=True, capture_output=True)
    settings = subprocess.run(
        ["git", "config", "--local", "--list"], cwd=shop, check=True, capture_output=True, text=True
    )
    assert {"user.name=demo", "commit.gpgsign=false"} <= set(settings.stdout.splitlines())
    assert stat.S_IMODE((root / spec_project.AGENT).stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "player",
    [
        *(script.Role(phase=str(phase), attempt=attempt) for phase, _, _ in HANDED_IN for attempt in (1, 2)),
        *(
            script.Role(task=task["id"], attempt=attempt)
            for task in spec_documents.TASKS["tasks"]
            for attempt in (1, 2, 3)
        ),
        script.Role(mission="carts/R-001"),
    ],
)
def test_its_script_has_a_part_for_every_attempt(root, player):
    assert script.steps_for(script.load(str(root / spec_project.SCRIPT)), player)


# a step that is played until something succeeds


class Said:
    """A stage that remembers what was said, and passes its time at once."""

    def __init__(self):
        self.texts = []

    def say(self, text):
        self.texts.append(text)

    def wait(self, seconds):
        pass


@pytest.mark.parametrize(
    ("unless", "times", "said"),
    [
        ("true", 3, 0),
        ("false", 3, 3),
        ('echo x >> tried; [ "$(wc -l < tried)" -gt 2 ]', 5, 2),
        (["false"], 2, 2),
        ("kill -9 $$", 2, 2),
    ],
)
def test_a_step_is_played_so_often_unless_something_succeeds_before(tmp_path, monkeypatch, unless, times, said):
    monkeypatch.chdir(tmp_path)
    (steps,) = script.parse([{"say": "again", "times": times, "unless": unless}, {"say": "done"}]).values()
    stage: Any = Said()
    Player(steps).play(stage)
    assert stage.texts == ["again"] * said + ["done"]


@pytest.mark.parametrize("unless", [3, None, {"a": 1}])
def test_what_ends_a_step_is_a_command(unless):
    with pytest.raises(script.InvalidScript, match="unless"):
        script.parse([{"say": "again", "times": 2, "unless": unless}])


# as a stream of lines


class OneTurn(ScriptedStreamStage):
    """Its input ends with its turn, as whoever reads the result closes it."""

    message_pipe = -1

    def end(self, *said, **how):
        super().end(*said, **how)
        os.close(self.message_pipe)


def played(steps):
    """The result of a turn, as the provider hears it."""
    (source, message_pipe), (heard, sink) = os.pipe(), os.pipe()
    os.write(message_pipe, b'{"type": "user", "message": {"role": "user", "content": "begin"}}\n')
    stage = OneTurn("s", source=source, sink=sink)
    stage.message_pipe = message_pipe
    (found,) = script.parse(steps).values()
    spec_agent.play(stage, Player(found), os.getcwd())
    os.close(sink)
    os.close(source)
    with open(heard, "rb") as lines:
        facts = [fact for line in lines for fact in stream.parse(line)]
    (ended,) = [fact for fact in facts if isinstance(fact, TurnEnded)]
    return ended.result


def test_what_its_model_costs_is_in_the_result():
    result = played([{"cost": 0.25}, {"cost": 0.5}, {"say": "done"}])
    assert (result.ok, result.text, result.cost_total) == (True, "done", 0.75)


@pytest.mark.parametrize(
    ("step", "reason"),
    [({"limit": 30}, "limited"), ({"api_error": 529}, "api_error 529"), ({"api_error": 400}, "api_error 400")],
)
def test_a_model_that_does_not_answer_ends_the_turn(step, reason):
    result = played([step, {"say": "never said"}])
    assert (result.ok, result.reason) == (False, reason)
    assert verdict(1, result, "", mode=AgentMode.ONE_SHOT, resumed=False).failed
    assert (result.resume_at is not None) == (reason == "limited")
