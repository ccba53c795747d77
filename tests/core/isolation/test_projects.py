"""Which file says how missions in a folder are isolated: in a repository the one at its top alone."""

from __future__ import annotations

import pytest

from overmind_core.domain.isolation.project import FILE
from overmind_core.isolation.explain import NO_FILE
from overmind_core.kernel.config import Settings
from overmind_core.system.paths import Home
from tests.kit.in_process import played
from tests.kit.repositories import Repository

CASES = {
    # where a file is, whether there is a repository, the folder, whether missions there are isolated
    "at the top": ("", True, "pkg/deep", True),
    "below the top": ("pkg", True, "pkg", False),
    "below the top, and further below": ("pkg", True, "pkg/deep", False),
    "above, without a repository": ("pkg", False, "pkg/deep", True),
    "beside, without a repository": ("pkg/deep", False, "pkg", False),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mission_is_isolated_where_the_file_is_read_and_another_one_is_named(tmp_path, name):
    where, is_repository, folder, isolated = CASES[name]
    shop = Repository(str(tmp_path / "shop"))
    if not is_repository:
        (tmp_path / "shop" / ".git").rename(tmp_path / "git")
    shop.write({f"{where}/{FILE}".lstrip("/"): "isolation: { setup: [make] }\n", "pkg/deep/a": "1\n"})
    path = shop.path(*where.split("/"), FILE)
    cwd = shop.path(folder)

    async def play(inside, _keeper):
        found = await inside.ask("isolate", cwd=cwd, env=shop.environ)
        assert await inside.app.isolation.has_file(cwd) is isolated
        assert found["path"] == (path if isolated else None)
        assert (NO_FILE in found["notes"]) is not isolated
        unread = f"{path} is not read: only {FILE} at the top of the repository is."
        assert (unread in found["notes"]) is (is_repository and not isolated)

    played(Home(str(tmp_path / "home")), play, Settings())
