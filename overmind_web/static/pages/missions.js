/** Missions: the list in its groups with its header, and from 1,100 pixels the mission of the cursor's row beside it. Below that width a mission has the page alone. */

import { h, fill, word } from "../lib/dom.js";
import { mark } from "../lib/marks.js";
import { REST, Table } from "../lib/table.js";
import { MissionPanel, TABS } from "../lib/mission.js";
import { actions } from "../lib/actions.js";
import { newMission } from "../lib/form.js";
import { menu } from "../lib/dialog.js";
import { Strip } from "../lib/strip.js";
import { href } from "../lib/router.js";
import { keep, kept } from "../lib/store.js";

/** As the full-screen program's table; `keep`: the larger, the sooner it leaves. `px`: what it needs at least. */
const COLUMNS = [
  { key: "name", title: "NAME", width: "minmax(180px, 1.9fr)", px: 180, keep: 0 },
  { key: "state", title: "STATE", width: "104px", px: 104, keep: 1 },
  { key: "for", title: "FOR", width: "44px", px: 44, keep: 3, right: true },
  { key: "cost", title: "COST", width: "60px", px: 60, keep: 4, right: true, spare: true },
  { key: "cpu", title: "CPU", width: "48px", px: 48, keep: 5, right: true },
  { key: "changed", title: "CHANGED", width: "96px", px: 96, keep: 12, right: true, spare: true },
  { key: "agent", title: "AGENT", width: "72px", px: 72, keep: 7, spare: true },
  { key: "age", title: "AGE", width: "44px", px: 44, keep: 10, right: true, wide: true },
  { key: "tokens", title: "TOK", width: "52px", px: 52, keep: 13, right: true, wide: true, spare: true },
  { key: "restarts", title: "RST", width: "40px", px: 40, keep: 8, right: true, wide: true, spare: true },
  { key: "exit", title: "EXIT", width: "48px", px: 48, keep: 9, right: true, wide: true },
  { key: "memory", title: "MEM", width: "60px", px: 60, keep: 6, right: true, wide: true },
  { key: "output", title: "OUT", width: "72px", px: 72, keep: 11, right: true, wide: true, spare: true },
  { key: "folder", title: "FOLDER", width: "minmax(90px, .8fr)", px: 120, keep: 16, wide: true, sorts: false },
  { key: "now", title: "NOW", width: "minmax(160px, 2.2fr)", px: 180, keep: 2, sorts: false },
];
const ORDERS = [["", "as started"], ["name", "name"], ["state", "state"], ["for", "time in state"], ["cost", "cost"], ["cpu", "CPU"], ["memory", "memory"]];
const LINKS = { needs: "needs", queue: "queue", cost: "cost", notes: "memory" };
/** What a part of the header is about → the page that has all of it. */
const FILTERS = { failed: "state:failed|timed|lost" };
/** What a part of the header is about → the filter of this list that keeps all of it. */
const wide = matchMedia("(min-width: 1100px)");
const MOST_LOGS = 100;
/** Missions whose logs are read as one at most. */
const TYPED = 150;
/** Milliseconds after the last key before the filter is asked for. */

export function open(place, context) {
  return new Missions(place, context);
}

class Missions {
  constructor(place, context) {
    this._context = context;
    this._query = { ...place.query };
    this._alone = null;
    this._typed = null;
    this._side = null;
    this._columns = COLUMNS.filter((column) => !column.wide);
    this._folded = new Set(kept("folded", []));
    this._opened = new Set();
    this._unfolded = kept("unfolded", false) === true;
    this.table = new Table({
      label: "missions",
      columns: this._columns,
      window: (from, to) => this._pane.window(from, to),
      open: (id) => this._open(id),
      moved: (id) => this._moved(id),
      touched: (id) => this._pane.send({ t: "say", say: { row: id } }),
      fold: (id) => this._turn(id),
      order: (key) => this._order(key),
      marks: () => this._marks(),
      sorted: () => ({ key: this._query.order, reversed: Boolean(this._query.reversed) }),
      empty: () => this._empty(),
    });
    this._build();
    if (this._query.row) this.table.await(this._query.row);
    this._pane = context.socket.pane("missions", this._args(), { rows: (message) => this._rows(message), failed: (message) => this._failed(message), lost: () => (this._told = null) }, { from: 0, to: 40 });
    this._drop = context.keys.layer("missions", this._keys());
    this.strip.shown(wide.matches);
    this._wider = () => {
      this.strip.shown(wide.matches);
      this.go(context.router.place);
    };
    wide.addEventListener("change", this._wider);
    if (context.socket.head) this.counted(context.socket.head);
    this._place(place);
  }

  _build() {
    const { verbs } = this._context;
    this.call = h("div", { class: "counts-line", role: "group", "aria-label": "Who needs you" });
    this.figures = h("div", { class: "counts-line figures", role: "group", "aria-label": "Figures" });
    this.problem = h("p", { class: "problem tone-bad", role: "alert", hidden: true });
    this.filter = h("input", { class: "field filter", type: "search", placeholder: "/ filter", "aria-label": "Filter", data: { filter: "" }, value: this._query.filter ?? "", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    this.filter.addEventListener("input", () => {
      clearTimeout(this._typed);
      this._typed = setTimeout(() => this._set({ filter: this.filter.value }), TYPED);
    });
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "ArrowDown") {
        event.preventDefault();
        this.table.focus();
      } else if (event.key === "Escape") {
        if (this.filter.value) {
          this.filter.value = "";
          this._set({ filter: "" });
        }
        this.table.focus();
      }
    });
    this.order = h("select", { class: "field order", "aria-label": "Order" }, ORDERS.map(([key, title]) => h("option", { value: key, selected: (this._query.order ?? "") === key }, title)));
    this.order.addEventListener("change", () => this._set({ order: this.order.value, reversed: "" }));
    this.fresh = verbs.button("run", () => this._new(), { label: "New", primary: true, key: "n", icon: mark("plus", "plain") });
    this.mass = h("div", { class: "mass", hidden: true });
    this.more = h("button", { type: "button", class: "button square", "aria-label": "More of this list", onclick: () => this._listMenu() }, mark("more", "plain"));
    this.bar = h("header", { class: "page-head missions-head" }, h("h1", {}, "Missions"), this.call, h("span", { class: "grow" }), this.figures, h("div", { class: "tools" }, this.filter, this.order, this.fresh, this.more));
    this.strip = new Strip(this._context);
    this.list = h("div", { class: "missions-list" }, this.bar, this.strip.element, this.problem, this.mass, this.table.element);
    this.side = h("aside", { class: "side", "aria-label": "The chosen mission", hidden: true });
    this.element = h("section", { class: "page split", "aria-label": "Missions" }, this.list, this.side);
  }

  _keys() {
    const { table } = this;
    const act = (verb, how) => () => (table.targets.length === 0 ? false : (this._act(verb, how), true));
    const tab = (name) => () => (table.mission === null ? false : (this._context.router.go("m", [table.mission, name], this._listQuery()), true));
    return [
      ["j down", "down", () => table.move(1)],
      ["k up", "up", () => table.move(-1)],
      ["g home", "first row", () => table.move(-Infinity)],
      ["G end", "last row", () => table.move(Infinity)],
      ["pagedown ctrl+f", "a page down", () => table.move(15)],
      ["pageup ctrl+b", "a page up", () => table.move(-15)],
      ["enter", "open its question or log; unfold those that ended", () => (table.cursor === null ? false : (this._open(table.cursor), true))],
      ["h left", "fold what is below it", () => this._fold(true)],
      ["right", "unfold it, with what ended there", () => this._fold(false)],
      ["y", "answer what it asks", () => this._question(table.cursor)],
      ["space", "mark the row", () => (table.mark(), table.move(1))],
      ["ctrl+space", "mark all from the last mark to here", () => table.markRange()],
      ["*", "mark all rows in view", () => table.markAll()],
      ["ctrl+\\", "clear marks", () => table.markAll(false)],
      ["n", "new mission", () => this.fresh.click()],
      ["m", "message", () => this._message()],
      ["a", "its terminal", tab("terminal")],
      ["l", "its log, or one of all that are marked", () => (table.marked.size ? (this._logs(), true) : tab("log")())],
      ["d", "describe it", tab("describe")],
      ["v", "its changes", tab("changes")],
      ["e", "change how it is treated", () => (this._side ? (this._side.treat(), true) : false)],
      ["i", "interrupt the turn", act("interrupt")],
      ["r", "restart", act("restart")],
      ["x", "stop", act("stop")],
      ["ctrl+k", "kill", act("kill")],
      ["ctrl+d", "remove", act("rm")],
      ["t", "tree or flat", () => this._set({ flat: this._query.flat ? "" : "1" })],
      ["ctrl+z", "only what needs attention", () => this._set({ attention: this._query.attention ? "" : "1" })],
      ["N", "sort by name", () => this._order("name")],
      ["A", "one list without groups, as they were started; again: groups", () => this._set({ plain: this._query.plain ? "" : "1", order: "", reversed: "" })],
      ["S", "sort by state", () => this._order("state")],
      ["F", "sort by time in its state", () => this._order("for")],
      ["%", "sort by CPU", () => this._order("cpu")],
      ["M", "sort by memory", () => this._order("memory")],
      ["$", "sort by cost", () => this._order("cost")],
      ["c", "copy its id", () => this._copy()],
    ];
  }

  // what is asked for

  _args() {
    const { filter = "", order = "", reversed = "", flat = "", attention = "", plain = "" } = this._query;
    return { filter, order, reversed: Boolean(reversed), folded: [...this._folded], opened: [...this._opened], flat: Boolean(flat), attention: Boolean(attention), plain: Boolean(plain), unfolded: this._unfolded };
  }

  _listQuery() {
    const { filter, order, reversed, flat, attention, plain } = this._query;
    return { filter, order, reversed, flat, attention, plain };
  }

  _set(query) {
    const typed = this._typed === null ? {} : { filter: this.filter.value }; // and not asked for yet
    clearTimeout(this._typed);
    this._typed = null;
    this._query = { ...this._query, ...typed, ...query };
    if (this.filter.value !== (this._query.filter ?? "") && document.activeElement !== this.filter) this.filter.value = this._query.filter ?? "";
    this.order.value = ORDERS.some(([key]) => key === this._query.order) ? this._query.order : "";
    this._context.router.note(this._query);
    this.problem.hidden = true;
    this.filter.classList.remove("wrong");
    this._pane.set(this._args(), { from: 0, to: 40 });
    this.table.columns(this._columns);
  }

  /** Keep what a link of the header counts, in the order that the list has. */
  _narrow(event, filter) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    this._context.router.go("missions", [], { ...this._listQuery(), filter });
  }

  _order(key) {
    const same = this._query.order === key;
    this._set(same && this._query.reversed ? { order: "", reversed: "" } : { order: key, reversed: same ? "1" : "" });
    return true;
  }

  /** Fold what is below a row, or show it: its children, what ended in its family, the older runs of a ritual, or all that ended. */
  _fold(fold, id = this.table.cursor) {
    const facts = this.table.row(id)?.[5];
    if (!facts) return false;
    if (facts.kind) {
      if (fold === Boolean(facts.folded)) return false;
      this._unfolded = !fold;
      keep("unfolded", this._unfolded);
    } else if (fold) {
      if (facts.opened) this._opened.delete(id);
      else if (facts.folded !== 0) return this._toParent(facts.parent); // nothing to fold, as in the full-screen program
      else if (this._rituals.has(id)) this._opened.delete(id);
      else this._folded.add(id);
    } else if (facts.folded) {
      if (this._rituals.has(id)) this._opened.add(id);
      else this._folded.delete(id);
    } else if (facts.past) this._opened.add(id);
    else return false;
    keep("folded", [...this._folded].slice(-500));
    this._pane.set(this._args());
    return true;
  }

  /** Fold it where it is open, else show it. */
  _turn(id) {
    const { kind, folded, past, opened } = this.table.row(id)?.[5] ?? {};
    const isShut = folded > 0 || (!kind && Boolean(past) && folded === undefined && !opened);
    return this._fold(!isShut, id);
  }

  _toParent(parent) {
    const { table } = this;
    if (!parent || (table.ids.length >= table.total && !table.ids.includes(parent))) return false;
    table.await(parent);
    return true;
  }

  /** To the page that has the question of a row whole; whether it asks anything. */
  _question(id) {
    const question = this.table.row(id)?.[5]?.question;
    if (question === undefined) return false;
    this._context.router.go("needs", [], { q: question });
    return true;
  }

  _rows(message) {
    this._rituals = new Set(message.head?.rituals ?? this._rituals ?? []);
    if (message.problem !== undefined) {
      this.problem.textContent = message.problem;
      this.problem.hidden = !message.problem;
      this.filter.classList.toggle("wrong", Boolean(message.problem));
      this.filter.setAttribute("aria-invalid", String(Boolean(message.problem)));
    }
    this._loaded = true;
    this.table.take(message);
    if (this._told === this._pane.number) return;
    this._told = this._pane.number; // it was opened anew, and knows of no row that somebody is at
    this.table.tell();
  }

  _failed(message) {
    this.problem.textContent = message.message;
    this.problem.hidden = false;
    this.filter.classList.add("wrong");
  }

  _empty() {
    const filtered = this._query.filter || this._query.attention;
    if (!this._loaded) return h("p", { class: "quiet" }, "Loading …");
    if (filtered) {
      return h("div", {}, h("h2", {}, "No mission matches."), h("button", { type: "button", class: "button", onclick: () => ((this.filter.value = ""), this._set({ filter: "", attention: "" })) }, "Show all missions"));
    }
    return h("div", {}, mark("working"), h("h2", {}, "No missions yet."), h("p", { class: "quiet" }, "Start an agent, a shell or a command: it goes on when you close this page."), this._context.verbs.button("run", () => this._new(), { label: "New mission", primary: true, key: "n" }));
  }

  // where it is looked at

  go(place) {
    const same = ["filter", "order", "reversed", "flat", "attention", "plain"].every((name) => (place.query[name] ?? "") === (this._query[name] ?? ""));
    if (!same && place.page === "missions") {
      this._query = { ...place.query };
      this.filter.value = this._query.filter ?? "";
      this._pane.set(this._args(), { from: 0, to: 40 });
    }
    this._place(place);
  }

  _place(place) {
    const [id, tab] = place.page === "m" ? place.parts : [null, null];
    this.element.classList.toggle("alone", id !== null && !wide.matches);
    if (id) {
      if (this.table.cursor !== id) this.table.await(id);
      this._beside(id, TABS.some((one) => one.name === tab) ? tab : "log", true);
    } else if (wide.matches && this._isShown(this.table.cursor)) this._beside(this.table.cursor, this._tab ?? "log");
    else if (!wide.matches) this._shut();
  }

  _beside(id, tab, named = false) {
    if (named) this._tab = tab;
    if (this._side?.id === id) {
      this._side.show(tab);
      this.side.hidden = false;
      return;
    }
    this._side?.close();
    this._side = new MissionPanel(id, tab, this._context, { back: () => this._context.router.go("missions", [], this._listQuery()), query: () => this._listQuery(), named: (id, tab) => this._context.router.rename("m", [id, tab], this._listQuery()) });
    fill(this.side, this._side.element);
    this.side.hidden = false;
    this._context.looks();
  }

  _shut() {
    this._side?.close();
    this._side = null;
    fill(this.side);
    this.side.hidden = true;
  }

  _moved(id) {
    this._context.router.soon(() => this._name(id));
    clearTimeout(this._turning);
    if (wide.matches) this._turning = setTimeout(() => this._isShown(id) && this._beside(id, this._tab ?? "log"), REST);
  }

  /** Whether a row has a page of its own: it is a mission, as far as is known. */
  _isShown(id) {
    return id !== null && !id.startsWith(":") && !this.table.row(id)?.[5]?.stands;
  }

  /** The address has the row. */
  _name(id) {
    const { router } = this._context;
    const { page, parts } = router.place;
    if (page === "missions") router.note({ ...this._listQuery(), row: id });
    else if (page === "m" && wide.matches && this._isShown(id) && parts[0] !== id) history.replaceState(null, "", href("m", [id, parts[1] ?? "log"], this._listQuery()));
  }

  _open(id) {
    if (id.startsWith(":")) this._turn(id);
    if (id.startsWith(":") || this._question(id)) return;
    this._context.router.go("m", [id, this._tab && wide.matches ? this._tab : "log"], this._listQuery());
    if (wide.matches) this._side?.focus?.();
  }

  mission() {
    return this._side?.id ?? null;
  }

  close() {
    clearTimeout(this._typed);
    clearTimeout(this._turning);
    this._shut();
    this.strip.close();
    this._pane.close();
    this.table.close();
    this._drop();
    wide.removeEventListener("change", this._wider);
  }

  shown() {
    this.table.columns(this._columns);
  }

  // what it says and does

  counted(head) {
    const part = ([key, text, tone]) => {
      const more = { class: ["figure", `figure-${key}`, `tone-${word(tone)}`] };
      if (key in FILTERS) return h("a", { ...more, href: href("missions", [], { filter: FILTERS[key] }), onclick: (event) => this._narrow(event, FILTERS[key]) }, text);
      return key in LINKS && this._context.pages.has(LINKS[key]) ? h("a", { ...more, href: href(LINKS[key]) }, text) : h("span", more, text);
    };
    for (const [line, parts] of [[this.call, head.call ?? []], [this.figures, head.figures ?? []]]) {
      const shape = JSON.stringify(parts);
      if (line.shape === shape) continue; // one may be under the finger
      line.shape = shape;
      fill(line, parts.map(part));
    }
  }

  _describe(id) {
    const cells = this.table.cells(id);
    const row = this.table.row(id);
    return { name: row?.[2] ?? id, state: cells.state?.text ?? "", since: cells.for?.since };
  }

  _act(verb, how = {}) {
    return actions(this._context).press(verb, this.table.targets.map((id) => ({ id, ...this._describe(id) })), {
      guard: () => (this.table.marked.size ? null : this.table.guard.refusal(this.table.cursor)),
      done: () => this.table.markAll(false),
      ...how,
    });
  }

  _marks() {
    const { marked } = this.table;
    this.mass.hidden = marked.size === 0;
    if (!marked.size) return;
    const button = (verb, label) => h("button", { type: "button", class: "button small", onclick: () => this._act(verb) }, label);
    fill(this.mass, h("b", {}, `${marked.size} marked`), h("button", { type: "button", class: "button small", onclick: () => this._logs() }, "Log"), button("stop", "Stop"), button("restart", "Restart"), button("kill", "Kill"), button("rm", "Remove"), h("button", { type: "button", class: "button small", onclick: () => this.table.markAll(false) }, "Clear marks"));
  }

  /** One log of all that are marked, by the time of their lines. */
  _logs() {
    const marked = [...this.table.marked];
    if (marked.length > MOST_LOGS) this._context.toasts.say(`the log is of ${MOST_LOGS} of the ${marked.length} marked missions`);
    this._context.router.go("log", marked.slice(0, MOST_LOGS));
  }

  _message() {
    const cursor = this.table.mission;
    if (cursor === null) return false;
    clearTimeout(this._turning);
    if (!wide.matches) this._context.router.go("m", [cursor, "log"], this._listQuery());
    this._beside(cursor, this._tab ?? "log"); // which the panel may not show yet
    this._side.compose();
    return true;
  }

  async _copy() {
    const { targets } = this.table;
    if (!targets.length) return;
    try {
      await navigator.clipboard.writeText(targets.join("\n"));
      this._context.toasts.say(`copied ${targets.length === 1 ? targets[0] : `${targets.length} ids`}`, "good");
    } catch {
      this._context.toasts.say(`This browser lets nobody copy here: ${targets.join(" ")}`);
    }
  }

  _listMenu() {
    const now = this._query;
    return menu("Missions", [
      { label: now.flat ? "As a tree" : "Flat", key: "t", press: () => this._set({ flat: now.flat ? "" : "1" }) },
      { label: now.plain ? "In groups" : "One list without groups", key: "A", press: () => this._set({ plain: now.plain ? "" : "1", order: "", reversed: "" }) },
      { label: now.attention ? "Show all" : "Only what needs attention", key: "^z", press: () => this._set({ attention: now.attention ? "" : "1" }) },
      { label: this._columns.length === COLUMNS.length ? "Fewer columns" : "More columns", press: () => ((this._columns = this._columns.length === COLUMNS.length ? COLUMNS.filter((column) => !column.wide) : COLUMNS), this.table.columns(this._columns)) },
      ...ORDERS.map(([key, title]) => ({ label: key ? `Order by ${title}` : "Order as started", press: () => this._set({ order: key, reversed: "" }) })),
      { label: "Remove finished missions", danger: true, disabled: !this._context.verbs.allowed("prune"), press: () => this._context.verbs.press("prune", {}, { says: ({ missions }) => `removed ${missions.length} finished ${missions.length === 1 ? "mission" : "missions"}` }) },
      { label: "Mark the row", key: "space", press: () => this.table.mark() },
    ]);
  }

  /** The form; it starts the mission itself. */
  async _new() {
    const started = await newMission(this._context);
    if (started) this._context.router.go("m", [started.id, started.tab], this._listQuery());
    return null;
  }
}
