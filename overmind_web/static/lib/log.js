/**
 * A log of any length: pages from the server around what is in view, the newest lines at the end, and spaces for all the rest.
 *
 * Only a few pages stand in the document. What is above and below them are two spaces as high as their pages would be, about: a place in a
 * space is a page to ask for. When pages come or go, what is in view stays where it is.
 */

import { h, fill } from "./dom.js";
import { nodes } from "./sgr.js";

const LINE = 20; // pixels of a line that is not wrapped
const MOST = 8_000_000; // pixels that a log is high at most: a browser ends elements at some 17 million already
const KEPT = 6; // pages in the document
const NEAR = 1200; // pixels before the edge of what is there at which the next page is asked for
const BOTTOM = 30; // pixels from the end that count as its end

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

function rgb(name, element) {
  const text = getComputedStyle(element).getPropertyValue(name).trim();
  const long = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  return long ? long.slice(1).map((part) => Number.parseInt(part, 16)) : [0, 0, 0];
}

/** The colours that lines are drawn on and in. */
export function coloursOf(element) {
  return { ground: rgb("--page", element), text: rgb("--text", element) };
}

/** One line: `[seconds, text, kind?]`, or one that was found, with page, number and marks. */
export function lineOf([wall, text, kind, , , marks], colours) {
  const line = document.createElement("div");
  line.className = kind === 1 ? "log-line log-err" : kind === 2 ? "log-line log-note" : "log-line";
  if (wall) line.dataset.at = clock.format(wall * 1000);
  if (marks?.length || text.includes("\x1b")) line.append(...nodes(text, colours, marks));
  else line.textContent = text;
  return line;
}

export class LogView {
  /**
   * @param {Object} ask `page(number)`, `tail()`, `follow(on)`
   * @param {string} label of what is shown
   */
  constructor(ask, label) {
    this._ask = ask;
    this._pages = null;
    this._sections = new Map();
    this._first = this._behind = 0;
    this._height = LINE * 200;
    this._asked = new Map();
    this._wanted = null;
    this._grew = false;
    this._queued = false;
    this._colours = { ground: [0, 0, 0], text: [255, 255, 255] };
    this.follows = true;
    this._bottom = 0;
    this.above = h("div", { class: "log-space" });
    this.between = h("div", { class: "log-pages" });
    this.below = h("div", { class: "log-space" });
    this.tail = h("div", { class: "log-tail" });
    this.partial = h("div", { class: "log-line log-partial" });
    this.reason = h("p", { class: "log-reason quiet", hidden: true });
    this.scroller = h("div", { class: "log-scroll", tabindex: 0, role: "region", "aria-label": label }, this.above, this.between, this.below, this.reason, this.tail, this.partial);
    this.news = h("button", { type: "button", class: "button small log-news", hidden: true, onclick: () => this.toEnd() }, "New lines ↓");
    this.element = h("div", { class: "log-view" }, this.scroller, this.news);
    this.scroller.addEventListener("scroll", () => this._later(), { passive: true });
    this._resized = new ResizeObserver(() => (this.follows ? this._down() : this._later()));
    this._resized.observe(this.scroller);
  }

  close() {
    this._resized.disconnect();
  }

  /** The newest lines are these; what was shown before is void. */
  begin({ pages, lines, partial, before, reason }) {
    this._colours = coloursOf(this.scroller);
    const reading = !this.follows && this._wanted !== null;
    this._pages = pages;
    this._grew = false;
    this._asked.clear();
    this._clear(pages ?? 0);
    this._estimate = before * LINE;
    fill(this.tail, lines.map((line) => lineOf(line, this._colours)));
    this._write(partial);
    this.reason.hidden = !reason;
    this.reason.textContent = reason ?? "";
    this._arrange();
    if (!reading) {
      this.follows = true;
      this._down();
    }
    this._news();
  }

  /** How many pages there are is known now; and about how many lines they have. */
  numbered({ pages, lines }) {
    this._look(); // somebody may have scrolled since the last frame
    const top = this._anchor();
    if (this._pages === null || !this._sections.size) this._clear(pages);
    this._pages = pages;
    if (pages) this._height = Math.max((lines / pages) * LINE, LINE);
    this._arrange();
    this._restore(top);
    if (this._wanted !== null) this._goTo(this._wanted);
    this._later();
  }

  /** A page, or a part of it, has come. */
  page({ page, pages, from, of, lines }) {
    if (pages !== null) this._pages = Math.max(this._pages ?? 0, pages);
    const section = this._sections.get(page);
    if (section) {
      if (from > 0 && section.childElementCount === from) this._keep(() => section.append(...lines.map((line) => lineOf(line, this._colours))));
      this._finish(page);
      return;
    }
    if (!this._asked.delete(page) || from > 0) return;
    const made = h("section", { class: "log-page", data: { page } }, lines.map((line) => lineOf(line, this._colours)));
    if (this._touches(page)) this._keep(() => this._put(page, made, page === this._behind ? "append" : "prepend"));
    else this._jumped(page, made);
    void of;
    this._finish(page);
    this._later();
  }

  /** Lines came at the end. */
  more({ lines, partial }) {
    this._look();
    if (!this.follows) return;
    this.tail.append(...lines.map((line) => lineOf(line, this._colours)));
    if (lines.length) this.reason.hidden = true;
    this._write(partial);
    this._down();
  }

  /** There is more at the end than is shown. */
  grew() {
    this._grew = true;
    this._news();
  }

  /** To the newest lines. */
  toEnd() {
    this._wanted = null;
    this.follows = true;
    if (this._grew) this._ask.tail();
    else this._ask.follow(true);
    this._grew = false;
    this._down();
    this._news();
  }

  /** To one line of a page; null: of the newest lines. */
  goTo(page, line) {
    this.follows = page === null;
    this._wanted = page === null ? null : { page, line };
    if (page !== null) {
      this._ask.follow(false);
      if (this._pages !== null) this._goTo(this._wanted);
    }
  }

  /** All text is drawn anew: the theme changed. */
  recolour() {
    this._colours = coloursOf(this.scroller);
    this._clear(this._pages ?? 0);
    this._asked.clear();
    this._arrange();
    this._later();
  }

  // places

  _scale() {
    const whole = (this._pages ?? 0) * this._height;
    return whole > MOST ? MOST / whole : 1;
  }

  _clear(at) {
    this._sections.clear();
    this.between.replaceChildren();
    this._first = this._behind = at;
  }

  _arrange() {
    const each = this._height * this._scale();
    const above = this._pages === null ? Math.min(this._estimate ?? 0, MOST) : this._first * each;
    this.above.style.height = `${above}px`;
    this.below.style.height = `${this._pages === null ? 0 : Math.max(this._pages - this._behind, 0) * each}px`;
  }

  /** What is in view, so that it can be put back where it was. */
  _anchor() {
    const { top } = this.scroller.getBoundingClientRect();
    for (const block of [...this._sections.values(), this.tail]) {
      const box = block.getBoundingClientRect();
      if (box.bottom <= top || !box.height) continue;
      for (const line of block.children) {
        const at = line.getBoundingClientRect();
        if (at.bottom > top) return { line, top: at.top };
      }
    }
    return null;
  }

  _restore(anchor) {
    if (this.follows) this._down();
    else if (anchor?.line.isConnected) this.scroller.scrollTop += anchor.line.getBoundingClientRect().top - anchor.top;
  }

  _keep(change) {
    const anchor = this._anchor();
    change();
    this._restore(anchor);
  }

  _put(page, section, how) {
    this.between[how](section);
    this._sections.set(page, section);
    if (how === "append") this._behind = page + 1;
    else this._first = page;
    while (this._sections.size > KEPT) {
      const gone = how === "append" ? this._first : this._behind - 1;
      this._sections.get(gone).remove();
      this._sections.delete(gone);
      if (how === "append") this._first += 1;
      else this._behind -= 1;
    }
    this._measure();
    this._arrange();
  }

  _measure() {
    let sum = 0;
    for (const section of this._sections.values()) sum += section.offsetHeight;
    if (this._sections.size > 2) this._height = Math.max(sum / this._sections.size, LINE);
  }

  /** A page that does not touch those that are there: it stands where somebody looks, and fills the view where it can. */
  _jumped(page, section) {
    const each = this._height * this._scale();
    const top = this.scroller.scrollTop;
    const share = Math.min(Math.max(this._place(top).share, 0), 1);
    this._clear(page);
    this.between.append(section);
    this._sections.set(page, section);
    this._behind = page + 1;
    this.below.style.height = `${Math.max(this._pages - this._behind, 0) * each}px`;
    const height = section.offsetHeight;
    const room = height - this.scroller.clientHeight;
    const into = room > 0 ? Math.min(share * height, room) : share * height; // no half view waits for the next page
    const above = page === 0 ? 0 : Math.max(top - into, 0);
    this.above.style.height = `${above}px`;
    this.scroller.scrollTop = above + into;
  }

  /** Which page is meant at some pixels from the top, and which part of it. */
  _place(top) {
    const each = this._height * this._scale();
    const end = this.above.offsetHeight + this.between.offsetHeight;
    const behind = top >= end;
    const exact = behind ? this._behind + (top - end) / each : (top / Math.max(this.above.offsetHeight, 1)) * this._first;
    const page = Math.min(Math.max(Math.floor(exact), 0), Math.max((this._pages ?? 1) - 1, 0));
    return { page, share: exact - page };
  }

  _later() {
    if (this._queued) return;
    this._queued = true;
    requestAnimationFrame(() => {
      this._queued = false;
      if (this.element.isConnected) this._look();
    });
  }

  /** Ask for what is in view and not there. */
  _look() {
    const { scrollTop: top, clientHeight: high, scrollHeight: whole } = this.scroller;
    const atEnd = top + high >= whole - BOTTOM;
    if (atEnd && !this.follows && this._wanted === null) this.toEnd();
    else if (!atEnd && this.follows && top === this._bottom) this._down(); // its room has changed: nobody has scrolled
    else if (!atEnd && this.follows) {
      this.follows = false;
      this._ask.follow(false);
      this._news();
    }
    if (!this._pages) return;
    if (this._wanted !== null && !this._sections.has(this._wanted.page)) {
      this._request(this._wanted.page); // and no other: the place of a page in the scroll bar is a guess, which may lie far off
      return;
    }
    const begins = this.above.offsetHeight;
    const ends = begins + this.between.offsetHeight;
    const lastPage = ends + this.below.offsetHeight;
    if (this._sections.size && top < ends && top + high > begins) {
      if (top < begins + NEAR && this._first > 0) this._request(this._first - 1);
      if (top + high > ends - NEAR && this._behind < this._pages) this._request(this._behind);
    } else if (top < lastPage) this._request(this._place(top).page);
    else if (top < lastPage + NEAR && this._behind < this._pages) this._request(this._pages - 1);
  }

  _request(page) {
    const now = performance.now();
    if (this._sections.has(page) || now - (this._asked.get(page) ?? -5000) < 5000) return;
    // Of what was asked for while somebody scrolled past only the last matters; of the pages that are there, both neighbours.
    const reads = this._touches(page);
    for (const other of this._asked.keys()) if (Math.abs(other - page) > 1 && !(reads && this._touches(other))) this._asked.delete(other);
    this._asked.set(page, now);
    this._ask.page(page);
  }

  _touches(page) {
    return this._sections.size > 0 && (page === this._first - 1 || page === this._behind);
  }

  _goTo({ page }) {
    if (this._sections.has(page)) this._finish(page);
    else {
      const each = this._height * this._scale();
      this._clear(page);
      this._arrange();
      this.scroller.scrollTop = page * each;
      this._asked.delete(page);
      this._request(page);
    }
  }

  _finish(page) {
    if (this._wanted === null || this._wanted.page !== page) return;
    const line = this._sections.get(page)?.children[this._wanted.line];
    if (!line) return;
    this._wanted = null;
    line.classList.add("log-here");
    line.scrollIntoView({ block: "center" });
  }

  _down() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this._bottom = this.scroller.scrollTop;
  }

  _write(partial) {
    fill(this.partial, partial ? nodes(partial, this._colours) : []);
    this.partial.hidden = !partial;
  }

  _news() {
    this.news.hidden = this.follows;
    this.news.textContent = this._grew ? "New lines ↓" : "To the end ↓";
  }
}

export class FoundView {
  /**
   * Lines that were found, the newest at the end; older ones come when somebody scrolls up to them.
   *
   * @param {Object} ask `older()`, `open(page, line)`
   */
  constructor(ask) {
    this._ask = ask;
    this._state = "searching";
    this._colours = { ground: [0, 0, 0], text: [255, 255, 255] };
    this.count = 0;
    this.list = h("div", { class: "log-tail" });
    this.scroller = h("div", { class: "log-scroll log-found", tabindex: 0, role: "region", "aria-label": "Lines that match" }, this.list);
    this.element = h("div", { class: "log-view" }, this.scroller);
    this.scroller.addEventListener("scroll", () => this._look(), { passive: true });
    this.list.addEventListener("click", (event) => {
      const line = event.target instanceof Element ? event.target.closest(".log-line") : null;
      if (line && !getSelection()?.toString()) this._ask.open(line.dataset.page === "" ? null : Number(line.dataset.page), Number(line.dataset.line));
    });
  }

  close() {}

  found({ lines, state, begin }) {
    if (begin) {
      this._colours = coloursOf(this.scroller);
      this.list.replaceChildren();
      this.count = 0;
    }
    this._state = state;
    this._add(lines, "prepend", begin === true);
    if (state === "waiting") this._look();
  }

  more({ lines }) {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    this._add(lines, "append", scrollTop + clientHeight >= scrollHeight - BOTTOM);
  }

  _add(lines, how, down) {
    const { scrollTop: top, scrollHeight: high } = this.scroller;
    this.count += lines.length;
    const made = lines.map((row) => {
      const line = lineOf(row, this._colours);
      line.dataset.page = row[3] ?? "";
      line.dataset.line = row[4];
      return line;
    });
    this.list[how](...made);
    if (down || (how === "prepend" && top + this.scroller.clientHeight >= high - BOTTOM)) this.scroller.scrollTop = this.scroller.scrollHeight;
    else if (how === "prepend") this.scroller.scrollTop = top + this.scroller.scrollHeight - high;
  }

  _look() {
    if (this._state === "waiting" && this.scroller.scrollTop < NEAR) {
      this._state = "searching";
      this._ask.older();
    }
  }
}
