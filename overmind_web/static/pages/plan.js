/** One plan: its graph, and below it when each agent ran. The places of the graph change only when the plan has other agents; what an agent does changes in place. */

import { h, fill, write, word } from "../lib/dom.js";
import { mark, remark } from "../lib/marks.js";
import { Graph } from "../lib/graph.js";
import { href } from "../lib/router.js";
import { sheet } from "../lib/sheet.js";
import { lasted, now } from "../lib/time.js";
import { menu } from "../lib/dialog.js";
import { actions } from "../lib/actions.js";
import { applyFile } from "../lib/apply.js";
import { ACTIONS, fileOf } from "./plans.js";

const narrow = matchMedia("(max-width: 639px)");
const DEEPEST = 8;
/** Steps by which a list is indented at most. */

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export function open(place, context, [id = ""]) {
  return new Plan(place, context, id);
}

class Plan {
  constructor(place, context, id) {
    sheet(new URL("../styles/plan.css", import.meta.url).href).catch((error) => context.toasts.say(error.message, "bad"));
    this._context = context;
    this._id = id;
    this._rows = new Map();
    this._content = null;
    this.cursor = place.query.row ?? null;
    this.picture = mark("plans");
    this.title = h("h1", { class: "plan-name" }, id);
    this.state = document.createTextNode("");
    this.counts = h("span", { class: "quiet plan-counts" });
    this.olderWords = document.createTextNode("");
    this.older = h("a", { class: "plan-older tone-slow" }, this.olderWords);
    this.older.hidden = true;
    this.actions = h("div", { class: "tools" });
    this.graph = new Graph({ label: "Graph of the agents", about: "Agents and what each waits for", chosen: (id) => this._to(id), failed: (sentence) => context.toasts.say(sentence, "bad") });
    this.bars = h("ol", { class: "plan-agents", "aria-label": "Agents" });
    this.body = h("div", { class: "plan-body" }, this.graph.element, this.bars);
    this.element = h(
      "section",
      { class: "page plan-page", "aria-label": "Plan" },
      h("header", { class: "page-head" }, h("a", { class: "bare plan-back", href: href("plans"), "aria-label": "All plans" }, mark("back", "plain")), this.picture, this.title, h("span", { class: "plan-state" }, this.state), this.counts, h("span", { class: "grow" }), this.actions),
      this.older,
      this.body,
    );
    this.graph.element.hidden = true;
    fill(this.bars, h("li", { class: "quiet pad" }, "Loading …"));
    this._pane = context.socket.pane("plan", { id }, { content: ({ content }) => this._take(content), failed: (message) => this._failed(message), lost: () => {} });
    this._drop = context.keys.layer("plan", this._keys());
    this._wider = () => this._draw();
    narrow.addEventListener("change", this._wider);
    this._ticking = setInterval(() => document.hidden || this._times(), 1000);
  }

  _keys() {
    const go = (tab) => () => {
      const agent = this._content?.agents.find((one) => one.id === this.cursor);
      return agent?.mission ? (this._context.router.go("m", [agent.mission, tab]), true) : false;
    };
    const press = (verb) => () => {
      const agent = this._content?.agents.find((one) => one.id === this.cursor);
      return agent?.mission ? (this._pressAgent(verb, agent), true) : false;
    };
    return [
      ["j down", "the next agent", () => this._move(1)],
      ["k up", "the agent before", () => this._move(-1)],
      ["enter l", "log of the agent", go("log")],
      ["d", "describe the agent", go("describe")],
      ["a", "terminal of the agent", go("terminal")],
      ["x", "stop the agent", press("stop")],
      ["ctrl+k", "kill the agent", press("kill")],
      ["r", "run all again", () => (this._row() ? (this._press(ACTIONS.find(({ verb }) => verb === "restart")), true) : false)],
      ["R", "run failed agents again", () => (this._canRerun() ? (this._rerun(), true) : false)],
      ["B", "apply its file again", () => (this._canApply() ? (this._apply(), true) : false)],
    ];
  }

  _failed(message) {
    this.graph.element.hidden = true;
    fill(this.bars, h("li", { class: "nothing" }, h("p", { class: "tone-bad" }, message.message), h("a", { href: href("plans") }, "All plans")));
    this._rows.clear();
    this._content = null;
  }

  _take(content) {
    this._content = content;
    write(this.title.firstChild, content.name);
    remark(this.picture, content.mark, word(content.tone));
    fill(this.counts, content.counts.map(([word, count]) => `${count} ${word}`).join(" · "));
    this.older.hidden = !content.older;
    write(this.olderWords, content.older);
    this.older.setAttribute("href", href("plan", [content.newest]));
    const shape = `${content.live} ${content.name} ${this._canRerun()}`;
    if (shape !== this._shape) {
      this._shape = shape;
      this._buttons();
    }
    if (!content.agents.some((agent) => agent.id === this.cursor)) this.cursor = content.agents[0]?.id ?? null;
    this._draw();
  }

  _row() {
    const content = this._content;
    return content && { id: content.id, name: content.name, facts: { status: content.live ? "running" : "stopped" }, cells: { state: { text: `${content.mark} for ${lasted(this._span(content))}` } } };
  }

  _press(action) {
    const row = this._row();
    return this._context.verbs.press(action.verb, () => action.args(row), { label: action.label, asks: () => action.asks(row), says: () => action.says(row), done: () => action.verb === "rm" && this._context.router.go("plans") });
  }

  /** Stop or kill one agent, as in the list of missions. */
  _pressAgent(verb, agent) {
    return actions(this._context).press(verb, [{ id: agent.mission, name: agent.name, state: agent.over ? "stopped" : agent.state, since: agent.began }]);
  }

  _agentMenu(agent) {
    const { verbs, socket, router } = this._context;
    const acts = agent.over ? [] : ["stop", "kill"];
    return menu(agent.name, [
      ...["log", "terminal", "describe"].map((tab) => ({ label: capital(tab), press: () => router.go("m", [agent.mission, tab]) })),
      ...acts.map((verb) => ({ label: capital(verbs.row(verb)?.label ?? verb), key: verbs.row(verb)?.key ?? "", danger: true, disabled: !socket.ready || !verbs.allowed(verb), press: () => this._pressAgent(verb, agent) })),
    ]);
  }

  _canApply() {
    return Boolean(fileOf(this._content?.path)) && this._context.verbs.allowed("apply");
  }

  _canRerun() {
    return this._canApply() && this._content.broken;
  }

  _apply() {
    const { path, name } = this._content;
    return this._applied({ path, name, title: `Apply ${name} again` });
  }

  /** A run that it begins is shown instead of this one. */
  async _applied(given) {
    const plan = await applyFile(this._context, given);
    if (plan && plan.id !== this._content?.id) this._context.router.go("plan", [plan.id]);
    return plan;
  }

  /** What failed, and what waits for it, once more; what would run is shown first. */
  _rerun() {
    const { path, name } = this._content;
    return this._applied({ path, name, rerun: "failed", title: "Run failed agents again" });
  }

  _buttons() {
    const row = this._row();
    const { verbs, socket } = this._context;
    const known = ACTIONS.filter((action) => !action.when || action.when(row));
    const file = this._content.file;
    const more = () => menu(row.name, [
      ...known.map((action) => ({ label: action.label, key: action.key ?? verbs.row(action.verb)?.key ?? "", danger: verbs.row(action.verb)?.danger === "ends work", disabled: !socket.ready || !verbs.allowed(action.verb), press: () => this._press(action) })),
      ...(this._canApply() ? [{ label: "Apply its file again", key: "B", disabled: !socket.ready, press: () => this._apply() }] : []),
      { label: "Log of the plan", press: () => this._context.router.go("m", [row.id, "log"]) },
      { label: "Describe it", press: () => this._context.router.go("m", [row.id, "describe"]) },
    ]);
    const first = known[0];
    const again = this._canRerun() ? verbs.button("apply", () => (this._rerun(), null), { label: "Run failed again", key: "R", primary: true }) : null;
    fill(
      this.actions,
      file ? h("span", { class: "quiet plan-file", title: file }, file.split("/").at(-1)) : null,
      again,
      verbs.button(first.verb, () => (this._press(first), null), { label: first.label, key: "", asks: null }),
      h("button", { type: "button", class: "button square", "aria-label": "More of this plan", onclick: more }, mark("more", "plain")),
    );
  }

  // what is drawn

  _draw() {
    const content = this._content;
    if (!content) return;
    if (!content.agents.length) {
      const [title, ...more] = content.empty;
      this.graph.element.hidden = true;
      this._rows.clear();
      fill(this.bars, h("li", { class: "nothing" }, mark("plans"), h("h2", {}, title), more.map((text) => h("p", { class: "quiet" }, text.replace(/^:plans/, "Plans")))));
      return;
    }
    this._list(content.agents);
    const drawn = content.drawn && !narrow.matches;
    this.graph.element.hidden = !drawn;
    if (drawn) this._graph(content.agents);
    this._lit();
    this._times();
  }

  /** The agents below each other, each with the time in which it ran. */
  _list(agents) {
    const shape = JSON.stringify(agents.map(({ id, depth }) => [id, depth]));
    if (shape !== this._listed) {
      this._listed = shape;
      this._rows = new Map(agents.map((agent) => [agent.id, this._made(agent)]));
      fill(this.bars, [...this._rows.values()].map(({ element }) => element));
    }
    for (const agent of agents) {
      const row = this._rows.get(agent.id);
      row.agent = agent;
      remark(row.picture, agent.mark, word(agent.tone));
      write(row.state, agent.state);
      row.critical.hidden = !agent.critical;
      row.bar.setAttribute("class", `plan-bar-ran tone-${agent.critical ? "key" : word(agent.tone)}`);
      row.element.classList.toggle("waits", !agent.began);
      row.more.disabled = !agent.mission;
      if (agent.mission) row.link.setAttribute("href", href("m", [agent.mission, "log"]));
      else row.link.removeAttribute("href");
    }
  }

  _made(agent) {
    const picture = mark(agent.mark);
    const state = document.createTextNode("");
    const why = document.createTextNode("");
    const took = document.createTextNode("");
    const bar = h("span", { class: "plan-bar-ran" });
    const critical = h("span", { class: "plan-critical tone-key" }, "◆", h("span", { class: "hidden-text" }, " critical path "));
    const link = h("a", { class: "plan-agent-name" }, agent.name);
    const more = h("button", { type: "button", class: "bare plan-more", "aria-label": `More of ${agent.name}`, onclick: () => this._agentMenu(this._rows.get(agent.id).agent) }, mark("more", "plain"));
    const element = h(
      "li",
      { class: "plan-agent", data: { id: agent.id } },
      h("span", { class: "plan-who" }, picture, critical, link),
      h("span", { class: "plan-took quiet" }, h("span", { class: "plan-word" }, state), " ", took),
      h("span", { class: "plan-bar", "aria-hidden": "true" }, bar),
      h("span", { class: "plan-why quiet" }, why),
      more,
    );
    element.style.setProperty("--depth", String(Math.min(agent.depth, DEEPEST)));
    element.addEventListener("pointerdown", () => this._to(agent.id));
    element.addEventListener("focusin", () => this._to(agent.id));
    return { element, picture, state, why, took, bar, critical, link, more, agent };
  }

  async _graph(agents) {
    await this.graph.take(agents.map((agent) => ({ ...agent, href: agent.mission ? href("m", [agent.mission, "log"]) : null })));
    this._times();
  }

  _span({ began, until }) {
    return began === null ? 0 : Math.max(0, (until ?? now()) - began);
  }

  /** Whatever goes on with time. */
  _times() {
    const content = this._content;
    if (!content) return;
    write(this.state, content.began === null ? content.mark : `${content.mark} ${lasted(this._span(content))}`);
    const whole = Math.max(this._span(content), 0.001);
    for (const row of this._rows.values()) {
      const { agent } = row;
      write(row.why, agent.due === null ? agent.why : `${agent.why}${lasted(agent.due - now())}`);
      const text = agent.began === null ? "" : lasted(this._span(agent));
      write(row.took, text);
      row.bar.hidden = agent.began === null;
      if (agent.began === null) continue;
      const from = Math.max(0, Math.min(1, (agent.began - content.began) / whole));
      row.bar.style.left = `${(from * 100).toFixed(2)}%`;
      row.bar.style.width = `${(Math.min(1 - from, this._span(agent) / whole) * 100).toFixed(2)}%`;
    }
    for (const agent of content.agents) this.graph.say(agent.id, agent.began === null ? agent.state : `${agent.state} ${lasted(this._span(agent))}`);
  }

  // the cursor

  _to(id) {
    if (id === this.cursor) return;
    this.cursor = id;
    this._lit();
  }

  _lit() {
    for (const [id, { element }] of this._rows) element.classList.toggle("cursor", id === this.cursor);
    this.graph.light(this.cursor);
    this._context.router.note({ row: this.cursor ?? "" });
  }

  _move(step) {
    const agents = this._content?.agents ?? [];
    if (!agents.length) return false;
    const at = agents.findIndex((agent) => agent.id === this.cursor);
    this.cursor = agents[Math.max(0, Math.min(agents.length - 1, at + step))].id;
    this._lit();
    this._rows.get(this.cursor)?.element.scrollIntoView({ block: "nearest" });
    this.graph.show(this.cursor);
    return true;
  }

  mission() {
    return this._content?.id ?? null;
  }

  go(place) {
    const [id = ""] = place.parts;
    if (id === this._id) return;
    this._context.app.reopen(place);
  }

  close() {
    clearInterval(this._ticking);
    this._pane.close();
    this._drop();
    narrow.removeEventListener("change", this._wider);
  }
}
