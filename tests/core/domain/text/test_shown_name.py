"""A quest is shown by its title where its name could not be made of it."""

from __future__ import annotations

from overmind_core.domain.text.cells import shown_name
from tests.kit.cases import tabled


@tabled(
    ("name", "title", "shown"),
    [
        ("quest-5dabb79e", "修复登录问题", "修复登录问题"),
        ("quest-5dabb79e", "إصلاح تسجيل الدخول", "إصلاح تسجيل الدخول"),
        ("quest-5dabb79e", "🚀", "🚀"),
        ("login", "修复 login 问题", "修复 login 问题"),
        ("sm-rrebr-d", "Smørrebrød", "Smørrebrød"),
        ("unicode-title", "Ünïcode Tïtle", "unicode-title"),
        ("deploy", "🚀 Deploy", "deploy"),
        ("write-the-cart", "Write the cart", "write-the-cart"),
        ("mine", "修复登录问题", "mine"),
        ("carts/TSK-001", "修复 login", "carts/TSK-001"),
        ("make-test", None, "make-test"),
    ],
)
def test_the_title_stands_for_a_name_that_has_lost_letters_and_for_no_other(name, title, shown):
    assert shown_name(name, title) == shown
