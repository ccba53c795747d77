/** A table of any length: only the rows in view are elements. Rows come from the server by windows, and by what changed. */

import { h, write, word, unique } from "./dom.js";
import { mark, remark } from "./marks.js";
import { tick, rest } from "./time.js";
import { Guard } from "./verbs.js";

const TALLEST = 8_000_000;
/** Pixels: browsers end elements at 33,554,428 (some earlier), so that above this the scroll bar is scaled. */
const STEP = 15;
/** Rows that may be scrolled before others are asked for: the server sends 30 beyond those in view. */
const GLOW = 600;
const FIGURES = new Set(["cpu", "memory", "output", "now"]);
/** Columns that change all the time: a glow of theirs would tell nothing. */
const HELD = 3_000;
/** Milliseconds after a key or a move for which the row that somebody is at keeps its line, as far as the list can scroll. */
const TOLD = 150;
/** Milliseconds between two words to the server about who is at which row. */
export const REST = 200;
/** Milliseconds that the cursor stays on a row before the panel beside follows: who goes on pressing does not wait for it. */
const narrow = matchMedia("(max-width: 639px)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Which rows are in view, and where the first one is drawn. Pure.
 *
 * @param {number} total rows
 * @param {number} height of a row, px
 * @param {number} room px
 * @param {number} scrolled px
 */
export function view(total, height, room, scrolled) {
  const whole = total * height;
  const tall = Math.min(whole, TALLEST);
  const most = Math.max(0, tall - room);
  const share = most > 0 ? Math.min(1, scrolled / most) : 0;
  const top = whole > TALLEST ? share * Math.max(0, whole - room) : scrolled;
  const first = Math.max(0, Math.min(total, Math.floor(top / height)));
  const last = Math.min(total, Math.ceil((top + room) / height));
  return { tall, first, last, offset: scrolled - (top - first * height) };
}

/** Where the scroll bar stands so that a row is drawn at the top. */
export function placed(row, total, height, room) {
  const whole = total * height;
  if (whole <= TALLEST) return row * height;
  return ((row * height) / Math.max(1, whole - room)) * (TALLEST - room);
}

/** Whether a line is one of its own kind: the heading of a group, or the line of those that ended. */
const kindOf = (row) => row?.[5]?.kind ?? null;
/** Whether something can be asked of what a row shows. */
const acts = (row) => !kindOf(row) && !row?.[5]?.stands;

export class Table {
  /**
   * @param {{label: string, columns: Array<{key: string, title: string, width: string, keep: number, right?: boolean}>, window: (from: number, to: number) => void,
   *   open: (id: string) => void, moved?: (id: string|null) => void, touched?: (id: string|null) => void, fold?: (id: string) => void, order?: (key: string) => void, empty: () => Node}} how
   *   `fold`: folds what is below a row, or shows it; `touched`: somebody is at a row, by a key or the pointer
   */
  constructor(how) {
    this._how = how;
    this._rows = new Map();
    this._ids = [];
    this._from = 0;
    this.total = 0;
    this._elements = new Map();
    this._asked = null;
    this.cursor = null;
    this.place = 0;
    this.marked = new Set();
    this.guard = new Guard();
    this._drawing = 0;
    this._under = null;
    this._touched = -HELD;
    this._told = 0;
    this._telling = 0;
    this._id = unique("table");
    this.head = h("div", { class: "table-head", role: "row" });
    this.space = h("div", { class: "table-space", role: "rowgroup" });
    this.nothing = h("div", { class: "nothing", hidden: true });
    this.grid = h(
      "div",
      { class: "table", role: "treegrid", tabindex: 0, "aria-label": how.label, "aria-rowcount": 0, "aria-multiselectable": "true" },
      h("div", { role: "rowgroup", class: "table-top" }, this.head),
      this.space,
    );
    this.scroll = this.grid;
    this.element = h("div", { class: "table-box" }, this.grid, this.nothing);
    this.scroll.addEventListener("scroll", () => this._soon(), { passive: true });
    this.grid.addEventListener("click", (event) => this._clicked(event));
    this.grid.addEventListener("dblclick", (event) => this._opened(event));
    this.grid.addEventListener("pointermove", (event) => this._pointed(event), { passive: true });
    this.grid.addEventListener("pointerdown", (event) => this._pointed(event), { passive: true });
    this.grid.addEventListener("pointerleave", () => {
      this._under = null;
      this.touch();
    });
    this._watch = new ResizeObserver(() => this._resized());
    this._watch.observe(this.element);
    this._heads();
  }

  close() {
    this._watch.disconnect();
    clearTimeout(this._telling);
    for (const element of this._elements.values()) this._rest(element);
    this._elements.clear();
  }

  /** Pixels that rows have: the headings stay above them. */
  get room() {
    return (this.scroll.clientHeight || 600) - this.head.offsetHeight;
  }

  get height() {
    return parseInt(getComputedStyle(document.documentElement).getPropertyValue("--row"), 10) || 36;
  }

  /** Take what the server says: `total`, `from`, `ids` where the order changed, `rows` that changed, `cells` of rows of which only those did, `place` of the cursor where it knows. */
  take(message) {
    this.total = message.total ?? this.total;
    const changed = new Set();
    const line = message.ids ? this._line() : null;
    if (message.ids) {
      this._ids = message.ids;
      this._from = message.from ?? 0;
      const here = new Set(message.ids);
      for (const id of this._rows.keys()) if (!here.has(id) && !(message.rows && id in message.rows)) this._rows.delete(id);
    }
    for (const [id, row] of Object.entries(message.rows ?? {})) {
      const before = this._rows.get(id);
      if (before) this._changes(id, before, row, changed);
      this._rows.set(id, row);
    }
    for (const [id, cells] of Object.entries(message.cells ?? {})) {
      const before = this._rows.get(id);
      if (!before) continue;
      const told = new Map(before[4].map((cell) => [cell[0], cell]));
      for (const cell of cells) {
        if (cell[1] || cell.length > 3) told.set(cell[0], cell);
        else told.delete(cell[0]);
      }
      const row = before.with(4, [...told.values()]);
      this._changes(id, before, row, changed);
      this._rows.set(id, row);
    }
    this.grid.setAttribute("aria-rowcount", String(this.total + 1));
    this.nothing.hidden = this.total > 0;
    this.grid.hidden = this.total === 0;
    if (this.total === 0) this.nothing.replaceChildren(this._how.empty());
    if ((message.rows || message.cells) && this._how.columns.some((column) => column.spare) && this._refit()) this.columns(this._how.columns);
    const place = this.cursor === null ? -1 : this._ids.indexOf(this.cursor);
    if (place >= 0) this.place = this._from + place;
    else if (this.total > 0 && (this.cursor === null || message.ids)) this._land();
    if (line) this._keep(line);
    this._draw(changed);
  }

  /** The row that somebody is at, and its place, where it is in view; null: it need not keep its line. */
  _line() {
    const { scrollTop } = this.scroll;
    if (this._isLeft) return null;
    const id = this.held;
    const at = this._ids.indexOf(id);
    const { first, last } = view(this.total, this.height, this.room, scrollTop);
    return at >= 0 && this._from + at >= first && this._from + at < last ? { id, place: this._from + at } : null;
  }

  /** Whether nobody is there, and the list stands at its top: then what comes above is seen. */
  get _isLeft() {
    return this.scroll.scrollTop === 0 && performance.now() - this._touched > HELD;
  }

  /** Have a row on the line of the screen on which it stood, where the list can scroll. */
  _keep({ id, place }) {
    const { height } = this;
    const at = this._ids.indexOf(id);
    const moved = at < 0 ? 0 : this._from + at - place;
    if (!moved || this.total * height > TALLEST) return;
    this.space.style.height = `${this.total * height}px`;
    this.scroll.scrollTop += moved * height;
  }

  /** The row that somebody is at: under the pointer, else under the cursor. */
  get held() {
    return this._under ?? this.cursor;
  }

  _pointed(event) {
    this._under = this._at(event)?.dataset.id ?? null;
    this.touch();
  }

  /** Somebody is at a row. */
  touch() {
    this._touched = performance.now();
    this.tell();
  }

  /** Tell at which row the cursor stands, at once, and at most every now and then. */
  tell() {
    if (!this._how.touched || this._telling) return;
    const tell = () => {
      this._telling = 0;
      this._told = performance.now();
      this._how.touched(this.held);
    };
    const wait = this._told + TOLD - performance.now();
    if (wait > 0) this._telling = setTimeout(tell, wait);
    else tell();
  }

  /** The cursor's row has left or is out of the window: it stands where it stood. */
  _land() {
    const place = this._standing(Math.min(this.place, this.total - 1), 1);
    const at = place - this._from;
    if (this.cursor !== null && (at < 0 || at >= this._ids.length)) return;
    const id = this._ids[Math.max(0, Math.min(at, this._ids.length - 1))] ?? null;
    if (this.cursor !== null && this._kept === this.cursor) return;
    if (this.cursor !== null && id !== null) this.guard.replaced(id);
    if (this.cursor === null) this._stand(id, this._from + Math.max(0, at));
    else this._set(id, this._from + Math.max(0, at));
  }

  /** The nearest place at which the cursor can stand, first in one direction: not on a heading. */
  _standing(place, way) {
    const isHeading = (at) => kindOf(this._rows.get(this._ids[at - this._from])) === "heading";
    for (const step of [way, -way]) {
      let at = place;
      while (at >= 0 && at < this.total && isHeading(at)) at += step;
      if (at >= 0 && at < this.total) return at;
    }
    return place;
  }

  /** Put the cursor on a row before its rows have come; it may be far away. */
  await(id) {
    const place = this._ids.indexOf(id);
    this.cursor = id;
    this._kept = place < 0 ? id : null;
    if (place >= 0) {
      this.place = this._from + place;
      this._reveal(this.place);
    }
    this._draw();
    this._how.moved?.(id);
  }

  row(id = this.cursor) {
    return id === null ? undefined : this._rows.get(id);
  }

  get ids() {
    return this._ids;
  }

  cells(id = this.cursor) {
    const row = this.row(id);
    return Object.fromEntries((row?.[4] ?? []).map(([column, text, tone, since]) => [column, { text, tone, since }]));
  }

  /** What an action is about: what is marked, else the cursor's row. */
  get targets() {
    return this.marked.size ? [...this.marked] : this.mission === null ? [] : [this.mission];
  }

  /** The cursor's row, where something can be asked of it; null: it is a line of another kind, or there is none. */
  get mission() {
    return this.cursor !== null && !this.cursor.startsWith(":") && acts(this.row()) ? this.cursor : null;
  }

  /** Somebody has put the cursor on a row. */
  _set(id, place) {
    this._touched = performance.now();
    this._stand(id, place);
  }

  /** Have the cursor on a row: at the start nobody has put it there, so that what comes above the list is seen. */
  _stand(id, place) {
    this._kept = null;
    this.cursor = id;
    this.place = Math.max(0, place);
    this._how.moved?.(id);
    this.tell();
    this._draw();
  }

  /** Move the cursor by rows, or to the ends by ±Infinity. */
  move(step) {
    if (this.total === 0) return;
    const wanted = Math.max(0, Math.min(this.total - 1, step === Infinity ? this.total - 1 : step === -Infinity ? 0 : this.place + step));
    const place = this._standing(wanted, step < 0 ? -1 : 1);
    this.place = place;
    this._reveal(place);
    const id = this._ids[place - this._from];
    if (id !== undefined) this._set(id, place);
    else {
      this.cursor = null;
      this._draw();
    }
  }

  mark(id = this.cursor) {
    if (id === null || !acts(this._rows.get(id))) return;
    if (!this.marked.delete(id)) this.marked.add(id);
    this._markedLast = id;
    this._draw();
    this._how.marks?.();
  }

  /** Mark all from the last mark to the cursor, of those that are here for their own sake. */
  markRange() {
    const to = this._ids.indexOf(this.cursor);
    if (to < 0) return;
    const last = this._ids.indexOf(this._markedLast);
    const from = last < 0 ? to : last;
    for (const id of this._ids.slice(Math.min(from, to), Math.max(from, to) + 1)) if (acts(this._rows.get(id)) && !this._rows.get(id)?.[5]?.dimmed) this.marked.add(id);
    this._markedLast = this.cursor;
    this._draw();
    this._how.marks?.();
  }

  markAll(on = true) {
    this.marked = new Set(on ? this._ids.filter((id) => acts(this._rows.get(id))) : []);
    this._draw();
    this._how.marks?.();
  }

  _reveal(place) {
    const height = this.height;
    const { room } = this;
    const { first } = view(this.total, height, room, this.scroll.scrollTop);
    const fits = Math.max(1, Math.floor(room / height));
    const above = kindOf(this._rows.get(this._ids[place - 1 - this._from])) === "heading" ? 1 : 0;
    if (place < first + 1) this.scroll.scrollTop = placed(Math.max(0, place - above), this.total, height, room);
    else if (place >= first + fits - 1) this.scroll.scrollTop = placed(place - fits + 1, this.total, height, room) + (height - (room % height));
  }

  focus() {
    this.grid.focus({ preventScroll: true });
  }

  columns(columns) {
    this._how.columns = columns;
    this._heads();
    for (const element of this._elements.values()) {
      this._rest(element);
      element.remove();
    }
    this._elements.clear();
    this._draw();
  }

  _heads() {
    this._fit();
    this.head.replaceChildren(
      ...this._shown.map((column) => {
        const sorted = this._how.sorted?.() ?? {};
        const direction = sorted.key === column.key ? (sorted.reversed ? "descending" : "ascending") : null;
        const cell = h("div", { role: "columnheader", class: ["cell", `c-${column.key}`, column.right && "right"], "aria-sort": direction });
        const title = h("span", {}, column.title, direction ? (direction === "ascending" ? " ↑" : " ↓") : "");
        cell.append(this._how.order && column.sorts !== false ? h("button", { type: "button", class: "head-button", onclick: () => this._how.order(column.key) }, title) : title);
        return cell;
      }),
    );
  }

  /** Choose the columns that there is room for: the least important leave first. */
  _fit() {
    const room = this.element?.clientWidth || 800;
    const spare = new Set();
    for (const row of this._rows.values()) for (const [column, text] of row[4] ?? []) if (text) spare.add(column);
    const all = this._how.columns.filter((column) => !column.spare || spare.has(column.key));
    if (narrow.matches) {
      this._shown = all;
      return;
    }
    let shown = [...all];
    const needs = (columns) => columns.reduce((sum, column) => sum + (column.px ?? 80) + 12, 24);
    while (shown.length > 2 && needs(shown) > room) {
      const least = shown.reduce((worst, column) => (column.keep > worst.keep ? column : worst));
      if (least.keep === 0) break;
      shown = shown.filter((column) => column !== least);
    }
    this._shown = shown;
    this.element?.style.setProperty("--columns", shown.map((column) => column.width).join(" "));
  }

  _resized() {
    const { top } = this.grid.getBoundingClientRect();
    if (!this._isLeft) this.scroll.scrollTop += top - (this._top ?? top); // rows stay on their lines beneath what came above the list
    this._top = top;
    if (this._refit()) this.columns(this._how.columns);
    else this._draw();
  }

  /** Choose the columns anew; whether others are shown now. */
  _refit() {
    const before = this._shown.map((column) => column.key).join();
    this._fit();
    return this._shown.map((column) => column.key).join() !== before;
  }

  _changes(id, before, row, changed) {
    const old = new Map((before[4] ?? []).map((cell) => [cell[0], cell]));
    for (const [column, text] of row[4] ?? []) {
      const was = old.get(column);
      if (was && text && was[1] !== text && !FIGURES.has(column)) changed.add(`${id} ${column}`);
    }
  }

  _soon() {
    if (this._drawing) return;
    this._drawing = requestAnimationFrame(() => {
      this._drawing = 0;
      this._draw();
    });
  }

  _draw(changed = new Set()) {
    const height = this.height;
    const { room } = this;
    const { tall, first, last, offset } = view(this.total, height, room, this.scroll.scrollTop);
    const px = `${tall}px`;
    if (this.space.style.height !== px) this.space.style.height = px;
    this._ask(first, last);
    const wanted = new Map();
    for (let place = first; place < last; place += 1) {
      const id = this._ids[place - this._from];
      if (id !== undefined && this._rows.has(id)) wanted.set(id, place);
    }
    for (const [id, element] of this._elements) {
      if (wanted.has(id)) continue;
      this._rest(element);
      element.remove();
      this._elements.delete(id);
    }
    for (const [id, place] of wanted) {
      let element = this._elements.get(id);
      if (!element) {
        element = this._made(id);
        this._elements.set(id, element);
        this.space.append(element);
      }
      this._write(element, id, place, changed);
      const top = `translateY(${Math.round(offset + (place - first) * height)}px)`;
      if (element.style.transform !== top) element.style.transform = top;
    }
    this.guard.shown([...wanted.keys()]);
    const here = this._elements.get(this.cursor);
    if (here) this.grid.setAttribute("aria-activedescendant", here.id);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  _ask(first, last) {
    const [old, until] = this._asked ?? [-1, -1];
    const held = this._from + this._ids.length;
    if (first === old && last === until) return;
    const near = first >= this._from && last <= held && Math.abs(first - old) < STEP && Math.abs(last - until) < STEP;
    if (near && this._asked) return;
    this._asked = [first, last];
    if (last > first) this._how.window(first, last);
  }

  _made(id) {
    const kind = kindOf(this._rows.get(id));
    const element = h("div", { role: "row", class: kind === "heading" ? "group-row" : "row", id: `${this._id}-${id.replace(/[^A-Za-z0-9_-]/g, "-")}`, data: { id } });
    element.parts = { cells: new Map(), kind };
    if (kind) return this._madeLine(element, kind);
    for (const column of this._shown) {
      const text = document.createTextNode("");
      const cell = h("div", { role: "gridcell", class: ["cell", `c-${column.key}`, column.right && "right"] });
      if (column.key === "name") {
        element.parts.guides = document.createTextNode("");
        element.parts.mark = mark("working");
        element.parts.state = document.createTextNode("");
        element.parts.fresh = h("span", { class: "fresh", hidden: true }, "•", h("span", { class: "hidden-text" }, " something new "));
        element.parts.twist = mark("open", "plain");
        element.parts.below = document.createTextNode("");
        element.parts.more = h("span", { class: "twist", hidden: true, "aria-hidden": "true" }, element.parts.twist, element.parts.below);
        element.parts.parent = document.createTextNode("");
        element.parts.of = h("span", { class: "of", hidden: true }, h("span", { "aria-hidden": "true" }, "‹ "), h("span", { class: "hidden-text" }, "part of "), element.parts.parent);
        cell.append(h("span", { class: "guides" }, element.parts.guides), element.parts.mark, h("span", { class: "hidden-text" }, element.parts.state), element.parts.fresh, h("span", { class: "name" }, text), element.parts.more, element.parts.of);
      } else cell.append(h("span", { class: "value" }, text));
      element.parts.cells.set(column.key, { cell, text });
      element.append(cell);
    }
    return element;
  }

  /** A line of its own kind, as wide as all columns: the heading of a group, or what those that ended are folded into. */
  _madeLine(element, kind) {
    const { parts } = element;
    parts.text = document.createTextNode("");
    const cell = h("div", { role: "gridcell", class: "whole", "aria-colspan": this._shown.length });
    if (kind === "heading") cell.append(h("h2", { class: "group-title" }, parts.text));
    else {
      parts.twist = mark("folded", "plain");
      parts.fresh = h("span", { class: "fresh", hidden: true }, "•", h("span", { class: "hidden-text" }, " something new "));
      parts.hint = document.createTextNode("");
      cell.append(parts.twist, parts.fresh, h("span", { class: "name" }, parts.text), h("span", { class: "hint", "aria-hidden": "true" }, h("kbd", {}, "enter"), parts.hint));
    }
    element.append(cell);
    return element;
  }

  _writeLine(element, id, place) {
    const [, , text, fresh, , { folded }] = this._rows.get(id);
    const { parts } = element;
    element.setAttribute("aria-rowindex", String(place + 2));
    write(parts.text, text);
    if (parts.kind === "heading") return;
    element.setAttribute("aria-expanded", folded ? "false" : "true");
    const classes = ["row", "fold-row", id === this.cursor && "cursor", fresh && "unseen"].filter(Boolean).join(" ");
    if (element.className !== classes) element.className = classes;
    remark(parts.twist, folded ? "folded" : "open", "quiet");
    parts.fresh.hidden = !fresh;
    write(parts.hint, folded ? "unfolds" : "folds");
  }

  _write(element, id, place, changed) {
    if (element.parts.kind) {
      this._writeLine(element, id, place);
      return;
    }
    const [guides, state, name, fresh, cells, more = {}] = this._rows.get(id);
    const { parts } = element;
    const chosen = id === this.cursor;
    const marked = this.marked.has(id);
    const { drawn } = parts;
    if (drawn && drawn.row === this._rows.get(id) && drawn.place === place && drawn.chosen === chosen && drawn.marked === marked) return;
    parts.drawn = { row: this._rows.get(id), place, chosen, marked };
    element.setAttribute("aria-rowindex", String(place + 2));
    element.setAttribute("aria-level", String(1 + Math.ceil([...guides].length / 2)));
    const isShut = more.folded > 0 || (Boolean(more.past) && more.folded === undefined);
    const isOpen = !isShut && (more.folded === 0 || Boolean(more.opened));
    if (isShut || isOpen) element.setAttribute("aria-expanded", isShut ? "false" : "true");
    else element.removeAttribute("aria-expanded");
    element.setAttribute("aria-selected", marked ? "true" : "false");
    const classes = ["row", chosen && "cursor", marked && "marked", fresh && "unseen", more.dimmed && "dimmed", more.quiet && "quiet-row"].filter(Boolean).join(" ");
    if (element.className !== classes) element.className = classes;
    if (parts.guides) {
      write(parts.guides, guides ? `${guides} ` : "");
      const tone = more.tone ?? (cells.find((cell) => cell[0] === "state") ?? [])[2];
      remark(parts.mark, state, tone ? word(tone) : undefined);
      write(parts.state, `${state === "waiting" ? "asks" : state} `); // its mark is called so, and people read `asks`
      parts.fresh.hidden = fresh !== 1;
      write(parts.cells.get("name").text, name);
      parts.more.hidden = !this._how.fold || !(isShut || isOpen);
      remark(parts.twist, isShut ? "folded" : "open", "quiet");
      write(parts.below, more.folded ? String(more.folded) : "");
      parts.of.hidden = !more.of;
      write(parts.parent, more.of ?? "");
    }
    for (const [column, text, tone, since] of cells) {
      const part = parts.cells.get(column);
      if (!part || column === "name") continue;
      if (since !== undefined && since !== null) tick(part.text, since, text);
      else {
        rest(part.text);
        write(part.text, text);
      }
      const cls = `cell c-${column}${part.cell.classList.contains("right") ? " right" : ""}${tone ? ` tone-${word(tone)}` : ""}`;
      if (part.cell.className !== cls) part.cell.className = cls;
      // Along the edge, so that every tone is read as well as before.
      if (changed.has(`${id} ${column}`) && !still.matches) part.cell.animate([{ boxShadow: "inset 0 -2px var(--key)" }, { boxShadow: "inset 0 -2px transparent" }], { duration: GLOW });
    }
    const told = new Set(cells.map((cell) => cell[0]));
    for (const [column, part] of parts.cells) {
      if (column === "name" || told.has(column)) continue;
      rest(part.text);
      write(part.text, "");
    }
  }

  _rest(element) {
    for (const { text } of element.parts.cells.values()) rest(text);
  }

  _at(event) {
    return event.target instanceof Element ? event.target.closest(".row") : null;
  }

  _clicked(event) {
    const element = this._at(event);
    if (!element) return;
    const { id } = element.dataset;
    const again = id === this.cursor;
    const folds = kindOf(this._rows.get(id)) === "fold" || event.target.closest(".twist");
    const place = this._from + this._ids.indexOf(id);
    if (event.ctrlKey || event.metaKey) this.mark(id);
    this._set(id, place);
    this.focus();
    if (folds && this._how.fold) {
      this._how.fold(id);
      return;
    }
    if (event.shiftKey) {
      this.markRange();
      return;
    }
    if (matchMedia("(max-width: 1099px)").matches && !event.ctrlKey) this._how.open(id);
    else if (again && event.detail === 2) this._how.open(id);
  }

  _opened(event) {
    const element = this._at(event);
    if (element && !kindOf(this._rows.get(element.dataset.id)) && !event.target.closest(".twist") && !matchMedia("(max-width: 1099px)").matches) this._how.open(element.dataset.id);
  }
}
