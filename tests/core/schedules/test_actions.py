"""A ritual's work is stored in two parts: environments, which may hold secrets, apart from all else."""

from __future__ import annotations

import json

from overmind_core.quests.requests import QuestRun
from overmind_core.schedules.actions import parted


def test_environments_are_kept_apart_from_all_other_fields():
    work = QuestRun(command="make", cwd="/", env={"PATH": "/bin"}, env_set={"KEY": "secret"})
    fields, environments = parted(work)
    assert json.loads(environments) == {"env": {"PATH": "/bin"}, "env_set": {"KEY": "secret"}}
    assert "secret" not in json.dumps(fields)
    assert fields["command"] == "make"
