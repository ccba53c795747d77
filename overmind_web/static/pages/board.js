/** The board: quests as cards in five columns. A card moves by what is asked of its quest, and never by being dragged; on a phone one column is shown at a time. */

import { h, fill, word } from "../lib/dom.js";
import { mark } from "../lib/marks.js";
import { ask } from "../lib/ask.js";
import { menu } from "../lib/dialog.js";
import { href } from "../lib/router.js";
import { Guard } from "../lib/verbs.js";
import { addQuest } from "../lib/questform.js";
import { sheet } from "../lib/sheet.js";
import { now, tick, rest } from "../lib/time.js";
import { ACTIONS, links } from "./quests.js";

/** Columns in the order in which a phone shows the first that has a card. */
const FIRST = ["running", "review", "blocked", "queued", "done"];
const narrow = matchMedia("(max-width: 639px)");
const TYPED = 150;
/** Milliseconds after the last key before the filter is asked for. */
const REVIEW = "review";
/** What a question needs whose answer accepts work that stands ready. What a merge asks, as whether to undo what has landed, is read whole. */
const STEP = 5_000;
/** Milliseconds between two looks at how far running ones are. */

/** The address of what a card is about: a quest, or the document at whose gate a spec waits. */
const about = (card) => (card.spec ? href("spec", [card.spec, card.part].filter(Boolean)) : href("quests", [card.id]));

/** Whether a card is of a quest; one that waits at the gate of a spec is when a quest has made the document. */
const isQuest = (card) => !card.spec || card.quest === true;

export function open(place, context) {
  return new Board(place, context);
}

class Board {
  constructor(place, context) {
    sheet(new URL("../styles/board.css", import.meta.url).href).catch((error) => context.toasts.say(error.message, "bad"));
    this._context = context;
    this._query = { ...place.query };
    this._columns = new Map();
    this._cards = new Map();
    this._guard = new Guard();
    this._content = null;
    this.cursor = this._query.row ?? null;
    this._column = this._query.column ?? null;
    this.problem = h("p", { class: "problem tone-bad", role: "alert" });
    this.line = h("span", { class: "quiet list-line" });
    this.filter = h("input", { class: "field filter", type: "search", placeholder: "/ filter", "aria-label": "Filter", data: { filter: "" }, value: this._query.filter ?? "", autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    this.filter.addEventListener("input", () => {
      clearTimeout(this._typed);
      this._typed = setTimeout(() => this._set({ filter: this.filter.value }), TYPED);
    });
    this.lanes = h("select", { class: "field order", "aria-label": "Lanes", onchange: () => this._set({ by: this.lanes.value }) });
    this.pause = h("span", { class: "board-pause" });
    this.tabs = h("div", { class: "board-tabs", role: "tablist", "aria-label": "Columns" });
    this.body = h("div", { class: "board", tabindex: -1 });
    this.element = h(
      "section",
      { class: "page board-page", "aria-label": "Board" },
      h("header", { class: "page-head" }, h("h1", {}, "Board"), this.line, h("span", { class: "grow" }), h("div", { class: "tools" }, this.pause, this.lanes, this.filter, this._add("n"))),
      this.problem,
      this.tabs,
      this.body,
    );
    fill(this.body, h("p", { class: "quiet pad" }, "Loading …"));
    this._pane = context.socket.pane("board", this._args(), { content: ({ content }) => this._take(content), failed: (message) => this._failed(message), lost: () => {} });
    this._drop = context.keys.layer("board", this._keys());
    this._wider = () => this._draw();
    narrow.addEventListener("change", this._wider);
    this._stepping = setInterval(() => this._steps(), STEP);
  }

  _add(key = "") {
    return this._context.verbs.button("quest_add", () => addQuest(this._context), { label: "New", primary: true, key, icon: mark("plus", "plain"), says: ({ quests }) => `queued ${quests.map(({ name }) => name).join(", ")}` });
  }

  _keys() {
    const { router } = this._context;
    const with_ = (act) => () => (this._card() ? act(this._card()) : false);
    const quest = (act) => with_((card) => (isQuest(card) ? act(card) : false));
    const pressed = (...actions) => quest((card) => {
      const action = actions.find((one) => one.when(card));
      return action ? (this._press(action, card), true) : false;
    });
    const [cancel, retry, raise, lower] = ACTIONS;
    return [
      ["left", "column to the left", () => this._step(-1)],
      ["right", "column to the right", () => this._step(1)],
      ["j down", "down", () => this._move(1)],
      ["k up", "up", () => this._move(-1)],
      ["enter d", "all about it", with_((card) => ((location.hash = about(card)), true))],
      ["w", "why it waits", quest((card) => (router.go("quests", [card.id, "why"]), true))],
      ["l", "log of its work", with_((card) => (card.facts.there ? (router.go("m", [card.id, "log"]), true) : false))],
      ["v", "its changes", with_((card) => (card.facts.there ? (router.go("m", [card.id, "changes"]), true) : false))],
      ["y", "accept its work; its question", with_((card) => (card.question ? (this._reviews(card) ? this._answer(card) : router.go("needs", [], { q: card.question }), true) : false))],
      ["m", "send it back with words", with_((card) => (this._reviews(card) ? (this._sendBack(card), true) : false))],
      ["x", "cancel", pressed(cancel)],
      ["r", "retry", pressed(retry)],
      ["shift+up", "more urgent", pressed(raise)],
      ["shift+down", "less urgent", pressed(lower)],
      ["n", "a new quest", () => (this.element.querySelector('.tools [data-verb="quest_add"]')?.click(), true)],
      ["b", "lanes by spec, by group, by priority; none", () => this._nextLanes()],
    ];
  }

  // what is asked for

  _args() {
    const { filter = "", by = "", spec = "", all = "" } = this._query;
    return { filter, by, spec, all: Boolean(all) };
  }

  _set(query) {
    this._query = { ...this._query, ...query };
    this._context.router.note(this._query);
    this._pane.set(this._args());
  }

  _nextLanes() {
    const lanes = this._content?.lanes ?? [""];
    this._set({ by: lanes[(lanes.indexOf(this._content?.by ?? "") + 1) % lanes.length] });
    return true;
  }

  _failed(message) {
    this.problem.textContent = message.message;
  }

  _take(content) {
    this._content = content;
    this.problem.textContent = content.problem ?? "";
    this.filter.classList.toggle("wrong", Boolean(content.problem));
    const spec = this._query.spec ? [h("a", { href: href("board") }, "all quests"), ` · of ${this._query.spec}`] : "";
    fill(this.line, content.paused ? h("span", { class: "quiet" }, "the queue is paused ") : null, spec);
    const paused = content.paused ? "resume" : "pause";
    if (this.pause.dataset.does !== paused) {
      this.pause.dataset.does = paused;
      fill(this.pause, this._context.verbs.button(content.paused ? "queue_resume" : "queue_pause", { paused: !content.paused }, { label: paused, key: "", says: content.paused ? "the queue goes on" : "no other quest starts" }));
    }
    const shape = content.lanes.join();
    if (this._lanesShape !== shape) {
      this._lanesShape = shape;
      fill(this.lanes, content.lanes.map((one) => h("option", { value: one }, one ? `by ${one}` : "no lanes")));
      this.lanes.hidden = content.lanes.length < 2;
    }
    this.lanes.value = content.by;
    this._draw();
  }

  // what is drawn

  _draw() {
    const content = this._content;
    if (!content) return;
    const total = content.columns.reduce((sum, column) => sum + column.count, 0);
    if (this._column === null) this._column = (FIRST.map((name) => content.columns.find((column) => column.name === name)).find((column) => column?.count) ?? content.columns[0]).name;
    this.tabs.hidden = total === 0;
    if (total === 0) {
      this._clear();
      const typed = Boolean(this._query.filter);
      const [title, ...more] = typed ? ["Nothing matches."] : content.empty;
      fill(this.body, h("div", { class: "nothing" }, mark("board"), h("h2", {}, title), more.map((text) => h("p", { class: "quiet" }, text.replace(/^:/, "overmind "))), typed ? h("button", { type: "button", class: "button", onclick: () => ((this.filter.value = ""), this._set({ filter: "" })) }, "Show all") : this._add()));
      return;
    }
    if (!this._columns.size) {
      fill(this.body);
      for (const { name } of content.columns) this._columns.set(name, this._made(name));
    }
    const known = new Set();
    for (const column of content.columns) this._fill(column, known);
    for (const [id, card] of this._cards) {
      if (known.has(id)) continue;
      this._rest(card);
      card.element.remove();
      this._cards.delete(id);
    }
    const gone = known.has(this.cursor) ? null : this.cursor;
    if (!known.has(this.cursor)) this.cursor = this._landed();
    this._guard.shown(content.columns.flatMap((column) => column.cards.map((card) => card.id)));
    if (gone !== null && this.cursor !== null) this._guard.replaced(this.cursor);
    this._lit();
    this._steps();
  }

  _clear() {
    for (const card of this._cards.values()) this._rest(card);
    this._cards.clear();
    this._columns.clear();
  }

  /** The card that takes the cursor when its own is gone: the nearest of the same column, else any. */
  _landed() {
    const columns = this._content.columns;
    const here = columns.find((column) => column.name === this._column)?.cards ?? [];
    return here[Math.min(this._at ?? 0, here.length - 1)]?.id ?? (narrow.matches ? null : columns.flatMap((column) => column.cards)[0]?.id ?? null);
  }

  _made(name) {
    const title = document.createTextNode(name.charAt(0).toUpperCase() + name.slice(1));
    const count = h("span", { class: "quiet" });
    const list = h("div", { class: "board-cards", role: "group", "aria-label": name });
    const more = h("button", { type: "button", class: "button small board-more", hidden: true, onclick: () => this._set({ all: "1" }) });
    const element = h("section", { class: "board-column", data: { column: name }, "aria-label": name }, h("h2", { class: "board-title" }, title, " ", count), list, more);
    const tab = h("button", { type: "button", class: "board-tab", role: "tab", data: { column: name }, onclick: () => this._choose(name) });
    this.body.append(element);
    if (this._columns.size === 0) fill(this.tabs);
    this.tabs.append(tab);
    return { element, list, more, count, tab };
  }

  _fill(column, known) {
    const drawn = this._columns.get(column.name);
    const { slots, used } = this._content; // a quest that asks keeps its slot, and stands in review
    const number = column.name === "running" ? `${column.count} · ${used} of ${slots} slots` : String(column.count);
    if (drawn.count.textContent !== number) drawn.count.textContent = number;
    fill(drawn.tab, h("b", {}, String(column.count)), ` ${column.name}`);
    drawn.more.hidden = !column.more;
    const all = Boolean(this._query.all); // the server sends no more of a column
    drawn.more.disabled = all;
    drawn.more.textContent = all ? `${column.more}: filter to find them` : column.more;
    const wanted = [];
    let lane = null;
    for (const card of column.cards) {
      known.add(card.id);
      if ((card.lane ?? "") !== (lane ?? "")) wanted.push(h("h3", { class: "board-lane quiet" }, card.lane));
      lane = card.lane;
      wanted.push(this._drawn(card));
    }
    if (!wanted.length) wanted.push(h("p", { class: "quiet board-none" }, "none"));
    const same = drawn.list.childNodes.length === wanted.length && wanted.every((node, at) => node === drawn.list.childNodes[at]);
    if (!same) {
      const focused = document.activeElement;
      drawn.list.replaceChildren(...wanted);
      if (focused instanceof HTMLElement && drawn.list.contains(focused)) focused.focus({ preventScroll: true });
    }
  }

  /** The element of a card: the one that is there, unless something of the card changed. */
  _drawn(card) {
    const shape = JSON.stringify(card);
    const before = this._cards.get(card.id);
    if (before?.shape === shape) return before.element;
    if (before) this._rest(before);
    const made = this._card_(card);
    this._cards.set(card.id, { ...made, shape, card });
    if (before?.element.contains(document.activeElement)) requestAnimationFrame(() => made.name.focus({ preventScroll: true }));
    return made.element;
  }

  _card_(card) {
    const ticking = [];
    const span = (moment, lead, after = "") => {
      const node = document.createTextNode("");
      tick(node, moment, lead);
      ticking.push(node);
      return h("span", { class: "quiet" }, node, after);
    };
    const name = h("a", { class: "board-name", href: about(card) }, card.name);
    const facts = [];
    if (card.since) facts.push(span(card.since, ""));
    if (card.cost) facts.push(h("span", { class: "quiet" }, card.cost));
    const said = [];
    if (card.since && !card.why) said.push(h("span", { class: `tone-${word(card.tone)}` }, card.state));
    if (card.why) said.push(h("span", { class: `tone-${word(card.why_tone ?? "quiet")}` }, card.why));
    if (!said.length && card.state) said.push(h("span", { class: "quiet" }, card.state));
    if (card.ended) said.push(span(card.ended, "", " ago"));
    if (card.tries) said.push(h("span", { class: "quiet" }, `try ${card.tries}`));
    if (card.priority) said.push(h("span", { class: { critical: "tone-text tone-news", high: "tone-text" }[card.priority] ?? "quiet" }, card.priority));
    const bar = card.estimate ? h("progress", { class: "board-bar", max: 100, "aria-label": "of the time that its like took" }) : null;
    const element = h(
      "article",
      { class: ["board-card", `edge-${word(card.tone)}`], data: { id: card.id }, "aria-label": card.name },
      h("header", { class: "board-card-head" }, mark(card.mark, `tone-${word(card.tone)}`), h("span", { class: "hidden-text" }, card.state), name, h("span", { class: "grow" }), facts, this._more(card)),
      h("p", { class: "board-said" }, said),
      bar,
      this._buttons(card),
    );
    element.addEventListener("pointerdown", () => this._to(card.id));
    element.addEventListener("focusin", () => this._to(card.id));
    return { element, name, ticking, bar };
  }

  /** What brings the card on, in reach: the rest is in its menu. */
  _buttons(card) {
    const row = this._row(card);
    const { verbs } = this._context;
    const link = (label, to, primary = false) => h("a", { class: ["button small", primary && "primary"], href: to }, label);
    const found = [];
    if (card.spec) found.push(link("Read", about(card), true));
    else if (this._reviews(card)) {
      if (card.facts.there) found.push(link("Changes", href("m", [card.id, "changes"])));
      const [args, how] = this._told(card);
      found.push(verbs.button("answer", args, { ...how, label: card.lands ? "Land" : "Accept", key: "", small: true, primary: true }));
    } else if (card.question) found.push(link("Read", href("needs", [], { q: card.question }), true));
    const retry = ACTIONS.find((action) => action.verb === "quest_retry");
    if (retry.when(row)) found.push(verbs.button("quest_retry", () => (this._press(retry, card), null), { label: "Retry", key: "", small: true, primary: !card.question }));
    const stuck = row.facts.status === "failed" || (row.facts.status === "queued" && card.why_tone === "bad");
    if (stuck) found.push(link("Why", href("quests", [card.id, "why"])));
    if (card.question && card.facts.there && !this._reviews(card)) found.push(link("Changes", href("m", [card.id, "changes"])));
    return found.length ? h("footer", { class: "board-buttons" }, found) : null;
  }

  /** Whether its question is one whose answer accepts its work, which lands where the card says so. */
  _reviews(card) {
    return Boolean(card.question) && card.need === REVIEW;
  }

  /** What an answer to the question that the card shows asks for, and how: its work is accepted, or sent back with words. */
  _told(card, given = { behaviour: "allow" }) {
    const says = `${card.name}: ${given.behaviour !== "allow" ? "sent back" : card.lands ? "it lands" : "accepted"}`;
    return [{ question: card.question, ...given }, { says, guard: () => this._guard.refusal(card.id) }];
  }

  _answer(card, given) {
    return this._context.verbs.press("answer", ...this._told(card, given));
  }

  async _sendBack(card) {
    const words = h("textarea", { class: "field", rows: 4, placeholder: "what it should do instead" });
    const given = await ask(`Send back ${card.name}`, [["message", "Words", words]], "Send back", "This attempt fails; the next one gets these words.");
    if (given) this._answer(card, { behaviour: "deny", ...(given.message ? { message: given.message } : {}) });
  }

  _more(card) {
    const show = () => {
      const row = this._row(card);
      const { verbs, socket } = this._context;
      const actions = !isQuest(card) ? [] : ACTIONS.filter((action) => action.when(row)).map((action) => ({
        label: action.label, key: action.key ?? verbs.row(action.verb)?.key ?? "", danger: verbs.row(action.verb)?.danger === "ends work",
        disabled: !socket.ready || !verbs.allowed(action.verb), press: () => this._press(action, card),
      }));
      if (this._reviews(card)) actions.unshift({ label: "Send back …", key: "m", disabled: !socket.ready || !verbs.allowed("answer"), press: () => this._sendBack(card) });
      const ways = [{ title: "About", href: about(card) }, ...(card.question ? [{ title: "Its question", href: href("needs", [], { q: card.question }) }] : []), ...(!isQuest(card) ? [] : [{ title: "Why", href: href("quests", [card.id, "why"]) }, ...links(row)])];
      return menu(card.name, [...actions, ...ways.map((way) => ({ label: way.title, press: () => (location.hash = way.href) }))]);
    };
    return h("button", { type: "button", class: "bare board-menu", "aria-label": `More of ${card.name}`, onclick: show }, mark("more", "plain"));
  }

  _row(card) {
    return { id: card.id, name: card.name, facts: card.facts, cells: { state: { text: card.state } } };
  }

  _press(action, card) {
    const row = this._row(card);
    return this._context.verbs.press(action.verb, () => action.args(row), {
      label: action.label, asks: () => action.asks?.(row) ?? [row.name], says: () => action.says?.(row) ?? null, guard: () => this._guard.refusal(card.id),
    });
  }

  /** How far running ones are, by what the like of them took. */
  _steps() {
    for (const { bar, card } of this._cards.values()) {
      if (bar) bar.value = Math.min(98, ((now() - (card.attempt ?? now())) / card.estimate) * 100);
    }
  }

  _rest(card) {
    card.ticking.forEach(rest);
  }

  // the cursor

  _card() {
    return this._cards.get(this.cursor)?.card ?? null;
  }

  _place() {
    for (const [place, column] of (this._content?.columns ?? []).entries()) {
      const at = column.cards.findIndex((card) => card.id === this.cursor);
      if (at >= 0) return [place, at];
    }
    return null;
  }

  _to(id) {
    if (id === this.cursor) return;
    this.cursor = id;
    this._lit();
  }

  _lit() {
    const place = this._place();
    if (place) {
      const [column, at] = place;
      this._at = at;
      if (!narrow.matches || this._content.columns[column].name === this._column) this._column = this._content.columns[column].name;
    }
    this.body.dataset.column = this._column;
    for (const [name, drawn] of this._columns) {
      drawn.element.classList.toggle("chosen", name === this._column);
      drawn.tab.setAttribute("aria-selected", name === this._column ? "true" : "false");
    }
    for (const [id, { element }] of this._cards) element.classList.toggle("cursor", id === this.cursor);
    this._context.router.note({ ...this._query, row: this.cursor ?? "", column: this._column });
  }

  _choose(name) {
    this._column = name;
    this.cursor = this._content.columns.find((column) => column.name === name)?.cards[0]?.id ?? null;
    this._at = 0;
    this._lit();
  }

  _show() {
    this._lit();
    this._cards.get(this.cursor)?.element.scrollIntoView({ block: "nearest" });
    return true;
  }

  _move(step) {
    const place = this._place();
    if (!place) return false;
    const cards = this._content.columns[place[0]].cards;
    this.cursor = cards[Math.max(0, Math.min(cards.length - 1, place[1] + step))].id;
    return this._show();
  }

  /** To the nearest column on that side that has cards; on a phone to any. */
  _step(step) {
    const columns = this._content?.columns ?? [];
    for (let at = columns.findIndex((column) => column.name === this._column) + step; at >= 0 && at < columns.length; at += step) {
      const { cards, name } = columns[at];
      if (!cards.length && !narrow.matches) continue;
      this._column = name;
      this.cursor = cards[Math.min(this._at ?? 0, cards.length - 1)]?.id ?? null;
      return this._show();
    }
    return true;
  }

  mission() {
    return null;
  }

  go(place) {
    const same = ["filter", "by", "spec", "all"].every((name) => (place.query[name] ?? "") === (this._query[name] ?? ""));
    this._query = { ...place.query };
    if (same) return;
    this.filter.value = this._query.filter ?? "";
    this._pane.set(this._args());
  }

  close() {
    clearTimeout(this._typed);
    clearInterval(this._stepping);
    this._clear();
    this._pane.close();
    this._drop();
    narrow.removeEventListener("change", this._wider);
  }
}
