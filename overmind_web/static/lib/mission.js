/** One mission: who it is, its tabs, its actions, and a box for a message. Beside the list on a desk, alone on a phone. */

import { h, fill } from "./dom.js";
import { mark, remark } from "./marks.js";
import { now, tick, rest, seconds, withUnit, words } from "./time.js";
import { href } from "./router.js";
import { confirm, menu } from "./dialog.js";
import { ask, choice, line, wholeNumber } from "./ask.js";
import { actions } from "./actions.js";
import { draft } from "./store.js";

export const TABS = [
  { name: "log", title: "Log" },
  { name: "terminal", title: "Terminal" },
  { name: "changes", title: "Changes" },
  { name: "stats", title: "Stats" },
  { name: "events", title: "Events" },
  { name: "describe", title: "Describe" },
];
const huge = matchMedia("(min-width: 1800px)");

export class MissionPanel {
  /**
   * @param {string} id
   * @param {string} tab
   * @param {Object} context of the pages
   * @param {{back: () => void, query: () => Object, named: (id: string, tab: string) => void}} how
   */
  constructor(id, tab, context, how) {
    this.id = id;
    this._context = context;
    this._how = how;
    this._facts = null;
    this._hoped = false;
    this._open = new Map();
    this._turn = 0;
    this.mark = mark("working");
    this.name = h("h2", { class: "mission-name" }, id);
    this.state = document.createTextNode("");
    this.since = document.createTextNode("");
    this.extra = document.createTextNode("");
    this.tabs = h("nav", { class: "mission-tabs", "aria-label": "Of this mission" });
    this.body = h("div", { class: "mission-body" });
    this.buttons = h("div", { class: "mission-actions" });
    this.foot = h("div", { class: "mission-foot" });
    this.element = h(
      "section",
      { class: "mission" },
      h(
        "header",
        { class: "mission-head" },
        h("button", { type: "button", class: "bare back", "aria-label": "Back to the list", onclick: () => how.back() }, mark("back", "plain")),
        this.mark,
        this.name,
        h("span", { class: "mission-state" }, this.state, " ", h("span", { class: "quiet" }, this.since)),
        h("span", { class: "mission-extra quiet" }, this.extra),
        h("span", { class: "grow" }),
        this.buttons,
      ),
      this.tabs,
      this.body,
      this.foot,
    );
    this._composer();
    this._pane = context.socket.pane("mission", { id }, { content: (message) => this._take(message.content), failed: (message) => this._failed(message), lost: () => {} });
    this._wider = () => this.show(this.tab);
    huge.addEventListener("change", this._wider);
    this.show(tab);
  }

  _take(facts) {
    if (facts.id !== this.id) {
      this._how.named(facts.id, this.tab); // the address had its name, which others may get
      return;
    }
    const before = this._facts?.terminal;
    this._facts = facts;
    if (facts.terminal !== before) this.show(this.tab);
    this.name.textContent = facts.name;
    remark(this.mark, facts.mark ?? facts.state, facts.tone);
    this.state.data = facts.state;
    if (facts.since) tick(this.since, facts.since);
    else {
      rest(this.since);
      this.since.data = "";
    }
    this.extra.data = [facts.cost, facts.files].filter(Boolean).join(" · ");
    const shape = JSON.stringify([facts.live, facts.session, facts.frozen, facts.agent]);
    if (shape !== this._shape) {
      this._shape = shape;
      this._buttons();
    }
    this.foot.hidden = !(facts.live && facts.session);
    if (this.foot.hidden && this._hoped) this._takesNone();
    this._hoped = false;
  }

  _failed(message) {
    fill(this.body, h("div", { class: "nothing" }, h("h2", {}, "This mission is not there."), h("p", { class: "quiet" }, message.message), h("a", { href: href("missions") }, "All missions")));
    this._shutAll();
  }

  get _this() {
    const { name = this.id, state = "", since } = this._facts ?? {};
    return [{ id: this.id, name, state, since }];
  }

  /** Ask for an operation; `how.args` may be a form, which gives null where nothing is asked. */
  _press(verb, how = {}) {
    return actions(this._context).press(verb, this._this, how);
  }

  _buttons() {
    const { live, frozen, agent } = this._facts;
    const small = (verb, label) => {
      const button = this._context.verbs.button(verb, () => (this._press(verb), null), { label, small: true });
      return button;
    };
    const rows = [];
    if (live && agent) rows.push(small("interrupt", "Interrupt"));
    rows.push(live ? small("stop", "Stop") : small("restart", "Restart"));
    const more = h("button", { type: "button", class: "button small square", "aria-label": "More of this mission", onclick: () => this._menu(live, frozen) }, mark("more", "plain"));
    fill(this.buttons, rows, more);
  }

  _menu(live, frozen) {
    const { verbs, router, toasts } = this._context;
    const item = (verb, label, key, how) => ({ label, key, danger: verbs.row(verb)?.danger === "ends work", disabled: !this._context.socket.ready || !verbs.allowed(verb), press: () => this._press(verb, how) });
    return menu(this._facts?.name ?? this.id, [
      live ? item("restart", "Restart", "r") : null,
      live ? item("kill", "Kill", "^k") : null,
      live ? item(frozen ? "thaw" : "freeze", frozen ? "Thaw" : "Freeze", "") : item("rm", "Remove", "^d", { done: () => router.go("missions", [], this._how.query()) }),
      { label: "Shell in its folder", key: "s", disabled: !verbs.allowed("run"), press: () => this._shell() },
      { label: "Command in its folder", disabled: !verbs.allowed("exec"), press: () => this._exec() },
      item("rename", "Rename", "", { args: () => this._name() }),
      item("update", "Change how it is treated", "e", { args: () => this._treatment() }),
      live ? item("signal", "Send a signal", "", { args: () => this._signal() }) : null,
      live ? item("detach", "Detach all who are attached", "") : null,
      { label: "Changes", key: "v", press: () => router.go("m", [this.id, "changes"], this._how.query()) },
      { label: "Copy its id", key: "c", press: () => navigator.clipboard?.writeText(this.id).then(() => toasts.say(`copied ${this.id}`, "good"), () => toasts.say(this.id, "quiet")) },
    ].filter(Boolean));
  }

  async _shell() {
    const answer = await this._context.verbs.press("run", { command: "", type: "session", cwd: this._facts?.folder ?? "" });
    if (answer?.id) this._context.router.go("m", [answer.id, "terminal"], this._how.query());
  }

  async _exec() {
    const command = async () => {
      const given = await ask(`A command in the folder of ${this._facts?.name ?? this.id}`, [["command", "Command", line({ placeholder: "make test" }), true]], "Start");
      return given && { command: given.command, cwd: this._facts?.folder ?? "" };
    };
    const answer = await this._context.verbs.press("exec", command);
    if (answer?.id) this._context.router.go("m", [answer.id, "log"], this._how.query());
  }

  async _name() {
    const given = await ask("Rename", [["name", "Name", line({ value: this._facts?.name ?? "" }), true]], "Rename");
    return given ? { name: given.name } : null;
  }

  /** What may be changed without a restart; an empty field stays as it is. */
  async _treatment() {
    const given = await ask(`How ${this._facts?.name ?? this.id} is treated`, [
      ["restart", "Restart", choice([["", "as it is"], "never", "on-failure", "always"])],
      ["max_restarts", "Restarts at most", line({ placeholder: "as it is", inputmode: "numeric" }), false, wholeNumber("Restarts at most")],
      ["timeout", "Timeout of a run", line({ placeholder: "as it is; e.g. 10m, 0 for none" })],
      ["activity_timeout", "Timeout without output", line({ placeholder: "as it is; e.g. 5m, 0 for none" })],
      ["grace", "Grace period", line({ placeholder: "as it is; e.g. 10s" })],
    ], "Change", "It holds at once, without a restart.");
    if (!given) return null;
    const changed = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
    if (!Object.keys(changed).length) return null;
    if (changed.max_restarts) changed.max_restarts = Number(changed.max_restarts);
    if (changed.timeout) changed.timeout = withUnit(changed.timeout);
    return !changed.timeout || (await this._mayRunOut(seconds(changed.timeout))) ? changed : null;
  }

  /** Whether its run goes on with a limit, or whoever sets it agrees that it ends. `limit` in seconds; 0: none. */
  async _mayRunOut(limit) {
    const { name, run_since: since } = this._facts;
    if (!limit || since === null || now() - since < limit) return true;
    return confirm(`Change ${name}?`, [`Its run has lasted ${words(now() - since)}: with this timeout it is ended at once.`], "Change");
  }

  /** Ask what may be changed without a restart, and change it. */
  treat() {
    return this._press("update", { args: () => this._treatment() });
  }

  async _signal() {
    const given = await ask("Send a signal", [["signal", "Signal", choice(["HUP", "INT", "USR1", "USR2", "TERM", "QUIT", "WINCH", "CONT", "STOP"])]], "Choose");
    return given ? { signal: given.signal } : null;
  }

  _composer() {
    const box = h("textarea", { class: "field", rows: 1, "aria-label": "Message", placeholder: "Message …" });
    const kept = draft(box, `message:${this.id}`);
    const grow = () => {
      box.style.height = "auto";
      box.style.height = `${Math.min(160, box.scrollHeight + 2)}px`;
    };
    const note = h("span", { class: "unsent tone-text", hidden: true }, "not sent");
    const send = this._context.verbs.button("send", () => (box.value.trim() ? { id: this.id, text: box.value } : null), {
      label: "Send", key: "", primary: true,
      about: () => box.value,
      done: (_answer, { text }) => {
        kept.clear(text);
        note.hidden = true;
        grow();
      },
      failed: (error) => {
        note.hidden = error.error !== "lost";
        return false;
      },
    });
    box.addEventListener("input", grow);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.altKey && !event.isComposing && !matchMedia("(pointer: coarse)").matches) {
        event.preventDefault();
        send.click();
      }
    });
    this._box = box;
    this.foot.hidden = true;
    fill(this.foot, box, note, send);
  }

  /** Put the cursor into the box for a message; also before it is known whether there is one, so that no key acts that was typed for it. */
  compose() {
    this._hoped = this._facts === null;
    if (this._hoped) this.foot.hidden = false;
    if (!this.foot.hidden) this._box.focus();
    else this._takesNone();
  }

  _takesNone() {
    this._context.toasts.say("It takes no messages: it has ended, or is no session.");
  }

  /** Those whose part of the product there is. */
  get _tabs() {
    return TABS.filter(({ name }) => this._context.pages.has(name));
  }

  /** Show a tab; from 1,800 pixels log and terminal stand side by side. */
  show(wished) {
    const known = this._tabs.map(({ name }) => name);
    const tab = known.includes(wished) ? wished : (known[0] ?? "describe");
    this.tab = tab;
    fill(
      this.tabs,
      this._tabs.map(({ name, title }) => h("a", { class: "mission-tab", href: href("m", [this.id, name], this._how.query()), "aria-current": name === tab ? "page" : null }, title)),
    );
    const both = huge.matches && (tab === "terminal" || (tab === "log" && this._facts?.terminal));
    const wanted = both ? ["log", "terminal"].filter((name) => known.includes(name)) : [tab];
    for (const [name, page] of this._open) {
      if (wanted.includes(name)) continue;
      page.close();
      page.element.remove();
      this._open.delete(name);
    }
    this.body.classList.toggle("double", wanted.length > 1);
    const turn = (this._turn += 1);
    for (const name of wanted) if (!this._open.has(name)) this._load(name, turn);
  }

  async _load(name, turn) {
    let page;
    try {
      const module = await import(`../pages/${name}.js`);
      if (turn !== this._turn || this._closed) return;
      page = module.open({ page: "m", parts: [this.id, name], query: {} }, this._context, [this.id]);
    } catch (error) {
      if (turn !== this._turn || this._closed) return;
      page = { element: h("div", { class: "nothing" }, h("p", { class: "quiet" }, "It could not be loaded. Load the page again.")), close() {} };
    }
    this._open.set(name, page);
    page.element.classList.add("tab-page");
    if (name === "log") this.body.prepend(page.element);
    else this.body.append(page.element);
    page.shown?.();
  }

  _shutAll() {
    for (const page of this._open.values()) page.close();
    this._open.clear();
  }

  close() {
    this._closed = true;
    this._pane.close();
    this._shutAll();
    rest(this.since);
    huge.removeEventListener("change", this._wider);
  }
}
