"""The terminal of a mission in a real browser: what the program draws, what is typed, what a phone has for it."""

from __future__ import annotations

import os
import re
import shutil
import signal

import pytest

from overmind_core.logs.snapshot import screen_at
from overmind_core.terminal.cells import Underline
from tests.engines.web.conftest import DESK, PHONE
from tests.kit import claude
from tests.kit.engines import leave_out
from tests.kit.killing import kill_supervisor

SCREEN = """() => {
    const { terminal } = document.querySelector(".terminal-host");
    const buffer = terminal.buffer.active;
    const rows = [];
    for (let y = 0; y < terminal.rows; y += 1) {
        rows.push(buffer.getLine(buffer.baseY + y)?.translateToString(true) ?? "");
    }
    return rows.join("\\n");
}"""
CELLS = """() => {
    const { terminal } = document.querySelector(".terminal-host");
    const buffer = terminal.buffer.active;
    const kind = (cell, name) => (cell[`is${name}RGB`]() ? "rgb" : "table");
    const colour = (cell, name) =>
        cell[`is${name}Default`]() ? null : [kind(cell, name), cell[`get${name}Color`]()];
    const rows = [];
    for (let y = 0; y < terminal.rows; y += 1) {
        const line = buffer.getLine(buffer.baseY + y);
        const row = [];
        for (let x = 0; x < terminal.cols; x += 1) {
            const cell = line.getCell(x);
            const text = cell.getWidth() === 0 ? "" : cell.getChars() || " ";
            const looks = ["Bold", "Dim", "Italic", "Underline", "Inverse", "Strikethrough"];
            row.push([text, colour(cell, "Fg"), colour(cell, "Bg"), looks.map((look) => Boolean(cell[`is${look}`]()))]);
        }
        rows.push(row);
    }
    return rows;
}"""


def shown(page):
    """The text on the page's terminal; "" before there is one."""
    return page.evaluate(SCREEN) if page.locator(".terminal-host .xterm").count() else ""


def words(page):
    """The state that stands above it."""
    return page.locator(".terminal-words").inner_text()


def until(page, what, text=shown):
    """Wait until the terminal shows this."""
    for _ in range(400):
        if what in text(page):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{what!r} is not shown:\n{text(page)}\n{words(page)}")


def open_terminal(pages, mission, **how):
    """A page with the mission's terminal."""
    return pages.open(f"m/{mission}/terminal", **(how or DESK))


def begin_to_type(page):
    """Press Type, and wait for the terminal."""
    page.get_by_role("button", name="Type", exact=True).click()
    until(page, "typing", words)


def session(om, command, *options):
    """A mission whose terminal a person can type into."""
    return om.mission(command, "--type", "session", *options)


def colour(value):
    """A colour of our emulator, as xterm.js has it."""
    if value is None:
        return None
    return ["table", value] if isinstance(value, int) else ["rgb", int.from_bytes(bytes(value))]


def emulated(om, mission):
    """The cells of the mission's terminal, as our own emulator has them."""
    facts = om.json("info", mission, "--json")
    columns, rows = facts.get("columns", 80), facts.get("rows", 24)
    screen = screen_at(f"{om.home}/logs/{mission}/000001", columns=columns, rows=rows)
    return [
        [
            [
                text, colour(style.foreground), colour(style.background),
                [style.bold, style.dim, style.italic, style.underline is not Underline.NONE, style.reverse,
                 style.strike],
            ]
            for text, style in zip(row.cells, row.styles, strict=True)
        ]
        for row in screen._state.rows
    ]  # fmt: skip


def assert_same_cells(page, om, mission):
    """The page's terminal has the cells that our emulator has, once both have all of it."""
    theirs: list[list[object]] = []
    ours: list[list[object]] = []
    for _ in range(20):
        theirs, ours = page.evaluate(CELLS), emulated(om, mission)
        if theirs == ours:
            return
        page.wait_for_timeout(100)
    assert [len(theirs), len(theirs[0])] == [len(ours), len(ours[0])]
    differing = [(y, x, a, b) for y, rows in enumerate(zip(theirs, ours, strict=True))
                 for x, (a, b) in enumerate(zip(*rows, strict=True)) if a != b]  # fmt: skip
    assert not differing, f"page, emulator: {differing[:10]}"


def test_a_shell_is_looked_at_then_typed_into(om, pages):
    mission = session(om, "printf 'ready %s\\n' $((40 + 2)); exec sh")
    page = open_terminal(pages, mission)
    until(page, "ready 42")
    until(page, "looking", words)
    begin_to_type(page)
    page.keyboard.type("echo so-$((1 + 1))\n")
    until(page, "so-2")
    page.keyboard.press("Control+Backslash")
    until(page, "looking", words)


LOOKS = (
    r"printf '\033[1mbold\033[0m \033[2mdim\033[0m \033[3mitalic\033[0m \033[4mline\033[0m \033[7mback\033[0m "
    r"\033[9mstruck\033[0m\n\033[31mred \033[94mblue \033[48;5;208;38;5;16mtable\033[0m "
    r"\033[38;2;1;128;255;48;2;40;40;0mtrue\033[0m\n\346\227\245\346\234\254 e\314\201 \360\237\230\200|\n'; exec cat"
)
PROGRAMS = {
    "looks": LOOKS,
    "vim": "vim -u NONE -i NONE -n -c 'set number' {file}",
    "less": "less -S {file}",
}


def test_a_program_that_draws_all_the_time_has_the_same_cells_and_the_size_of_the_page(om, pages):
    if shutil.which("htop") is None:
        leave_out("web", "htop is not installed: apt-get install htop")
    mission = session(om, "exec htop --no-color --delay=100")
    page = open_terminal(pages, mission)
    until(page, "F10")
    begin_to_type(page)
    wide = words(page)
    page.set_viewport_size({"width": 1100, "height": 700})
    until(page, "narrow", lambda one: "narrow" if "typing" in words(one) and words(one) != wide else "")
    page.keyboard.type("h")  # its help, which stands still; a change of size would close it
    until(page, "Press any key")
    assert_same_cells(page, om, mission)
    page.keyboard.press("Escape")
    until(page, "F1Help")
    page.keyboard.type("q")
    om.wait_status(mission, "stopped")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_page_shows_the_cells_that_our_emulator_has(name, om, pages):
    path = om.path("text")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(f"line {number} 日本 of a file\n" for number in range(60)))
    mission = session(om, PROGRAMS[name].format(file=path))
    page = open_terminal(pages, mission)
    until(page, "struck" if name == "looks" else "line 5")
    assert_same_cells(page, om, mission)
    begin_to_type(page)
    if name != "looks":
        page.keyboard.type("G")
        until(page, "line 59")
        assert_same_cells(page, om, mission)
    page.set_viewport_size({"width": 1100, "height": 700})
    page.keyboard.type("jj")
    assert_same_cells(page, om, mission)


def test_a_late_viewer_sees_the_same_screen(om, pages):
    mission = session(om, "vim -u NONE -i NONE -n")
    first = open_terminal(pages, mission)
    begin_to_type(first)
    first.keyboard.type("ihello from the first")
    until(first, "hello from the first")
    second = open_terminal(pages, mission)
    until(second, "hello from the first")
    assert_same_cells(second, om, mission)


def test_the_size_of_who_typed_last_counts(om, pages):
    mission = session(om, "exec sh")
    desk, small = open_terminal(pages, mission), open_terminal(pages, mission, viewport={"width": 700, "height": 500})
    sizes: dict[object, tuple[str, ...]] = {}
    for number, page in enumerate((desk, small, desk, small)):
        begin_to_type(page) if "typing" not in words(page) else page.locator(".xterm-screen").click()
        page.keyboard.type(f"echo turn-$((10 + {number}))-$(stty size)-end\n")
        said = re.compile(rf"turn-{10 + number}-(\d+) (\d+)-end")
        until(page, "said", lambda one, said=said: "said" if said.search(shown(one)) else "")
        ((rows, columns),) = said.findall(shown(page))
        for one in (desk, small):
            until(one, f"{columns}x{rows}", words)
        assert sizes.setdefault(page, (rows, columns)) == (rows, columns)
    assert sizes[desk] != sizes[small]


def test_typing_goes_on_after_the_supervisor_and_the_web_server_were_killed(om, site, pages):
    pages.tolerated = ("WebSocket connection to", "Failed to load resource")
    mission = session(om, "exec sh")
    page = open_terminal(pages, mission)
    begin_to_type(page)
    page.keyboard.type("echo first-$((1 + 1))\n")
    until(page, "first-2")
    kill_supervisor(om)
    page.keyboard.type("echo second-$((1 + 1))\n")
    until(page, "second-2")
    os.kill(site.pid, signal.SIGKILL)
    until(page, "not connected", words)
    site.start_again()
    until(page, "typing", words)
    page.locator(".xterm-screen").click()
    page.keyboard.type("echo third-$((1 + 1))\n")
    until(page, "third-2")
    assert "first-2" in shown(page)


def test_a_flood_ends_and_the_page_lives(om, pages):
    mission = session(
        om,
        "seq 1000000; echo over-$((1+1)); exec sh",
    )
    page = open_terminal(pages, mission)
    until(page, "over-2")
    assert_same_cells(page, om, mission)
    begin_to_type(page)
    page.keyboard.type("echo alive-$((1 + 1))\n")
    until(page, "alive-2")


HOSTILE = (
    r"printf '\033]0;<img src=x onerror=alert(1)>\007\033]8;;javascript:alert(1)\033\\evil\033]8;;\033\\ "
    r"\033]8;;https://example.org/a\033\\good\033]8;;\033\\\n'; exec cat"
)
GEOMETRY = """() => {
    const { terminal } = document.querySelector(".terminal-host");
    const box = document.querySelector(".xterm-screen").getBoundingClientRect();
    return [box.x, box.y, box.width / terminal.cols, box.height / terminal.rows];
}"""


def test_hostile_titles_and_links_do_nothing_by_themselves(om, pages):
    mission = session(om, HOSTILE)
    page = open_terminal(pages, mission)
    until(page, "evil good")
    until(page, "<img src=x", lambda page: page.locator(".terminal-title").inner_text())
    row = next(at for at, line in enumerate(shown(page).split("\n")) if "evil" in line)
    left, top, wide, high = page.evaluate(GEOMETRY)
    for column, opens in ((1, 0), (6, 1)):
        page.mouse.move(left + column * wide, top + (row + 0.5) * high)
        page.wait_for_timeout(200)
        page.mouse.click(left + (column + 0.5) * wide, top + (row + 0.5) * high)
        page.wait_for_timeout(300)
        assert page.locator("dialog[open]").count() == opens
    assert "https://example.org/a" in page.locator("dialog[open]").inner_text()


def test_a_headless_agent_is_asked_first_and_handed_back(om, agents, pages):
    claude.settle(om, om.home)
    mission = agents.session(prompt="hello")
    page = open_terminal(pages, mission)
    page.get_by_role("button", name="Type in its terminal").click()
    dialog = page.locator("dialog[open]")
    assert "ends first" in dialog.inner_text()
    dialog.get_by_role("button", name="Cancel").click()
    assert om.json("info", mission, "--json")["tty"] is False
    page.get_by_role("button", name="Type in its terminal").click()
    page.get_by_role("button", name="Give it a terminal").click()
    until(page, "typing", words)
    assert om.json("info", mission, "--json")["tty"] is True
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_role("button", name="Type in its terminal").wait_for()
    assert om.json("info", mission, "--json")["tty"] is False


def test_a_phones_box_sends_each_text_once_as_a_paste(om, pages):
    mission = session(om, r"printf '\033[?2004h'; stty raw -echo; exec cat -v")
    page = open_terminal(pages, mission, **PHONE)
    begin_to_type(page)
    box = page.get_by_label("Text for the terminal")
    box.click()
    wire = page.context.new_cdp_session(page)
    for text in ("t", "th", "the"):
        wire.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    wire.send("Input.insertText", {"text": "the quick "})
    wire.send("Input.imeSetComposition", {"text": "fox", "selectionStart": 3, "selectionEnd": 3})
    wire.send("Input.insertText", {"text": "fox"})
    assert box.input_value() == "the quick fox"
    assert "fox" not in shown(page)
    page.locator(".terminal-send").click()
    until(page, "^[[200~the quick fox^[[201~^M")
    assert shown(page).count("fox") == 1
    assert box.input_value() == ""


def test_what_a_keyboard_composes_on_a_desk_is_typed_once(om, pages):
    mission = session(om, "stty raw -echo; printf 'ready: '; exec cat -v")
    page = open_terminal(pages, mission)
    until(page, "ready:")
    begin_to_type(page)
    wire = page.context.new_cdp_session(page)
    for text in ("n", "ni", "nih"):
        wire.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    wire.send("Input.insertText", {"text": "nihon "})
    until(page, "nihon")  # nobody presses the next key in the same millisecond
    page.keyboard.type("plain ")
    wire.send("Input.imeSetComposition", {"text": "go", "selectionStart": 2, "selectionEnd": 2})
    wire.send("Input.insertText", {"text": "go."})
    until(page, "go.")
    assert shown(page).strip() == "ready: nihon plain go."


def test_a_phone_has_the_keys_that_its_keyboard_lacks(om, pages):
    mission = session(om, "stty raw -echo; exec cat -v")
    page = open_terminal(pages, mission, **PHONE)
    begin_to_type(page)
    for name in ("Escape", "Tab", "Up"):
        page.get_by_role("button", name=name, exact=True).click()
    until(page, "^[")
    until(page, "^[[A")
    page.get_by_role("button", name="ctrl", exact=True).click()
    page.get_by_label("Text for the terminal").press_sequentially("c")
    until(page, "^C")
    for button in page.locator(".terminal-key:visible").all():
        assert button.bounding_box()["height"] >= 44


def test_a_wide_screen_fits_a_phone_or_is_panned(om, pages):
    mission = session(om, "printf '%80s|\\n' right; exec cat", "--name", "wide")
    page = open_terminal(pages, mission, **PHONE)
    until(page, "right")
    width = """() => {
        const place = document.querySelector(".terminal-place");
        return [place.scrollWidth, place.clientWidth, document.documentElement.scrollWidth];
    }"""
    page.get_by_role("button", name="Full size").click()
    page.wait_for_timeout(300)
    whole, room, document = page.evaluate(width)
    assert whole > room
    assert document <= 390
    page.get_by_role("button", name="Fit", exact=True).click()
    page.wait_for_timeout(300)
    assert page.evaluate(width)[2] <= 390


PASTE = """(text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    document.querySelector(".xterm-helper-textarea").dispatchEvent(event);
}"""


def test_a_paste_larger_than_a_message_arrives_whole_and_one_too_large_is_named(om, pages, tmp_path):
    text = "".join(f"line {number} 漢字 of a large paste\n" for number in range(60_000))
    place = tmp_path / "pasted"
    mission = session(om, f"exec sh -c 'stty -echo; cat >{place}; stty echo; echo it has ended; exec sleep 1000'")
    page = open_terminal(pages, mission)
    begin_to_type(page)
    page.evaluate(PASTE, text)
    page.keyboard.press("Control+d")
    until(page, "it has ended")
    assert place.read_text() == text
    page.evaluate(PASTE, "x" * (5 << 20))
    until(page, "too much at once", words)


def above(page):
    """The rows above the screen."""
    return page.evaluate("""() => {
        const buffer = document.querySelector(".terminal-host").terminal.buffer.active;
        return Array.from({ length: buffer.baseY }, (_, y) => buffer.getLine(y).translateToString(true));
    }""")


def test_a_mission_that_a_limit_has_ended_says_so_in_words(pages, om):
    mission = session(om, "echo ready; cat", "--timeout", "5s")
    page = open_terminal(pages, mission, **DESK)
    until(page, "ready")
    until(page, "it took longer than 5 seconds", words)  # as it ends
    page.reload()
    until(page, "it took longer than 5 seconds", words)
    assert "timeout" not in words(page)


@pytest.mark.parametrize("how", [DESK, PHONE], ids=["desk", "phone"])
def test_a_mission_that_has_ended_shows_its_last_screen_and_is_started_again(pages, om, how):
    mission = session(om, "seq 1 200; echo run $OVERMIND_RUN over; test -e again && cat; exit 3", "--cwd", om.home)
    om.wait_status(mission, "crashed")
    page = open_terminal(pages, mission, **how)
    until(page, "over")
    until(page, "exited (3)", words)
    assert above(page)[:3] == ["1", "2", "3"]
    assert page.get_by_role("button", name="Type", exact=True).is_hidden()
    open(os.path.join(om.home, "again"), "w").close()
    if how is PHONE:
        page.get_by_role("button", name="Start again").tap()
    else:
        page.locator(".terminal-page").press("r")
    until(page, "looking", words)
    om.wait_status(mission, "running")
    begin_to_type(page)
