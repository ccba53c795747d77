/** The shell of the dashboard: login, connection, layout, navigation, and the page that the address names. */

import { h, fill, typing } from "./lib/dom.js";
import { mark, symbols } from "./lib/marks.js";
import { Connection } from "./lib/socket.js";
import { Router, href } from "./lib/router.js";
import { Toasts } from "./lib/toast.js";
import { Verbs } from "./lib/verbs.js";
import { Keys } from "./lib/keys.js";
import { dress } from "./lib/tokens.js";
import { settings, help } from "./lib/settings.js";
import { keep, kept, forget } from "./lib/store.js";
import * as login from "./lib/login.js";

const BASE = location.pathname.replace(/[^/]*$/, "");
const KEY = "key";
const LONG_AGO = 1_000_000;
/** Seconds after which nobody cares how long ago somebody was here. */
const LATER = 1_000;
/** Milliseconds until it is looked again whether the page can be loaded anew. */
const PATIENCE = 5_000;
/** Milliseconds after which a question about the login is given up: a request into nothing would be waited for without end. */

/** Pages in the order of the navigation; the server says which of them its product has. */
const PAGES = [
  ["needs", "Needs you", "waiting", "!"],
  ["missions", "Missions", "working", ""],
  ["board", "Board", "board", ""],
  ["plans", "Plans", "plans", ""],
  ["quests", "Quests", "queued", ""],
  ["queue", "Queue", "queue", ""],
  ["rituals", "Rituals", "rituals", ""],
  ["specs", "Specs", "specs", ""],
  ["worktrees", "Worktrees", "worktrees", ""],
  null,
  ["timeline", "Timeline", "timeline", ""],
  ["events", "Events", "events", ""],
  ["cost", "Cost", "cost", ""],
  ["memory", "Memory", "memory", ""],
  ["health", "Health", "health", ""],
  ["doctor", "Doctor", "doctor", ""],
];

/** Pages that are reached from others, and the one that is lit in the navigation meanwhile. */
const BELOW = { m: "missions", log: "missions", plan: "plans", spec: "specs", changes: "worktrees", quest: "quests", ritual: "rituals" };
/** Modules whose name is not their page's. */
const MODULES = { m: "missions" };
/** Pages that show one mission, or none. */
const OF_A_MISSION = new Set(["log", "terminal", "stats", "describe"]);
/** Why somebody is called, in words. */
const CALLED = { blocked: "needs you", your_turn: "your turn" };
/** What stands in the bar of a phone besides *more*. */
const TABS = ["needs", "missions", "board", "timeline"];

/** Modules that are loaded while nothing happens, for they are likely to be opened next. */
const NEXT = ["needs", "missions", "log"];
const SOON = 2000; // milliseconds: what is open comes first
const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 1000)); // Safari has none

/** What stands there while the server does not give a page's module. */
const notLoaded = () => h("div", { class: "nothing" }, h("h1", {}, "This page could not be loaded."), h("p", {}, "The server did not send it."), h("p", {}, h("button", { type: "button", class: "button", onclick: () => location.reload() }, "Load again")));

/** The module of a page; null: there can be none. */
async function loaded(page) {
  const module = MODULES[page] ?? (page || "missions");
  return /^[a-z]+$/.test(module) ? import(`./pages/${module}.js`) : null;
}

class App {
  constructor(root) {
    this.root = root;
    this.toasts = new Toasts();
    this.keys = new Keys();
    this.socket = new Connection(new URL(`${BASE}ws`, location.href.replace(/^http/, "ws")).href, () => kept(KEY), () => this._isOut());
    this.verbs = new Verbs(this.socket, this.toasts);
    this.router = new Router((place) => this.show(place));
    this._shown = null;
    this._opening = 0;
    this._notLoaded = notLoaded();
    this._listen();
    this._build();
  }

  _listen() {
    this.socket.addEventListener("live", ({ detail }) => this._live(detail));
    this.socket.addEventListener("lost", () => this._state());
    this.socket.addEventListener("up", () => this._state());
    this.socket.addEventListener("head", ({ detail }) => this._head(detail));
    this.socket.addEventListener("ring", ({ detail }) => this._ring(detail));
    this.socket.addEventListener("ended", ({ detail }) => this._ended(detail.error));
    for (const type of ["visibilitychange", "pagehide"]) document.addEventListener(type, () => this.looks());
    for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, () => this._touched(), { passive: true, capture: true });
    this._used = performance.now();
  }

  _build() {
    this.banner = h("div", { class: "banner", role: "status", hidden: true });
    this.nav = h("nav", { class: "nav", "aria-label": "Pages" });
    this.tabs = h("nav", { class: "tabs", "aria-label": "Pages" });
    this.main = h("main", { class: "main", id: "main", tabindex: -1 });
    this._counts = new Map();
    this.frame = h("div", { class: "frame" }, h("a", { class: "skip", href: "#main", onclick: (event) => (event.preventDefault(), this.main.focus()) }, "Skip to the page"), this.nav, h("div", { class: "stage" }, this.banner, this.main), this.tabs);
    fill(this.root, symbols(), this.frame, this.toasts.element, this.toasts.spoken);
    this.keys.layer("everywhere", [
      ["!", "needs you", () => this.router.go("needs")],
      [".", "the next one that needs you", () => this.next()],
      ["?", "these keys", () => help(this.keys)],
      [":", "go to a page", () => this.jump()],
      ["q escape", "back", () => this.up()],
      ["/", "filter", () => this._filter()],
    ]);
  }

  start() {
    dress();
    if (this._isLink()) return;
    if (kept(KEY)) this._begin();
    else this._outside("You are not logged in.", "Make a link on the machine that runs Overmind, and open it here:");
  }

  /** Whether the address is a link, opened in a fresh tab or pasted into this one: its token logs in. */
  _isLink() {
    const token = login.taken(location.hash);
    if (token === null) return false;
    // out of the address before anything else happens: no history, no log, no screenshot shows it
    history.replaceState(null, "", `${location.pathname}${location.search}`);
    this._login(token);
    return true;
  }

  /** Log in, here and now: whoever is logged in already becomes somebody else. */
  async _login(token) {
    this._leave();
    fill(this.main, h("div", { class: "outside" }, h("p", { role: "status" }, "Logging in …")));
    try {
      const answer = await login.post(BASE, token);
      keep(KEY, answer.key);
      this.socket.renew();
      this._begin();
    } catch (error) {
      if (kept(KEY) && !(await this._isOut())) {
        this._begin();
        this.toasts.say(error.message);
      } else this._outside("This link does not open the dashboard.", error.message);
    }
  }

  _begin() {
    document.body.classList.remove("out");
    if (!location.hash) history.replaceState(null, "", href(matchMedia("(max-width: 639px)").matches ? "needs" : "missions"));
    const { page } = this.router.place;
    if (!this.socket.live) {
      this.socket.open();
      if (page in MODULES || PAGES.some((one) => one?.[0] === page)) loaded(page).catch(() => null); // it is there when the socket is
    }
    this._navigate();
    if (this.socket.live) this.router.show();
  }

  /** Whether the login is over: the server refuses what it would not refuse otherwise. */
  async _isOut() {
    try {
      const answer = await fetch(`${BASE}api/v1/status`, { headers: { "X-Overmind-Key": kept(KEY) ?? "" }, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      return answer.status === 401;
    } catch {
      return false;
    }
  }

  _ended(error) {
    forget(KEY);
    this._outside(error === "revoked" ? "This login was ended." : "This login has ended.", "Make a new link on the machine that runs Overmind, and open it here:");
  }

  _outside(title, text) {
    this._leave();
    document.body.classList.add("out");
    document.title = "overmind";
    fill(this.main, login.outside(title, text, (link) => this._login(link)));
    this.main.querySelector("h1")?.focus();
  }

  _live({ fresh }) {
    const version = /\/s\/([^/]+)\//.exec(import.meta.url)?.[1];
    if (this.socket.hello.static && version && version !== this.socket.hello.static) {
      // another version of the product serves now: its page speaks its language; drafts are kept
      if (!this._isBusy) {
        location.reload();
        return;
      }
      this._reload();
    }
    document.body.classList.remove("lost");
    if (fresh) this._navigate(); // otherwise its links are the same, and one may be under the finger
    this._state();
    this.looks();
    if (fresh || this._shown === null) this.router.show();
  }

  /** Whether something is lost with the page: what stands in a dialog, or an answer. */
  get _isBusy() {
    return document.querySelector("dialog[open]") !== null || this.socket.pressing;
  }

  /** Load the page anew, once nothing is lost with it. */
  _reload() {
    if (this._isBusy) setTimeout(() => this._reload(), LATER);
    else location.reload();
  }

  _state() {
    const { socket } = this;
    const lost = !socket.live;
    document.body.classList.toggle("lost", lost || !socket.up.ok);
    const words = lost ? "Not connected. Trying again … What you see may be old; what you type stays here." : socket.up.message || "The daemon does not answer; agents run on. Trying again …";
    if (lost || !socket.up.ok) {
      if (this.banner.textContent !== words) fill(this.banner, mark("restarting", "plain"), h("span", {}, words));
      this.banner.hidden = false;
    } else this.banner.hidden = true;
  }

  // navigation

  get pages() {
    const known = (this.socket.hello?.pages ?? ["needs", "missions"]).map((page) => (typeof page === "string" ? page : page.name));
    return new Set(known);
  }

  /** Pages of the menu: those that this front end has, and any other that the server lists. */
  get _menu() {
    const known = this.pages;
    const own = PAGES.filter((page) => page === null || known.has(page[0]));
    const others = (this.socket.hello?.pages ?? []).filter((page) => page.listed && !PAGES.some((one) => one?.[0] === page.name));
    return [...own, ...others.map((page) => [page.name, page.title, page.name, page.key])];
  }

  _navigate() {
    const known = this.pages;
    this._links = new Map();
    const rows = this._menu.map((page) => (page === null ? h("hr", { class: "nav-line" }) : this._link(page)));
    fill(
      this.nav,
      h("a", { class: "brand", href: href("missions"), "aria-label": "overmind" }, mark("logo", "plain logo"), h("span", { class: "brand-word" }, "overmind")),
      h("div", { class: "nav-links" }, rows),
      h("button", { type: "button", class: "nav-link", onclick: () => this.settings() }, mark("more", "plain"), h("span", { class: "nav-word" }, "Settings")),
    );
    const tabs = TABS.filter((name) => known.has(name));
    fill(this.tabs, tabs.map((name) => this._link(PAGES.find((page) => page?.[0] === name), true)), h("button", { type: "button", class: "tab", onclick: () => this._more() }, mark("more", "plain"), h("span", {}, "More")));
    this._light();
    if (this.socket.head) this._head(this.socket.head);
  }

  _link([name, title, picture], tab = false) {
    const count = h("span", { class: "count", hidden: true });
    const link = h("a", { class: tab ? "tab" : "nav-link", href: href(name), data: { page: name }, title }, mark(picture, "plain"), h("span", { class: tab ? "" : "nav-word" }, tab && name === "needs" ? "Needs" : title), count);
    this._counts.set(`${name}${tab ? "-tab" : ""}`, count);
    this._links.set(`${name}${tab ? "-tab" : ""}`, link);
    return link;
  }

  _light() {
    const here = BELOW[this.router.place.page] ?? this.router.place.page;
    for (const link of this._links?.values() ?? []) {
      if (link.dataset.page === here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  async _more() {
    const { menu } = await import("./lib/dialog.js");
    const items = this._menu.filter((page) => page && !TABS.includes(page[0])).map(([name, title]) => ({ label: title, press: () => this.router.go(name) }));
    await menu("More", [...items, { label: "Settings and login", press: () => this.settings() }]);
  }

  async jump() {
    const { menu } = await import("./lib/dialog.js");
    await menu("Go to", this._menu.filter(Boolean).map(([name, title]) => ({ label: title, press: () => this.router.go(name) })));
  }

  settings() {
    return settings({ socket: this.socket, keys: this.keys, logout: () => this.logout(), changed: () => this.looks() });
  }

  async logout() {
    const name = this.socket.hello?.name ?? "NAME";
    const why = await login.logout(BASE, kept(KEY));
    this.socket.end("logged_out");
    forget(KEY);
    if (why) this._outside("Only this browser is logged out.", `${why} The login itself has not ended: end it on the machine that runs Overmind, with overmind web revoke ${name}. To come back, make a link there, and open it here:`);
    else this._outside("You are logged out.", "To come back, make a link on the machine that runs Overmind, and open it here:");
  }

  up() {
    const { page } = this.router.place;
    if (page in BELOW) this.router.go(BELOW[page], [], this._listed ?? {});
    else if (page !== "missions") this.router.go("missions");
    else return false;
    return true;
  }

  next() {
    this.router.go("needs", [], { next: String(Date.now() % 100000) });
  }

  _filter() {
    const field = this.main.querySelector("[data-filter]");
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  }

  // the page

  async show(place) {
    if (this._isLink()) return;
    if (document.body.classList.contains("out") || this.socket.hello === null) return;
    const name = place.page || "missions";
    const module = Object.hasOwn(MODULES, name) ? MODULES[name] : name;
    if (name === "missions") this._listed = place.query;
    this._light();
    const turn = (this._opening += 1); // also where nothing is loaded: what is still on its way is for a place that was left
    if (this._shown?.module === module && this._shown.page.go) {
      this._shown.page.go(place);
      this.looks();
      return;
    }
    let opened = null;
    let failed = false;
    try {
      if (this._exists(name, place.parts)) opened = await loaded(name);
    } catch {
      failed = true;
    }
    if (turn !== this._opening) return;
    this._leave();
    if (failed) {
      // tried again with each new connection, while its button may be under the finger
      if (this.main.firstChild !== this._notLoaded) fill(this.main, this._notLoaded);
      return;
    }
    if (!opened) {
      fill(this.main, h("div", { class: "nothing" }, h("h1", {}, "There is no such page."), h("p", {}, h("a", { href: href("missions") }, "Missions"))));
      return;
    }
    const page = opened.open(place, this._context(), place.parts);
    this._shown = { module, page };
    fill(this.main, page.element);
    page.shown?.();
    this.looks();
    if (!typing()) this.main.focus({ preventScroll: true });
    if (turn === 1) setTimeout(() => idle(() => Promise.all(NEXT.map(loaded)).catch(() => null)), SOON); // one that fails is loaded when it is opened
  }

  /** Whether an address can be shown: its page is known, and names the mission that it is about. */
  _exists(name, parts) {
    return Object.hasOwn(MODULES, name) || (this.pages.has(name) && (parts.length > 0 || !OF_A_MISSION.has(name)));
  }

  /** Open the page of a place anew, where another part of the same page is meant. */
  reopen(place) {
    this._leave();
    return this.show(place);
  }

  _leave() {
    this._shown?.page.close();
    this._shown = null;
  }

  _context() {
    return {
      app: this,
      socket: this.socket,
      verbs: this.verbs,
      router: this.router,
      keys: this.keys,
      toasts: this.toasts,
      base: BASE,
      key: () => kept(KEY),
      announce: (text) => this.toasts.announce(text),
      looks: () => this.looks(),
      pages: this.pages,
    };
  }

  // what it is called about

  _head(head) {
    const needs = head.asking ?? 0;
    document.title = head.title ?? "overmind";
    for (const name of ["needs", "needs-tab"]) this._badge(name, needs, "waits");
    const all = Object.values(head.counts ?? {}).reduce((sum, one) => sum + one, 0);
    this._badge("missions", all, "");
    if (needs !== (this._needed ?? 0)) this.toasts.announce(needs === 0 ? "Nothing needs you" : `${needs} ${needs === 1 ? "mission needs" : "missions need"} you`);
    this._needed = needs;
    this._shown?.page.counted?.(head);
  }

  _badge(name, number, cls) {
    const count = this._counts.get(name);
    if (!count) return;
    count.hidden = !number;
    count.className = `count ${cls}`;
    if (count.textContent !== String(number)) count.textContent = String(number);
  }

  _touched() {
    const before = this._used;
    this._used = performance.now();
    if (this._used - before > 15_000) this.looks();
  }

  /** Tell the supervisor what is in view, so that it calls here, or somewhere else. */
  looks() {
    if (!this.socket.live) return;
    const calls = "Notification" in window && Notification.permission === "granted" && !matchMedia("(pointer: coarse)").matches;
    this.socket.look({ visible: !document.hidden, calls, mission: this._shown?.page.mission?.() ?? null, ago: Math.min(LONG_AGO, (performance.now() - this._used) / 1000) });
  }

  _ring(ring) {
    const why = CALLED[ring.why] ?? ring.why;
    const text = `${ring.name}: ${why}${ring.now ? ` · ${ring.now}` : ""}`;
    const open = () => this.router.go("needs", [], { id: ring.mission });
    if (document.hidden && "Notification" in window && Notification.permission === "granted") {
      const note = new Notification(`overmind: ${ring.name}`, { body: ring.now || why, tag: ring.mission });
      note.onclick = () => (window.focus(), open(), note.close());
    } else this.toasts.say(text, "wait", { label: "Open", press: open });
  }
}

const app = new App(document.getElementById("app"));
app.start();
