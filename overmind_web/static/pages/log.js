/** The log of a mission, or of several together: newest lines as they come, any page before them, and a search. */

import { h, fill } from "../lib/dom.js";
import { mark } from "../lib/marks.js";
import { href } from "../lib/router.js";
import { sheet } from "../lib/sheet.js";
import { FoundView, LogView } from "../lib/log.js";
import { keep, kept } from "../lib/store.js";

const SEEN = 1000; // milliseconds in view after which a log is seen
const AGAIN = 5000; // milliseconds between two that say so
const TYPED = 350; // milliseconds after the last key until a search begins
const SPANS = [["all", "Whole log"], ["300", "Last 5 minutes"], ["3600", "Last hour"], ["86400", "Last day"]];

/**
 * @param {Object} place
 * @param {Object} context
 * @param {string[]} missions
 */
export function open(place, context, missions) {
  const page = new LogPage(context, missions);
  if (place.page === "log") page.alone(missions);
  return page;
}

class LogPage {
  constructor(context, missions) {
    this._context = context;
    this._missions = missions;
    this._args = { missions, run: null, since: null, match: null };
    this._seenAt = 0;
    this._fresh = false;
    this._goal = null;
    this.search = h("input", { type: "search", class: "field log-search", placeholder: matchMedia("(max-width: 639px)").matches ? "Search" : "Search, or an expression", "aria-label": "Search in the log", data: { search: "" } });
    this.status = h("span", { class: "log-status quiet", role: "status" });
    this.stop = h("button", { type: "button", class: "button small", hidden: true, onclick: () => this._stopOrClear() }, "Stop");
    this.runs = h("select", { class: "field log-choice", "aria-label": "Run", hidden: true, onchange: () => this._choose({ run: this.runs.value ? Number(this.runs.value) : null }) });
    this.span = h(
      "select",
      { class: "field log-choice", "aria-label": "Part", onchange: () => this._choose({ since: this.span.value === "all" ? null : Date.now() / 1000 - Number(this.span.value) }) },
      SPANS.map(([value, title]) => h("option", { value }, title)),
    );
    this.times = h("button", { type: "button", class: "button small", "aria-pressed": String(kept("times", false)), onclick: () => this._times(!kept("times", false)) }, "Times");
    this.place = h("div", { class: "log-place" });
    this.box = this.element = h("div", { class: "log" }, h("div", { class: "log-bar" }, this.search, this.status, this.stop, h("span", { class: "grow" }), this.runs, this.span, this.times), this.place);
    this.box.classList.toggle("log-times", kept("times", false));
    this.search.addEventListener("input", () => {
      clearTimeout(this._typing);
      this._typing = setTimeout(() => this._find(), TYPED);
    });
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this._find();
      else if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        this._stopOrClear();
      } else return;
      clearTimeout(this._typing);
    });
    this._dressed = () => this._view?.recolour?.();
    document.addEventListener("theme", this._dressed);
    this._visible = () => this._look();
    document.addEventListener("visibilitychange", this._visible);
    this._closed = false;
    this._begin();
  }

  /** Have it stand by itself: it is no part of a mission's page then, and says what it is of. */
  alone(missions) {
    const title = missions.length === 1 ? "Log" : `Log of ${missions.length} missions`;
    const back = h("a", { class: "bare back-always", href: href("missions"), "aria-label": "All missions" }, mark("back", "plain"));
    const drop = this._context.keys.layer("log", [["q escape", "back to the missions", () => this._context.router.go("missions")]]);
    this.element = h("section", { class: "page", "aria-label": title }, h("header", { class: "page-head" }, back, h("h1", {}, title)), this.element);
    const { close } = this;
    this.close = () => (drop(), close.call(this));
    this.go = (place) => this._context.app.reopen(place);
  }

  async _begin() {
    await sheet(new URL("../styles/log.css", import.meta.url).href).catch(() => null);
    if (this._closed) return;
    this._show();
    this._pane = this._context.socket.pane("log", this._args, {
      lines: (message) => this._lines(message),
      pages: (message) => this._view.numbered?.(message),
      more: (message) => this._came(() => this._view.more(message)),
      grew: () => this._view.grew?.(),
      found: (message) => this._found(message),
      failed: ({ message }) => this._failed(message),
      lost: () => {},
    }, { at: "tail" });
  }

  _show() {
    this._view?.close();
    const say = (wish) => this._pane?.send({ t: "say", say: wish });
    this._view = this._args.match
      ? new FoundView({ older: () => say({ older: true }), open: (page, line) => this._leave({ page, line }) })
      : new LogView({ page: (at) => this._pane?.send({ t: "page", at }), tail: () => say({ tail: true }), follow: (on) => say({ follow: on }) }, "Log");
    fill(this.place, this._view.element);
    if (this._goal && !this._args.match) this._view.goTo(this._goal.page, this._goal.line);
    this._goal = null;
  }

  _lines(message) {
    if (message.page !== null) {
      this._view.page?.(message);
      return;
    }
    const runs = message.all_runs ?? [];
    const known = [...this.runs.options].map((option) => option.value).join();
    if (runs.length > 1 && known !== ["", ...runs].join()) {
      fill(this.runs, h("option", { value: "" }, "All runs"), runs.map((run) => h("option", { value: run, selected: run === this._args.run }, `Run ${run}`)));
    }
    this.runs.hidden = runs.length < 2;
    this._came(() => this._view.begin?.(message));
    this._say("");
  }

  _failed(message) {
    this._say(message, "tone-bad");
    this.stop.hidden = true;
  }

  _say(text, tone = "quiet") {
    this.status.className = `log-status ${tone}`;
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  // the search

  _choose(args) {
    this._args = { ...this._args, ...args };
    this._show();
    this._pane?.set(this._args);
  }

  _find() {
    const match = this.search.value.trim() || null;
    if (match === this._args.match) return;
    this._choose({ match });
    this.stop.hidden = match === null;
    this.stop.textContent = "Stop";
    this._say(match === null ? "" : "searching …");
  }

  _found(message) {
    if (!this._args.match) return;
    this._view.found(message);
    const { state, left, of } = message;
    const done = of ? Math.round(100 - (100 * left) / of) : 0;
    const count = `${this._view.count.toLocaleString()} ${this._view.count === 1 ? "line" : "lines"}`;
    if (state === "refused") this._say("The expression takes too long on a line of this log.", "tone-bad");
    else if (state === "searching") this._say(`${count} · ${done}% searched`);
    else if (state === "stopped") this._say(`${count} · stopped at ${done}%`);
    else this._say(state === "waiting" ? `${count} · ${done}% searched, scroll up for more` : count);
    this._searching = state === "searching";
    this.stop.textContent = this._searching ? "Stop" : "Clear";
  }

  _stopOrClear() {
    if (this._args.match && this._searching) this._pane?.send({ t: "say", say: { stop: true } });
    else this._leave(null);
  }

  /** Out of the search, to a line that was found. */
  _leave(goal) {
    this.search.value = "";
    this._goal = goal;
    this._find();
  }

  _times(on) {
    keep("times", on);
    this.times.setAttribute("aria-pressed", String(on));
    this.box.classList.toggle("log-times", on);
  }

  // being seen

  _came(draw) {
    draw();
    this._fresh = true;
    this._look();
  }

  /** A log in a visible page is seen after a second; what comes then is seen as well, some seconds later. */
  _look() {
    clearTimeout(this._seeing);
    if (document.hidden || !this._fresh || this._closed || this._context.socket.hello?.read_only) return;
    this._seeing = setTimeout(() => {
      if (document.hidden || this._closed || !this.element.checkVisibility() || !this._context.socket.ready) return;
      this._seenAt = performance.now();
      this._fresh = false;
      for (const id of this._missions) this._context.socket.press("seen", { id }, { repeatable: true }).catch(() => null);
    }, Math.max(SEEN, this._seenAt + AGAIN - performance.now()));
  }

  close() {
    this._closed = true;
    clearTimeout(this._typing);
    clearTimeout(this._seeing);
    document.removeEventListener("theme", this._dressed);
    document.removeEventListener("visibilitychange", this._visible);
    this._view?.close();
    this._pane?.close();
  }
}
