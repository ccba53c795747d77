"""The log of a mission in a real browser: newest lines, any page of a long one, a search, what was seen."""

from __future__ import annotations

from tests.engines.web.conftest import DESK, PHONE

VISIBLE = """() => {
    const scroller = document.querySelector(".log-scroll");
    const { top, bottom } = scroller.getBoundingClientRect();
    const lines = [...scroller.querySelectorAll(".log-line")];
    return lines.filter((line) => {
        const box = line.getBoundingClientRect();
        return box.height && box.bottom > top && box.top < bottom;
    }).map((line) => line.textContent);
}"""
SETTLED = """async () => {  // a page that has come asks for its neighbours in the next frame
    const { left, top, bottom } = document.querySelector(".log-scroll").getBoundingClientRect();
    const sorted = (pages) => String([...new Set(pages)].sort((a, b) => a - b));
    const read = () => {
        const full = [top + 5, bottom - 25].every((y) => document.elementFromPoint(left + 40, y)?.closest(".log-line"));
        const there = [...document.querySelectorAll(".log-page")].map((one) => Number(one.dataset.page));
        return { settled: Boolean(full && asked.length && sorted(asked) === String(there)), there, asked: [...asked] };
    };
    const before = read();
    for (let frame = 0; frame < 2; frame++) await new Promise((done) => requestAnimationFrame(done));
    const after = read();
    return { ...after, settled: after.settled && String(after.there) === String(before.there) };
}"""
SPIED = """() => {
    const { send } = WebSocket.prototype;
    globalThis.asked = [];
    WebSocket.prototype.send = function (data) {
        const message = JSON.parse(data);
        if (message.t === "page") asked.push(message.at);
        return send.call(this, data);
    };
}"""
SCROLL = """(share) => new Promise((done) => {  // a person's scroll and the look at it are of one frame
    const one = document.querySelector(".log-scroll");
    requestAnimationFrame(() => {
        one.scrollTop = share * one.scrollHeight;
        requestAnimationFrame(() => requestAnimationFrame(done));
    });
})"""


def visible(page):
    """The texts of the lines in view."""
    return page.evaluate(VISIBLE) if page.locator(".log-scroll").count() else []


def until(page, holds):
    """Wait until what is in view is as wanted; return it."""
    for _ in range(300):
        found = visible(page)
        if found and holds(found):
            return found
        page.wait_for_timeout(50)
    raise AssertionError(f"in view: {visible(page)[:5]} … {page.locator('.log-status').inner_text()}")


def finished(om, command):
    """A mission that has written what it writes."""
    mission = om.mission(command)
    om.wait_status(mission, "stopped", "crashed")
    return mission


def test_a_long_log_begins_at_its_end_and_any_place_is_one_scroll_away(om, pages):
    mission = finished(om, "seq 1 300000")
    page = pages.open(f"m/{mission}/log", **DESK)
    until(page, lambda lines: lines[-1] == "300000")
    page.evaluate(SCROLL, 0.5)
    middle = until(page, lambda lines: 30_000 < int(lines[0]) < 270_000)
    assert [int(line) for line in middle] == list(range(int(middle[0]), int(middle[-1]) + 1))
    page.evaluate(SCROLL, 0)
    until(page, lambda lines: lines[0] == "1")
    page.get_by_role("button", name="To the end").click()
    until(page, lambda lines: lines[-1] == "300000")


def test_the_pages_around_a_place_are_asked_for_once(om, pages):
    mission = finished(om, "seq -f %074.0f 1 100000")  # whose pages have 400 lines and 31, in turn
    page = pages.open(f"log/{mission}", **DESK)
    until(page, lambda lines: lines[-1].endswith("0100000"))
    page.evaluate(SPIED)
    most = 0
    for share in [number / 16 for number in range(1, 15)]:
        page.evaluate("() => asked.splice(0)")
        page.evaluate(SCROLL, share)
        tries = 0
        while not (now := page.evaluate(SETTLED))["settled"] and tries < 300:
            tries += 1
            page.wait_for_timeout(20)
        there, asked = now["there"], now["asked"]
        assert sorted(asked) == there == list(range(there[0], there[-1] + 1))
        most = max(most, len(there))
    assert most > 2


def test_reading_on_upwards_passes_every_line_once(om, pages):
    mission = finished(om, "seq 1 3000")
    page = pages.open(f"m/{mission}/log", **DESK)
    last = until(page, lambda lines: lines[-1] == "3000")
    page.locator(".log-scroll").hover()
    while last[0] != "1":
        page.mouse.wheel(0, -400)
        lines = until(page, lambda lines, before=last[0]: int(lines[0]) < int(before))
        assert [int(line) for line in lines] == list(range(int(lines[0]), int(lines[-1]) + 1))
        last = lines


def test_a_search_shows_matches_and_leads_to_their_place(om, pages):
    mission = finished(om, "seq 1 20000")
    page = pages.open(f"m/{mission}/log", **DESK)
    until(page, lambda lines: lines[-1] == "20000")
    page.get_by_label("Search in the log").fill("^4321$")
    found = page.locator(".log-found .log-line")
    found.wait_for()
    assert found.all_inner_texts() == ["4321"]
    assert found.locator("mark").inner_text() == "4321"
    found.click()
    page.locator(".log-here").wait_for()
    assert "4321" in until(page, lambda lines: "4320" in lines and "4322" in lines)


def test_hostile_lines_are_text_and_colours_are_kept(om, pages):
    mission = finished(
        om, r"printf '<img src=x onerror=alert(1)></script>\n\033[31mred\033[0m \033[38;2;255;0;0mtrue\033[0m\n'"
    )
    page = pages.open(f"m/{mission}/log", **PHONE)
    assert until(page, lambda lines: len(lines) > 1)[:2] == ["<img src=x onerror=alert(1)></script>", "red true"]
    assert page.locator(".log-line .sgr-fg-1").inner_text() == "red"
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_a_log_in_view_for_a_second_is_seen(om, pages):
    mission = finished(om, "echo hello")
    page = pages.open(f"m/{mission}/log", **DESK)
    until(page, lambda lines: "hello" in lines)
    for _ in range(200):
        if om.api("logs", ids=[mission])["missions"][0].get("seen_at"):
            return
        page.wait_for_timeout(50)
    raise AssertionError("nobody has seen it")


def test_what_comes_is_followed(om, pages):
    go = om.path("go")
    mission = om.mission(f"while [ ! -e {go} ]; do sleep 0.05; done; seq 1 50; sleep 100")
    page = pages.open(f"m/{mission}/log", **DESK)
    page.locator(".log-reason", has_text="no output yet").wait_for()  # its row in the list says so, too
    with open(go, "w", encoding="utf-8"):
        pass
    until(page, lambda lines: lines[-1] == "50")


def test_what_comes_is_followed_where_the_log_gets_less_room(om, pages):
    """A line that comes above it takes some: nobody has scrolled, though the end is out of sight for a moment."""
    go = om.path("go")
    mission = om.mission(f"seq 1 200; while [ ! -e {go} ]; do sleep 0.05; done; seq 201 250; sleep 100")
    page = pages.open(f"m/{mission}/log", **DESK)
    until(page, lambda lines: lines[-1] == "200")
    page.evaluate(
        """() => new Promise((then) => {
            const one = document.querySelector(".log-scroll");
            one.style.maxHeight = `${one.clientHeight - 200}px`;
            one.dispatchEvent(new Event("scroll"));  // what it is told by, before it hears of its size
            requestAnimationFrame(() => requestAnimationFrame(then));
        })"""
    )
    with open(go, "w", encoding="utf-8"):
        pass
    until(page, lambda lines: lines[-1] == "250")
