"""The work of a spec's quests: the same agent does its phases, its tasks and what is reported beside them."""

from __future__ import annotations

import pytest

from tests.kit import in_process
from tests.kit.in_process import world
from tests.kit.spec_daemons import Daemons

NAMED = {"OVERMIND_CLAUDE_BIN": "/bin/sh"}


@pytest.mark.parametrize("given", [{"env": world() | NAMED}, {"env": world(), "env_set": NAMED}])
def test_what_is_reported_is_done_by_the_program_that_the_environment_of_the_spec_names(tmp_path, given):
    daemons = Daemons(tmp_path)

    async def scenario():
        async with daemons.one():
            slug = await daemons.new(provider="claude", command="", **given)
            specs = daemons.inside.app.engine.specs
            spec = specs.registry.all[specs.id_of(slug)]
            reported = specs.parts.maker.work(spec)
            await daemons.inside.ask("spec_run", id=slug)
            (explore,) = [row["id"] for row in await daemons.inside.ask("quests")]
            own = daemons.inside.app.quest_registry.work(explore)
            return [None if one is None or one.agent is None else one.agent.program for one in (reported, own)]

    try:
        assert in_process.run(scenario()) == ["/bin/sh", "/bin/sh"]
    finally:
        daemons.keeper.close()
