/** A page of a list: its rows with a filter and an order, what can be asked of the one under the cursor, and all about that one: beside it on a desk, alone on a phone. */

import { h, fill, toned } from "./dom.js";
import { mark, remark } from "./marks.js";
import { REST, Table } from "./table.js";
import { menu } from "./dialog.js";
import { href as address } from "./router.js";

const wide = matchMedia("(min-width: 1100px)");
const narrow = matchMedia("(max-width: 639px)");
const TYPED = 150;
/** Milliseconds after the last key before the filter is asked for. */
const CELL = 9;
/** Pixels of a character in a table. */
const NAMED = 16;
/** Characters of a name that there is room for before columns that matter less are shown. */
const ROOM = 220;
/** Pixels that the column which takes what is left has before others that matter less are shown. */

/**
 * @typedef {{verb: string, label?: string, key?: string, args: (row: Row) => Object, when?: (row: Row) => boolean, asks?: (row: Row) => string[], confirms?: boolean, says?: (row: Row, answer: Object) => string, primary?: boolean}} Action
 * @typedef {{id: string, name: string, facts: Object, cells: Object}} Row
 */

/** The columns that the server names, as a table draws them. */
export function drawn(columns) {
  return columns.map(({ key, title, keep, right = false, wide: roomy = false, spare = false, least = 8, most = 0 }) => {
    const narrowest = Math.max(least, title.length + 1, key === "name" ? NAMED : 0) * CELL + (key === "name" ? 40 : 8);
    const widest = Math.max(narrowest, Math.min(most, 24) * CELL + 8);
    const fluid = most === 0 ? `minmax(${Math.max(narrowest, ROOM)}px, 4fr)` : key === "name" ? `minmax(${narrowest}px, 1.6fr)` : `minmax(${narrowest}px, ${widest}px)`;
    return { key, title, keep, right, wide: roomy, spare, px: most === 0 ? Math.max(narrowest, ROOM) : narrowest, width: fluid };
  });
}

export class ListPage {
  /**
   * @param {Object} place
   * @param {Object} context
   * @param {{list: string, title: string, page: string, actions?: Action[], tools?: (page: ListPage) => Node[], links?: (row: Row) => Array<{title: string, href: string, key?: string}>,
   *   about?: Array<{what: string, title: string, key: string}>, args?: Object, details?: boolean, line?: (facts: Object) => Node|null, opens?: (row: Row) => boolean}} how
   */
  constructor(place, context, how) {
    this._context = context;
    this.how = how;
    this._query = { ...place.query };
    this._columns = null;
    this._typedInto = how.asks ? "words" : "filter";
    this.facts = {};
    this.table = new Table({
      label: how.title.toLowerCase(),
      columns: [{ key: "name", title: how.title.toUpperCase(), width: "1fr", px: 160, keep: 0 }],
      window: (from, to) => this._pane.window(from, to),
      open: (id) => this._open(id),
      moved: (id) => this._moved(id),
      order: (key) => this._order(key),
      sorted: () => ({ key: this._query.order, reversed: Boolean(this._query.reversed) }),
      empty: () => this._empty(),
    });
    this.problem = h("p", { class: "problem tone-bad", role: "alert", hidden: true });
    this.filter = h("input", { class: "field filter", type: "search", placeholder: how.asks ? `/ ${narrow.matches ? "ask" : how.asks}` : "/ filter", "aria-label": how.asks ?? "Filter", data: { filter: "" }, value: this._query[this._typedInto] ?? "", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    this.filter.addEventListener("input", () => {
      clearTimeout(this._typed);
      this._typed = setTimeout(() => this._narrow(this.filter.value), TYPED);
    });
    this.filter.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      if (event.key === "Escape") {
        this.filter.value = "";
        this._narrow("");
      }
      this.table.focus();
    });
    this.line = h("span", { class: "quiet list-line" });
    this.actions = h("div", { class: "list-actions" });
    this.list = h(
      "div",
      { class: "missions-list" },
      h("header", { class: "page-head" }, h("h1", {}, how.title), this.line, h("span", { class: "grow" }), h("div", { class: "tools" }, this.filter, how.tools?.(this) ?? [])),
      this.problem,
      this.actions,
      this.table.element,
    );
    this.side = h("aside", { class: "side", "aria-label": "All about the chosen one", hidden: true });
    this.element = h("section", { class: "page split", "aria-label": how.title, data: { list: how.list } }, this.list, this.side);
    if (this._query.row) this.table.await(this._query.row);
    this._pane = context.socket.pane("list", this._args(), { rows: (message) => this._rows(message), failed: (message) => this._failed(message), lost: () => {} }, { from: 0, to: 90 });
    this._drop = context.keys.layer(how.page, this._keys());
    this._wider = () => this.go(context.router.place);
    wide.addEventListener("change", this._wider);
    this._place(place);
  }

  _keys() {
    const { table } = this;
    const known = (this.how.actions ?? []).map((action) => {
      const key = action.key ?? this._context.verbs.row(action.verb)?.key;
      return key ? [key, action.label ?? this._context.verbs.row(action.verb)?.label ?? action.verb, () => this._press(action)] : null;
    });
    const links = (this.how.keys ?? []).map(([key, title, press]) => [key, title, () => (this.row() ? (press(this.row()), true) : false)]);
    const about = (this.how.about ?? []).map(({ what, title, key }) => [key, title.toLowerCase(), () => (table.cursor === null ? false : (this._context.router.go(this.how.page, [table.cursor, what], this._listQuery()), true))]);
    const tools = [...this.list.querySelectorAll(".tools button[aria-keyshortcuts]")].map((button) => [button.getAttribute("aria-keyshortcuts"), button.querySelector("span").textContent.toLowerCase(), () => (button.click(), true)]);
    return [
      ...tools,
      ["j down", "down", () => table.move(1)],
      ["k up", "up", () => table.move(-1)],
      ["g home", "first row", () => table.move(-Infinity)],
      ["G end", "last row", () => table.move(Infinity)],
      ["pagedown ctrl+f", "a page down", () => table.move(15)],
      ["pageup ctrl+b", "a page up", () => table.move(-15)],
      ["enter", "open it", () => (table.cursor === null ? false : (this._open(table.cursor), true))],
      ["d", "all about it", () => (table.cursor === null || this.how.details === false ? false : (this._details(table.cursor), true))],
      ...about,
      ...links,
      ...mergedKeys(known.filter(Boolean)),
    ];
  }

  /** The row under the cursor, for actions; null: there is none. @returns {Row|null} */
  row(id = this.table.cursor) {
    const found = this.table.row(id);
    return found ? { id, name: found[2] || id, facts: found[5] ?? {}, cells: this.table.cells(id) } : null;
  }

  _press(action, row = this.row()) {
    if (row === null || (action.when && !action.when(row))) return false;
    this._context.verbs.press(action.verb, () => action.args(row), {
      title: action.title?.(row),
      asks: () => action.asks?.(row) ?? [row.name],
      confirms: action.confirms,
      says: (answer) => action.says?.(row, answer) ?? null,
      label: action.label,
      guard: () => this.table.guard.refusal(row.id),
    });
    return true;
  }

  // what is asked for

  _args() {
    const { filter = "", order = "", reversed = "", way = "", words = "", cwd = "" } = this._query;
    return { list: this.how.list, filter, order, reversed: Boolean(reversed), way, words, cwd, ...(this.how.args ?? {}) };
  }

  _listQuery() {
    const { filter, order, reversed, way, words, cwd } = this._query;
    return { filter, order, reversed, way, words, cwd };
  }

  /** Show only what is typed: what a filter keeps, or what answers a question. */
  async _narrow(typed) {
    this.set({ [this._typedInto]: typed.trim(), ...((await this.how.asked?.(typed.trim(), this)) ?? {}) });
  }

  get query() {
    return this._query;
  }

  /** Show something else of the list, and note it in the address. */
  set(query) {
    this._query = { ...this._query, ...query };
    this._context.router.note(this._query);
    this._pane.set(this._args(), { from: 0, to: 90 });
    if (this._columns) this.table.columns(this._columns);
  }

  _order(key) {
    if (!this._orders?.includes(key)) return;
    const same = this._query.order === key;
    this.set(same && this._query.reversed ? { order: "", reversed: "" } : { order: key, reversed: same ? "1" : "" });
  }

  _rows(message) {
    if (message.head) this._head(message.head);
    this._loaded = true;
    this.table.take(message);
    this._shownActions();
  }

  _head(head) {
    this._empties = head.empty;
    this._orders = head.orders;
    this.facts = head.facts ?? {};
    this.line.replaceChildren(this.how.line?.(this.facts, head.line) ?? document.createTextNode(head.line ?? ""));
    this.problem.textContent = head.problem ?? "";
    this.problem.hidden = !head.problem;
    this.filter.classList.toggle("wrong", Boolean(head.problem));
    const shape = JSON.stringify(head.columns);
    if (shape === this._shape) return;
    this._shape = shape;
    this._columns = drawn(head.columns).map((column) => ({ ...column, sorts: head.orders.includes(column.key), ...(this.how.columns?.[column.key] ?? {}) }));
    this.table.columns(this._columns);
  }

  _failed(message) {
    this.problem.textContent = message.message;
    this.problem.hidden = false;
  }

  _empty() {
    if (!this._loaded) return h("p", { class: "quiet" }, "Loading …");
    if (this._query.filter || this._query.words) {
      return h("div", {}, h("h2", {}, "Nothing matches."), h("button", { type: "button", class: "button", onclick: () => ((this.filter.value = ""), this._narrow("")) }, "Show all"));
    }
    const [title, ...more] = this._empties ?? ["Nothing yet."];
    return h("div", {}, mark(this.how.page), h("h2", {}, title), this.how.hint ? h("p", { class: "quiet" }, this.how.hint) : more.map((line) => h("p", { class: "quiet" }, line.replace(/^:/, "overmind "))), this.how.first?.(this) ?? null);
  }

  // where it is looked at

  go(place) {
    const same = ["filter", "order", "reversed", "way", "words", "cwd"].every((name) => (place.query[name] ?? "") === (this._query[name] ?? ""));
    if (!same && place.parts.length === 0) {
      this._query = { ...place.query };
      this.filter.value = this._query[this._typedInto] ?? "";
      this._pane.set(this._args(), { from: 0, to: 90 });
    }
    this._place(place);
  }

  _place(place) {
    const [id, what] = place.parts;
    this.element.classList.toggle("alone", id !== undefined && !wide.matches);
    if (id !== undefined) {
      if (this.table.cursor !== id) this.table.await(id);
      this._beside(id, what);
    } else if (wide.matches && this.table.cursor && this.how.details !== false) this._beside(this.table.cursor);
    else this._shut();
  }

  _beside(id, what = "") {
    const key = `${id} ${what}`;
    this.side.hidden = false;
    if (this._side?.key === key) return;
    this._side?.pane.close();
    const title = h("h2", { class: "mission-name" }, this.row(id)?.name ?? id);
    const picture = mark(this.table.row(id)?.[1] ?? "more");
    const buttons = h("div", { class: "mission-actions" });
    const links = h("nav", { class: "mission-tabs", "aria-label": "Of this one" });
    const body = h("div", { class: "mission-body padded" });
    const pane = this._context.socket.pane("thing", { list: this.how.list, id, what, about: this.how.args?.id ?? "" }, {
      content: ({ content }) => {
        if (content.name) title.textContent = content.name;
        fill(body, toned(content.lines, "details"));
      },
      failed: (message) => fill(body, h("p", { class: "pad quiet" }, message.message)),
      lost: () => {},
    });
    this._side = { key, id, pane, buttons, links, picture, what };
    fill(
      this.side,
      h(
        "section",
        { class: "mission" },
        h("header", { class: "mission-head" }, h("button", { type: "button", class: "bare back", "aria-label": "Back to the list", onclick: () => this._context.router.go(this.how.page, [], this._listQuery()) }, mark("back", "plain")), picture, title, h("span", { class: "grow" }), buttons),
        links,
        body,
      ),
    );
    this._shownActions();
  }

  /** Buttons for the row under the cursor, where all about it is shown. */
  _shownActions() {
    const side = this._side;
    if (!side) return;
    const row = this.row(side.id);
    const shape = JSON.stringify([row?.facts, row?.name, this.table.row(side.id)?.[1]]);
    if (shape === side.shape) return;
    side.shape = shape;
    remark(side.picture, this.table.row(side.id)?.[1] ?? "more");
    if (row === null) {
      fill(side.buttons);
      return;
    }
    const shown = (this.how.actions ?? []).filter((action) => !action.when || action.when(row));
    const first = shown.slice(0, 2).map((action) => this._context.verbs.button(action.verb, () => (this._press(action, row), null), { label: action.label, key: "", small: true, primary: action.primary, danger: action.danger, asks: null }));
    const rest = shown.slice(2);
    const more = rest.length
      ? h("button", { type: "button", class: "button small square", "aria-label": "More of this one", onclick: () => menu(row.name, rest.map((action) => ({ label: action.label ?? this._context.verbs.row(action.verb)?.label ?? action.verb, key: action.key ?? this._context.verbs.row(action.verb)?.key ?? "", danger: this._context.verbs.row(action.verb)?.danger === "ends work", disabled: !this._context.socket.ready || !this._context.verbs.allowed(action.verb), press: () => this._press(action, row) }))) }, mark("more", "plain"))
      : null;
    fill(side.buttons, first, more);
    const about = [{ what: "", title: "About" }, ...(this.how.about ?? [])];
    const tabs = about.map(({ what, title }) => h("a", { class: "mission-tab", href: address(this.how.page, [side.id, what].filter(Boolean), this._listQuery()), "aria-current": what === side.what ? "page" : null }, title));
    const links = (this.how.links?.(row) ?? []).map(({ title, href }) => h("a", { class: "mission-tab", href }, title));
    fill(side.links, tabs, links);
    side.links.hidden = tabs.length + links.length < 2;
  }

  _shut() {
    this._side?.pane.close();
    this._side = null;
    fill(this.side);
    this.side.hidden = true;
  }

  _moved(id) {
    const { router } = this._context;
    router.soon(() => {
      if (router.place.parts.length === 0) router.note({ ...this._listQuery(), row: id });
    });
    clearTimeout(this._turning);
    if (wide.matches && id !== null && this.how.details !== false) this._turning = setTimeout(() => this._beside(id), REST);
  }

  _details(id) {
    this._context.router.go(this.how.page, [id], this._listQuery());
  }

  _open(id) {
    const row = this.row(id);
    if (row && this.how.opens?.(row)) return;
    if (this.how.details !== false) this._details(id);
  }

  shown() {
    if (this._columns) this.table.columns(this._columns);
  }

  close() {
    clearTimeout(this._typed);
    clearTimeout(this._turning);
    this._shut();
    this._pane.close();
    this.table.close();
    this._drop();
    wide.removeEventListener("change", this._wider);
  }
}

/** One key may stand for several actions, of which the row allows one: the first that does is asked for. */
function mergedKeys(rows) {
  const found = new Map();
  for (const [key, title, press] of rows) {
    const before = found.get(key);
    found.set(key, before ? [key, `${before[1]} / ${title}`, () => before[2]() || press()] : [key, title, press]);
  }
  return [...found.values()];
}
