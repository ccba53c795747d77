/** Needs you: every question whole, who is blocked for good, and whose turn is over. On a phone one card below the other, on a desk the list and the card. */

import { h, fill } from "../lib/dom.js";
import { mark } from "../lib/marks.js";
import { tick } from "../lib/time.js";
import { Card, kindOf } from "../lib/card.js";
import { Guard } from "../lib/verbs.js";

const TITLES = { blocked: "Blocked", failed: "Failed or lost", "lost with the keeper": "Failed or lost", "your turn": "Your turn" };
const titleOf = (need) => TITLES[need.group] ?? need.group;
const wide = matchMedia("(min-width: 1100px)");
const NAMED = 800;
/** Milliseconds within which it is told who answered. */

export function open(place, context) {
  return new Needs(place, context);
}

class Needs {
  constructor(place, context) {
    this._context = context;
    this._closing = new AbortController();
    this._cards = new Map();
    this._needs = [];
    this._mine = new Map();
    this._gone = new Map();
    this._guard = new Guard();
    this._wanted = place.query;
    this.cursor = null;
    this.list = h("div", { class: "needs-list" });
    this.cards = h("div", { class: "cards" });
    this.status = h("span", { class: "live-dot" });
    this.head = h("header", { class: "page-head" }, h("h1", {}, "Needs you"), h("span", { class: "grow" }), this._live());
    this.body = h("div", { class: "needs" }, this.list, this.cards);
    this.element = h("section", { class: "page", "aria-label": "Needs you" }, this.head, this.body);
    this._pane = context.socket.pane("needs", {}, { content: (message) => this._take(message.content), failed: (message) => this._failed(message), lost: () => {} });
    this._drop = context.keys.layer("needs you", [
      ["y", "allow it once; approve; send what is chosen", () => this._key("y")],
      ["n", "deny it", () => this._key("n")],
      ["m", "answer with words; on your turn, reply", () => this._key("m")],
      ["Y", "always allow by a rule; shows the rule first", () => this._key("Y")],
      ["1 2 3 4 5 6 7 8 9", "choose an option", (event) => this._current?.number(Number(event.key)) ?? false],
      ["a", "its terminal", () => this._go("terminal")],
      ["l", "its log", () => this._go("log")],
      ["d", "describe it", () => this._go("describe")],
      ["r", "restart it", () => this._key("r")],
      ["j down", "the next one", () => this._move(1)],
      ["k up", "the one before", () => this._move(-1)],
      ["enter", "to its card", () => this._current?.element.querySelector("button")?.focus()],
    ]);
    this._wider = () => this._draw();
    wide.addEventListener("change", this._wider);
    fill(this.cards, h("p", { class: "quiet loading" }, "Loading …"));
  }

  _live() {
    const words = document.createTextNode("live");
    const dot = h("span", { class: "live" }, h("span", { class: "dot", "aria-hidden": "true" }), words);
    const show = () => (words.data = this._context.socket.ready ? "live" : "not connected");
    for (const type of ["live", "lost", "up"]) this._context.socket.addEventListener(type, show, { signal: this._closing.signal });
    show();
    return dot;
  }

  go(place) {
    this._wanted = place.query;
    if (place.query.next) this._move(1, true);
    else this._choose(place.query);
  }

  mission() {
    return this._needs.find((need) => need.key === this.cursor)?.id ?? null;
  }

  close() {
    this._pane.close();
    this._drop();
    this._closing.abort();
    wide.removeEventListener("change", this._wider);
  }

  _failed(message) {
    fill(this.cards, h("div", { class: "nothing" }, h("p", { class: "tone-bad" }, message.message)));
  }

  _take(content) {
    const before = new Map(this._needs.map((need) => [need.key, need]));
    this._needs = content.needs;
    this._loaded = true;
    const now = new Set(this._needs.map((need) => need.key));
    for (const [key, need] of before) if (!now.has(key)) this._left(need);
    for (const [key, need] of this._gone) this._tell(key, need, content.answered?.[String(need.question)]);
    for (const need of this._needs) if (!before.has(need.key) && before.size + this._mine.size > 0 && need.question) this._context.announce(`${need.name} asks: ${need.summary}`);
    if (this._wanted) this._choose(this._wanted);
    if (!now.has(this.cursor) && !this._wanted?.q) this._fall([...before.keys()].indexOf(this.cursor));
    this._draw();
  }

  /** The cursor's card is gone: another one takes its place, by nobody's wish. `old`: where it stood; -1: nowhere. */
  _fall(old) {
    this.cursor = this._needs[Math.max(0, Math.min(old, this._needs.length - 1))]?.key ?? null;
    if (old >= 0 && this.cursor !== null) this._guard.replaced(this.cursor);
  }

  _choose(query) {
    const found = this._needs.find((need) => (query.q && String(need.question) === query.q) || (query.id && need.id === query.id));
    if (!found) {
      if (query.q) this._missing(query);
      return;
    }
    this._wanted = null;
    this.cursor = found.key;
    this._draw();
    this._cards.get(found.key)?.element.scrollIntoView({ block: "start" });
  }

  /** The question of a link is not open: no other one is chosen in its place. It is said once it had time to come. */
  _missing(query) {
    this.cursor = null;
    this._light();
    if (this._missed === query || !this._loaded) return;
    this._missed = query;
    setTimeout(() => {
      if (this._wanted === query && !this._closing.signal.aborted) this._context.toasts.say(`question ${query.q} is no longer open`);
    }, NAMED);
  }

  /** A question is open no longer; who answered it may be told a moment later. */
  _left(need) {
    if (this._mine.has(need.key) || !need.question) return;
    this._gone.set(need.key, need);
    setTimeout(() => this._tell(need.key, need, `${need.name}: the question is no longer open`), NAMED);
  }

  /** Somebody else answered: say who. */
  _tell(key, need, answered) {
    if (!answered || this._mine.has(key) || !this._gone.delete(key)) return;
    this._context.toasts.say(answered, "quiet");
  }

  _draw() {
    const needs = this._needs;
    if (!needs.length) {
      for (const card of this._cards.values()) card.element.remove();
      this._cards.clear();
      fill(this.list);
      fill(this.cards, h("div", { class: "nothing" }, mark("succeeded"), h("h2", {}, "Nothing needs your attention."), h("p", { class: "quiet" }, "Questions of agents, and turns that are over, come here by themselves."), h("p", {}, h("a", { href: "#/missions" }, "Missions"))));
      this.body.classList.add("empty");
      return;
    }
    this.body.classList.remove("empty");
    this.body.querySelector(".nothing, .loading")?.remove();
    const groups = [...new Set(needs.map(titleOf))];
    fill(
      this.list,
      groups.map((group) => {
        const rows = needs.filter((need) => titleOf(need) === group);
        return [h("h2", { class: "group" }, `${group} ${rows.length}`), h("div", { role: "list", "aria-label": group }, rows.map((need) => this._row(need)))];
      }),
    );
    for (const [key, card] of this._cards) {
      if (needs.some((need) => need.key === key)) continue;
      card.element.remove();
      this._cards.delete(key);
    }
    let last = null;
    let group = null;
    for (const heading of this.cards.querySelectorAll("h2.group")) heading.remove();
    for (const need of needs) {
      let card = this._cards.get(need.key);
      if (!card) {
        card = new Card(need, this._about(need));
        card.element.addEventListener("focusin", () => this._here(need.key));
        card.element.addEventListener("pointerdown", () => this._here(need.key));
        this._cards.set(need.key, card);
      } else card.update(need);
      if (titleOf(need) !== group) {
        group = titleOf(need);
        const heading = h("h2", { class: "group" }, `${group} ${needs.filter((one) => titleOf(one) === group).length}`);
        if (last) last.after(heading);
        else this.cards.prepend(heading);
        last = heading;
      }
      if (last.nextSibling !== card.element) last.after(card.element);
      last = card.element;
    }
    this._light();
    this._guard.shown(needs.map((need) => need.key));
    this._context.looks();
  }

  _light() {
    const alone = wide.matches;
    for (const [key, card] of this._cards) {
      card.element.hidden = alone && key !== this.cursor;
      card.element.classList.toggle("cursor", key === this.cursor);
    }
    for (const heading of this.cards.querySelectorAll("h2.group")) heading.hidden = alone;
    for (const row of this.list.querySelectorAll(".need-row")) {
      const here = row.dataset.key === this.cursor;
      row.classList.toggle("cursor", here);
      if (here) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  _here(key) {
    if (this.cursor === key) return;
    this._wanted = null;
    this.cursor = key;
    this._light();
  }

  _row(need) {
    const since = document.createTextNode("");
    if (need.since) tick(since, need.since);
    return h(
      "div",
      { role: "listitem" },
      h("button", { type: "button", class: "need-row", data: { key: need.key }, onclick: () => this._here(need.key) }, mark(need.mark ?? "waiting", need.tone ? `tone-${need.tone}` : ""), h("span", { class: "need-name" }, need.name), h("span", { class: "need-kind quiet" }, kindOf(need)), h("span", { class: "need-since quiet" }, since), h("span", { class: "need-summary quiet" }, need.summary ?? "")),
    );
  }

  _about(need) {
    return {
      ...this._context,
      guard: () => this._guard.refusal(need.key),
      go: (tab) => this._context.router.go("m", [need.id, tab]),
      answered: (which, behaviour, said) => {
        this._mine.set(which.key, behaviour);
        const done = said ?? { ...which.done, always: "allowed, and the rule is stored", reply: "sent" }[behaviour];
        this._context.toasts.say(`${which.name}: ${done}`, behaviour === "deny" ? "quiet" : "good");
      },
      failed: (which, error) => {
        if (error.error !== "not_found") return false;
        this._mine.set(which.key, "late");
        this._context.toasts.say(error.message);
        return true;
      },
    };
  }

  get _current() {
    return this._cards.get(this.cursor);
  }

  _key(key) {
    const { _current: card } = this;
    if (!card) return false;
    if (key === "m" && card.need.question && !card.need.attach_only) {
      const button = card.element.querySelector("[data-words]");
      button?.click();
      return Boolean(button);
    }
    return card.key(key);
  }

  _go(tab) {
    const need = this._needs.find((one) => one.key === this.cursor);
    if (!need || need.mission === false) return false;
    this._context.router.go("m", [need.id, tab]);
    return true;
  }

  _move(step, round = false) {
    const place = this._needs.findIndex((need) => need.key === this.cursor);
    const to = round ? (place + step) % Math.max(1, this._needs.length) : Math.max(0, Math.min(this._needs.length - 1, place + step));
    const need = this._needs[to];
    if (!need) return false;
    this._wanted = null;
    this.cursor = need.key;
    this._light();
    const shown = wide.matches ? this.list.querySelector(".need-row.cursor") : this._current?.element;
    shown?.scrollIntoView({ block: "nearest" });
    return true;
  }
}
