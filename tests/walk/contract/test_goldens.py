"""What people and programs see, frozen: every --help, an answer of every command of the API, every type of event.

The goldens are the files of `goldens/`: help.txt, api_*.json (a section of `golden_script.py` each), events.json. They
hold for every way in which the sources are arranged, so a difference is either a mistake or a change that somebody
meant. After one that was meant, write them anew and look at the difference before you commit it:

    pytest tests/contract tests/walk/contract --update-goldens
    git diff tests/contract/goldens

Ids, times, paths, ports, sizes and durations are placeholders there (`tests/kit/recorded.py`). A command that is new in
the table of commands, or an event that is new in the sources, fails here until the script makes it happen.
"""

from __future__ import annotations

import json

import pytest

from overmind_core.daemon.routes import TABLE
from tests.contract.golden_refusals import WITH_A_CORTEX, WITH_A_SWARM
from tests.contract.test_goldens import GOLDENS
from tests.kit.answers import answer_problems
from tests.kit.events import TYPES, is_of_its_type
from tests.kit.golden_files import GoldenFiles
from tests.kit.recorded import pretty
from tests.walk.contract.golden_script import Script

COMMANDS_OF_THE_API = frozenset(TABLE)

UNSEEN = {
    "agent_posted": "needs a swarm: tests/engines/postgres/swarm/test_plan_homes.py",
    "conversation_lost": "an agent's own files would have to be deleted: tests/process/agents/test_runs.py",
    "cortex": "needs a Cortex, so a PostgreSQL: tests/engines/postgres/test_sync.py",
    "git_wrote": "needs a git that refuses with several lines: tests/process/contract/test_isolation_places.py",
    "health": "a mission would have to be silent for three beats of half a minute: tests/core/watching",
    "keeper_lost": "the keeper would have to be killed, and all else too: tests/process/faults/test_keeper_killed.py",
    "left": "a process would have to outlive its mission: tests/process/contract/test_ending.py",
    "log_removed": "all logs together would have to fill a part of the disk, at a check that comes by the clock",
    "generation_begun": "needs a swarm: tests/engines/postgres/swarm/test_lineage_homes.py",
    "answer_found": "needs an agent of config.toml: tests/process/agents/test_own_agents.py",
    "notes_given": "needs notes that fit an agent's prompt: tests/core/agents/test_briefing.py",
    "overlap": "two agents would have to change one file beside each other: tests/process/contract/test_health.py",
    "plan_note": "a project's file would have to be ignored by a plan: tests/process/contract/test_isolated_plans.py",
    "service_ended": "needs a container, so an engine of Docker: tests/engines/docker/test_isolation.py",
    "service_wrote": "needs a container, so an engine of Docker: tests/engines/docker/test_readiness.py",
    "session": "a person would have to type /clear into an agent's program: tests/process/agents/test_interactive.py",
    "steer": "an agent would have to lose its way for as long as a daemon looks: tests/core/watching",
    "survivors": "a process would have to survive SIGKILL: tests/core/domain",
}
"""Type → why the script can't make it happen."""


@pytest.fixture
def goldens(request):
    return GoldenFiles(GOLDENS, update=request.config.getoption("--update-goldens"))


@pytest.mark.long
def test_answers_and_events_are_as_they_were(om, tmp_path, goldens, cases):
    script = Script(om, str(tmp_path))
    script.play()
    for section, text in script.api.written().items():
        with cases(section):
            goldens.check(f"api_{section}.json", text)
    with cases("every answer is of the type that its handler declares"):
        assert [problem for line in script.api.lines() for problem in answer_problems(line)] == []
    events: dict[str, set[str]] = {}
    for event in map(script.api.plain, script.events):
        events.setdefault(event["type"], set()).add(pretty(event))
    with cases("events"):
        goldens.check("events.json", pretty({kind: _sorted(found) for kind, found in sorted(events.items())}))
    with cases("every command has succeeded once"):
        assert script.api.succeeded == COMMANDS_OF_THE_API - WITH_A_CORTEX - WITH_A_SWARM
    with cases("every command was refused once"):
        assert script.api.refused_once - {"nosuch"} == COMMANDS_OF_THE_API
    with cases("every event is one that its class writes"):
        assert [event for event in script.events if not is_of_its_type(event)] == []
    with cases("every type of event was seen"):
        assert set(events) | set(UNSEEN) == set(TYPES)
        assert not set(events) & set(UNSEEN)
    with cases("no file is left over"):
        assert goldens.names() == {"help.txt", "events.json", *(f"api_{one}.json" for one in script.api.written())}


def _sorted(events):
    return [json.loads(one) for one in sorted(events)]
