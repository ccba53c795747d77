"""A filter that a person types: one that never ends is refused, and no other page waits for it."""

from __future__ import annotations

import re

from tests.engines.web.conftest import DESK
from tests.engines.web.test_missions import row


def test_a_filter_that_never_ends_is_refused_and_other_pages_go_on(pages, site):
    for number in range(3):
        site.om.mission(["sh", "-c", "sleep 1000", f"{'a' * 60}{number}!"], "--name", f"worker-{number}")
    page, other = pages.open("missions", **DESK), pages.open("missions", **DESK)
    row(page, "worker-2").wait_for()
    field = page.get_by_role("searchbox", name="Filter")
    for expression in ("command:(a+)+$", "command:(a|aa)+$", "command:(.*a){30}$"):
        field.fill(expression)
        site.om.ok("freeze", "worker-1")
        row(other, "worker-1").filter(has_text="frozen").wait_for()
        page.get_by_role("alert").filter(has_text=re.compile(re.escape(expression))).first.wait_for()
        assert row(page, "worker-2").count() == 1  # the rows stay as they were
        site.om.ok("thaw", "worker-1")
        row(other, "worker-1").filter(has_text="working").wait_for()
        field.fill("worker")
        page.get_by_role("alert").filter(has_text=re.compile(re.escape(expression))).wait_for(state="hidden")
    row(page, "worker-0").wait_for()
