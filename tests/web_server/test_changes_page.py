"""The changes of a mission, and the preview of their landing, as a tab gets them."""

from __future__ import annotations

import os

import pytest

from overmind_core.view.diff import DiffFiles, File
from overmind_web.pages import changes
from tests.kit.cases import tabled
from tests.kit.overmind import Overmind
from tests.kit.repositories import AUTHOR, Repository
from tests.kit.waiting import eventually
from tests.kit.web_tab import Message, Tab

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"
DIFF = """\
diff --git a/app.py b/app.py
--- a/app.py
+++ b/app.py
@@ -1,3 +1,3 @@ def main():
 one
-two
+\tzwei\x1b[2J
 three
diff --git a/new.png b/new.png
new file mode 100644
Binary files /dev/null and b/new.png differ
"""


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


def text(shown: Message) -> str:
    return "\n".join("".join(text for text, _ in line) for line in shown["lines"])


def test_a_diff_is_lines_with_signs_and_numbers_and_control_characters_are_spelled_out():
    files = (File("M", "app.py", 1, 1), File("A", "new.png"))
    found = changes.content(DiffFiles("topic", (), files, DIFF, base="main"))
    app, image = found["files"]
    assert app["lines"] == [
        ("@", "@@ -1,3 +1,3 @@ def main():", None, None),
        (" ", "one", None, 1), ("-", "two", 2, None), ("+", "    zwei\\x1b[2J", None, 2), (" ", "three", None, 3),
    ]  # fmt: skip
    assert image["lines"] == [("@", "Binary files /dev/null and b/new.png differ", None, None)]


def test_a_file_that_nobody_listed_is_shown_by_its_diff():
    (only,) = changes.content(DiffFiles("topic", (), (), DIFF.partition("diff --git a/new")[0]))["files"]
    assert (only["path"], len(only["lines"])) == ("app.py", 5)


def test_a_diff_of_too_many_lines_is_cut_and_says_so():
    body = "".join(f"+line {number}\n" for number in range(30_000))
    long = f"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -0,0 +1,30000 @@\n{body}"
    found = changes.content(DiffFiles("topic", (), (File("M", "a"),), long))
    assert (len(found["files"][0]["lines"]), found["cut"]) == (20_000, "more than 20,000 lines")


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
        "id": mission, "name": "", "there": True, "live": True, "takes": False, "worktree": True, "folder": "",
    }  # fmt: skip


def test_a_hostile_file_name_is_text(om, tab, shop):
    mission, folder = isolated(om, shop, "true")
    name = "<script>\x1b]0;x\x07\u202e.py"
    with open(os.path.join(folder, name), "w") as file:
        file.write("x\n")
    tab.open(1, "changes", id=mission)
    assert "<script>\\x1b]0;x\\x07\\u202e.py" in [one["path"] for one in content(tab)["files"]]


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
    assert [one for one in steps if one] == ["merging", "verifying", "landing"]
    assert tab.said["item"][-1]["item"]["target"] == "main"
    assert shop.read("app.py") == "one\nzwei\nthree\n"


def test_conflicts_are_shown_with_what_the_agent_is_asked_to_do(om, tab, shop):
    mission, _ = isolated(om, shop, "sed -i s/two/zwei/ app.py; git commit -qam german")
    shop.commit("french", {"app.py": "one\ndeux\nthree\n"})
    tab.open(1, "landing", id=mission)
    shown = content(tab)
    assert shown["stage"] == "conflicts"
    assert "app.py" in text(shown)
    assert "Merge main into your branch" in shown["resolve"]


@tabled("how", [None, 7, "", "octopus", "\x00", ["merge"]])
def test_a_way_that_there_is_not_counts_as_not_said(how):
    assert changes.begun({}, {"how": how, "into": {"no": "text"}}).wanted.request("x", preview=True) == {
        "id": "x", "into": None, "squash": False, "rebase": False, "verify": None, "message": None, "preview": True,
    }  # fmt: skip
