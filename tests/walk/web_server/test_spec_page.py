"""A spec, its documents, and comments on them, as a tab gets them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kit.overmind import Overmind
from tests.kit.specs import SpecWorld
from tests.kit.web_site import Site
from tests.kit.web_tab import Message, Tab


@pytest.fixture
def world(om: Overmind) -> SpecWorld:
    return SpecWorld(om)


@pytest.fixture
def tab(world: SpecWorld, site: Site) -> Iterator[Tab]:
    """A tab of somebody who is logged in."""
    del world  # whose daemon has started
    with site.tab() as opened:
        yield opened


def until(tab: Tab, pane: int, look) -> Message:
    """The newest content of a pane once it is so."""

    def there() -> Message | None:
        frames = tab.panes[pane]
        found = frames[-1].get("content") if frames else None
        return found if found is not None and look(found) else None

    return tab.until(there, what="the content")


@pytest.mark.parametrize("view", ["spec", "document"])
def test_what_names_no_spec_is_refused_and_the_tab_lives_on(tab, cases, view):
    for args in ({}, {"id": None}, {"id": ["a"]}, {"id": "nobody"}, {"id": "\x00"}):
        with cases(str(args)):
            tab.open(1, view, **args)
            tab.until(lambda: tab.panes[1], what="a refusal")
            assert tab.panes[1][-1]["t"] == "failed"
            assert tab.press("specs")["ok"] == []


def test_a_document_outside_its_folder_is_refused(tab, world):
    world.new()
    for phase in ("../../../etc/passwd", "\x00", "/etc/passwd", 7):
        tab.open(1, "document", id="carts", phase=phase)
        tab.until(lambda: tab.panes[1], what="an answer")
        frame = tab.panes[1][-1]
        assert frame["t"] == "failed" or frame["content"]["phase"] == "brief"


def test_a_gate_is_shown_and_comments_have_its_phase_done_again(tab, world):
    world.new("Carts", "--gates", "requirements")
    tab.open(1, "spec", id="carts")
    assert until(tab, 1, lambda found: found["state"] == "draft")["cards"] == []
    assert "error" not in tab.press("spec_run", id="carts")
    shown = until(tab, 1, lambda found: found["cards"])
    (card,) = shown["cards"]
    assert card["phase"] == "requirements"
    tab.open(2, "document", id="carts", phase="requirements")
    document = until(tab, 2, lambda found: found["gate"])
    assert document["gate"] == card["question"]
    number = document["lines"][0][0]
    comment = f"{document['file']}:{number}\n> {document['lines'][0][1][0][0]}\nshorter"
    assert "error" not in tab.press("answer", question=document["gate"], behaviour="deny", message=comment)
    again = until(tab, 1, lambda found: found["cards"] and found["cards"][0]["question"] != card["question"])
    assert again["cards"][0]["phase"] == "requirements"
    assert world.attempts().count("requirements 1") == 2
