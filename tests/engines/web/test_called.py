"""How a phone in a pocket is called: not by its page, which nobody sees, and the address of the call opens the card."""

from __future__ import annotations

import json

import pytest

from tests.engines.web.conftest import PHONE
from tests.engines.web.test_absence import HIDDEN
from tests.engines.web.test_needs import asks, card
from tests.kit.waiting import eventually


@pytest.fixture
def calls(om, tmp_path):
    """The file to which the command of a person's settings writes the address of each call."""
    file = tmp_path / "calls"
    script = f'printf "%s\\n" "$OVERMIND_URL" >> {file}'
    with open(om.path("config.toml"), "w", encoding="utf-8") as config:
        config.write(f"[notify]\ncommand = {json.dumps(['/bin/sh', '-c', script, 'sh'])}\n")
    return file


def called(calls) -> list[str]:
    return calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []


def test_a_phone_in_a_pocket_is_called_elsewhere_and_the_address_opens_the_card(calls, om, agents, pages):
    phone = pages.open("missions", **PHONE)
    phone.locator("main").tap(position={"x": 5, "y": 5})  # it was used last of all
    asks(agents, "!bash touch seen", "first")
    phone.locator(".toast").filter(has_text="first").wait_for()
    assert called(calls) == []
    phone.evaluate(HIDDEN, True)
    asks(agents, "!bash touch pocket", "second")
    address = eventually(lambda: called(calls), timeout=30, what="the command is called")[-1]
    assert address.startswith(pages.site.url)
    phone.evaluate(HIDDEN, False)
    other = phone.context.new_page()
    other.goto(address)
    card(other, "second").and_(other.locator(".cursor, .chosen, [aria-current], :focus-within")).first.wait_for()
    assert "touch pocket" in card(other, "second").inner_text()
