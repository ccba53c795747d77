"""The changes of a mission, and the preview of their landing, as a tab gets them."""

from __future__ import annotations

import os

import pytest

from tests.kit.overmind import Overmind
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually
from tests.kit.web_tab import Message, Tab
from tests.web_server.test_changes_page import text

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"


@pytest.fixture
def shop(om: Overmind, tmp_path) -> Repository:
    """A repository in which missions work."""
    om.environment |= AUTHOR
    made = Repository(str(tmp_path / "shop"))
    made.commit("first", {"app.py": "one\ntwo\nthree\n"})
    return made


def isolated(om: Overmind, shop: Repository, work: str) -> tuple[str, str]:
    """A mission with a worktree in which this is done; its id, and the folder."""
    done = f"{shop.folder}.done"
    words = ["sh", "-c", f"{work}; touch {done}; exec sleep 300"]
    mission = om.mission(words, "--isolate", "--cwd", shop.folder)
    eventually(lambda: os.path.exists(done), what="its work")
    return mission, shop.path(".overmind", "worktrees", mission)


def newest(tab: Tab, pane: int = 1) -> Message:
    """The newest content of a pane, once there is one."""

    def there() -> Message | None:
        frames = tab.panes[pane]
        return frames[-1] if frames else None

    return tab.until(there, what="a frame")


def content(tab: Tab, pane: int = 1) -> Message:
    found = newest(tab, pane)
    assert found["t"] == "content", found
    shown: Message = found["content"]
    return shown


@pytest.mark.parametrize("view", ["changes", "landing"])
def test_what_names_no_mission_is_refused_and_the_tab_lives_on(tab, cases, view):
    for args in ({}, {"id": None}, {"id": ["a"]}, {"id": ""}, {"id": "nobody"}, {"id": "\x00"}):
        with cases(str(args)):
            tab.open(1, view, **args)
            assert newest(tab)["t"] == "failed"
            assert tab.press("ps")["ok"] == []


def test_changes_come_with_commits_and_what_can_be_done(om, tab, shop):
    mission, _ = isolated(om, shop, f"sed -i s/two/zwei/ app.py; git commit -qam '{HOSTILE}'; echo more > new")
    tab.open(1, "changes", id=mission)
    shown = content(tab)
    assert shown["base"] == "main"
    assert [subject for _, subject in shown["commits"]] == ["<img src=x onerror=alert(1)>\\x1b[2J\\u202e"]
    assert {one["path"]: one["word"] for one in shown["files"]}.items() >= {"app.py": "changed", "new": "new"}.items()
    assert shown["about"] | {"name": "", "folder": ""} == {
        "id": mission, "name": "", "there": True, "live": True, "takes": False, "resolves": False, "worktree": True,
        "folder": "",
    }  # fmt: skip


def test_a_hostile_file_name_is_text(om, tab, shop):
    mission, folder = isolated(om, shop, "true")
    name = "<script>\x1b]0;x\x07\u202e.py"
    with open(os.path.join(folder, name), "w") as file:
        file.write("x\n")
    tab.open(1, "changes", id=mission)
    assert "<script>\\x1b]0;x\\x07\\u202e.py" in [one["path"] for one in content(tab)["files"]]


def test_what_is_written_meanwhile_is_there_once_the_page_has_it_looked_again(om, tab, shop):
    mission, folder = isolated(om, shop, "true")
    tab.open(1, "changes", id=mission)
    assert content(tab)["files"] == []
    with open(os.path.join(folder, "app.py"), "w") as file:
        file.write("one\n")
    tab.send(t="say", p=1, say={})
    tab.until(lambda: [one["path"] for one in content(tab)["files"]] == ["app.py"], what="the change")


def test_a_landing_is_previewed_committed_and_done_in_steps(om, tab, shop):
    mission, _ = isolated(om, shop, "sed -i s/two/zwei/ app.py")
    tab.open(1, "landing", id=mission, how="squash")
    shown = content(tab)
    assert (shown["stage"], shown["base"]) == ("dirty", "main")
    assert tab.press("commit", id=mission, message="german")["ok"]["subject"] == "german"
    tab.open(2, "landing", id=mission, how="squash")
    shown = content(tab, 2)
    assert shown["stage"] == "ready"
    assert "1 commit" in text(shown)
    assert shop.read("app.py") == "one\ntwo\nthree\n"  # a preview changes nothing
    done = tab.press("merge", id=mission, squash=True, verify="grep zwei app.py")
    assert "error" not in done, done
    steps = [one["item"].get("step") for one in tab.said["item"]]
    told = [one for one in steps if one not in {None, "waiting"}]  # its turn: something may look at the place meanwhile
    assert told == ["merging", "verifying", "landing"]
    assert tab.said["item"][-1]["item"]["target"] == "main"
    assert shop.read("app.py") == "one\nzwei\nthree\n"


def test_conflicts_are_shown(om, tab, shop):
    mission, _ = isolated(om, shop, "sed -i s/two/zwei/ app.py; git commit -qam german")
    shop.commit("french", {"app.py": "one\ndeux\nthree\n"})
    tab.open(1, "landing", id=mission)
    shown = content(tab)
    assert shown["stage"] == "conflicts"
    assert "app.py" in text(shown)
