"""The doctor's page in a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.engines.web.conftest import PHONE, Watched

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_the_doctor_says_what_is_well_and_looks_again(pages: Watched, judged: Callable[[Page], list[str]]) -> None:
    page = pages.open("doctor")
    again = page.get_by_role("button", name="Check again")
    page.get_by_text("python", exact=True).wait_for()
    assert not judged(page)
    again.click()
    page.get_by_text("python", exact=True).wait_for()


def test_it_fits_a_phone(pages: Watched) -> None:
    page = pages.open("doctor", **PHONE)
    page.get_by_text("python", exact=True).wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
