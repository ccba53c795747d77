"""Requests in the name of a client, such as `web:phone`: who may send it, and where it is found again."""

from __future__ import annotations

import json

import pytest

from tests.contract.test_goldens import GOLDENS
from tests.kit import claude
from tests.kit.raw_socket import RawSocket
from tests.process.contract.test_in_whose_name import PHONE
from tests.walk.contract.golden_script import Script

pytestmark = pytest.mark.shared_home


@pytest.fixture
def om(om, tmp_path):
    """The command line in a world where `claude` is the stand-in."""
    return claude.at_hand(om, tmp_path)


@pytest.mark.long
@pytest.mark.own_home
def test_whatever_is_asked_in_the_name_of_a_client_is_told_in_its_name(om, tmp_path, monkeypatch):
    script = Script(om, str(tmp_path))
    monkeypatch.setattr(RawSocket, "by", PHONE)
    script.play()
    with open(f"{GOLDENS}/events.json", encoding="utf-8") as file:
        golden = json.load(file)
    of_people = {kind for kind, found in golden.items() if any(event.get("by") == "person" for event in found)}
    told: dict[str, set[str]] = {}
    for event in script.events:
        told.setdefault(event["type"], set()).add(event.get("by", ""))
    assert {kind for kind, found in told.items() if PHONE in found} == {*of_people, "answered"}
    assert [kind for kind, found in told.items() if "person" in found] == []
