/** One plan: its graph, and below it when each agent ran. The places of the graph change only when the plan has other agents; what an agent does changes in place. */

import { h, svg, fill, write, word } from "../lib/dom.js";
import { mark, remark } from "../lib/marks.js";
import { href } from "../lib/router.js";
import { sheet } from "../lib/sheet.js";
import { lasted, now } from "../lib/time.js";
import { menu } from "../lib/dialog.js";
import { actions } from "../lib/actions.js";
import { applyFile } from "../lib/apply.js";
import { ACTIONS, fileOf } from "./plans.js";

const narrow = matchMedia("(max-width: 639px)");
const NODE = { width: 152, height: 40 };
/** Pixels of an agent in the graph. */
const MARGIN = 12;
/** Pixels around the graph. */
const LONGEST = 15;
/** Characters of a name there. */
const DEEPEST = 8;
/** Steps by which a list is indented at most. */

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

export function open(place, context, [id = ""]) {
  return new Plan(place, context, id);
}

class Plan {
  constructor(place, context, id) {
    sheet(new URL("../plan.css", import.meta.url).href).catch((error) => context.toasts.say(error.message, "bad"));
    this._context = context;
    this._id = id;
    this._nodes = new Map();
    this._rows = new Map();
    this._content = null;
    this.cursor = place.query.row ?? null;
    this.picture = mark("plans");
    this.title = h("h1", { class: "plan-name" }, id);
    this.state = document.createTextNode("");
    this.counts = h("span", { class: "quiet plan-counts" });
    this.actions = h("div", { class: "tools" });
    this.graph = h("div", { class: "plan-graph", tabindex: 0, role: "group", "aria-label": "Graph of the agents" });
    this.bars = h("ol", { class: "plan-agents", "aria-label": "Agents" });
    this.body = h("div", { class: "plan-body" }, this.graph, this.bars);
    this.element = h(
      "section",
      { class: "page plan-page", "aria-label": "Plan" },
      h("header", { class: "page-head" }, h("a", { class: "bare plan-back", href: href("plans"), "aria-label": "All plans" }, mark("back", "plain")), this.picture, this.title, h("span", { class: "plan-state" }, this.state), this.counts, h("span", { class: "grow" }), this.actions),
      this.body,
    );
    this.graph.hidden = true;
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
      ["r", "restart the agent", press("restart")],
      ["R", "run failed agents again", () => (this._canRerun() ? (this._rerun(), true) : false)],
      ["A", "apply its file again", () => (this._canApply() ? (this._apply(), true) : false)],
    ];
  }

  _failed(message) {
    this.graph.hidden = true;
    fill(this.bars, h("li", { class: "nothing" }, h("p", { class: "tone-bad" }, message.message), h("a", { href: href("plans") }, "All plans")));
    this._rows.clear();
    this._content = null;
  }

  _take(content) {
    this._content = content;
    write(this.title.firstChild, content.name);
    remark(this.picture, content.mark, word(content.tone));
    fill(this.counts, content.counts.map(([stage, count]) => `${count} ${stage}`).join(" · "));
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

  /** Stop, kill or restart one agent, as in the list of missions. */
  _pressAgent(verb, agent) {
    return actions(this._context).press(verb, [{ id: agent.mission, name: agent.name, state: agent.over ? "stopped" : agent.state, since: agent.began }]);
  }

  _agentMenu(agent) {
    const { verbs, socket, router } = this._context;
    const acts = ["stop", "kill", "restart"].filter((verb) => verb === "restart" || !agent.over);
    return menu(agent.name, [
      ...["log", "terminal", "describe"].map((tab) => ({ label: capital(tab), press: () => router.go("m", [agent.mission, tab]) })),
      ...acts.map((verb) => ({ label: capital(verbs.row(verb)?.label ?? verb), key: verbs.row(verb)?.key ?? "", danger: true, disabled: !socket.ready || !verbs.allowed(verb), press: () => this._pressAgent(verb, agent) })),
    ]);
  }

  _canApply() {
    return Boolean(fileOf(this._content?.path)) && this._context.verbs.allowed("apply");
  }

  _canRerun() {
    return this._canApply() && this._content.counts.some(([stage]) => stage === "failed" || stage === "cancelled");
  }

  _apply() {
    const { path, name } = this._content;
    return applyFile(this._context, { path, name, title: `Apply ${name} again` });
  }

  /** What failed, and what waits for it, once more; what would run is shown first. */
  _rerun() {
    const { path, name } = this._content;
    return applyFile(this._context, { path, name, rerun: "failed", title: "Run failed agents again" });
  }

  _buttons() {
    const row = this._row();
    const { verbs, socket } = this._context;
    const known = ACTIONS.filter((action) => !action.when || action.when(row));
    const file = this._content.file;
    const more = () => menu(row.name, [
      ...known.map((action) => ({ label: action.label, key: action.key ?? verbs.row(action.verb)?.key ?? "", danger: verbs.row(action.verb)?.danger === "ends work", disabled: !socket.ready || !verbs.allowed(action.verb), press: () => this._press(action) })),
      ...(this._canApply() ? [{ label: "Apply its file again", key: "A", disabled: !socket.ready, press: () => this._apply() }] : []),
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
      this.graph.hidden = true;
      this._rows.clear();
      fill(this.bars, h("li", { class: "nothing" }, mark("plans"), h("h2", {}, title), more.map((text) => h("p", { class: "quiet" }, text.replace(/^:blueprints/, "Plans")))));
      return;
    }
    this._list(content.agents);
    const drawn = content.drawn && !narrow.matches;
    this.graph.hidden = !drawn;
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
      write(row.why, agent.why);
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

  /** The graph: laid out when it has other agents or edges, else only what they do is written anew. */
  async _graph(agents) {
    const shape = JSON.stringify(agents.map(({ id, needs }) => [id, needs]));
    if (shape !== this._drawnShape) {
      this._drawnShape = shape;
      try {
        const library = await import(new URL("../vendor/dagre/dagre.mjs", import.meta.url).href);
        if (shape !== this._drawnShape) return;
        this._layout(library, agents);
      } catch (error) {
        this._drawnShape = "";
        this.graph.hidden = true;
        this._context.toasts.say(`The graph can't be drawn: ${error.message}`, "bad");
        return;
      }
    }
    for (const agent of this._content?.agents ?? []) this._node(agent);
    this._lit();
    this._times();
  }

  _layout({ Graph, layout }, agents) {
    const laid = new Graph();
    laid.setGraph({ rankdir: "LR", nodesep: 12, ranksep: 36, marginx: MARGIN, marginy: MARGIN });
    laid.setDefaultEdgeLabel(() => ({}));
    // by number: a name may be any text
    const numbers = new Map(agents.map((agent, number) => [agent.id, String(number)]));
    for (const number of numbers.values()) laid.setNode(number, { ...NODE });
    for (const agent of agents) for (const need of agent.needs) if (numbers.has(need)) laid.setEdge(numbers.get(need), numbers.get(agent.id));
    layout(laid);
    const { width, height } = laid.graph();
    let [top, bottom] = [0, height];
    this._edges = [];
    const edges = agents.flatMap((agent) =>
      agent.needs.filter((need) => numbers.has(need)).map((need) => {
        const [from, to] = [laid.node(numbers.get(need)), laid.node(numbers.get(agent.id))];
        const { points } = laid.edge(numbers.get(need), numbers.get(agent.id));
        const bends = points.slice(1, -1).filter(({ x }) => x > from.x + NODE.width / 2 && x < to.x - NODE.width / 2);
        // an edge that passes several agents may pass above or below all of them
        for (const { y } of bends) [top, bottom] = [Math.min(top, y - MARGIN), Math.max(bottom, y + MARGIN)];
        const path = svg("path", { class: "plan-edge", d: curve([{ x: from.x + NODE.width / 2, y: from.y }, ...bends, { x: to.x - NODE.width / 2, y: to.y }]) });
        this._edges.push({ path, from: need, to: agent.id });
        return path;
      }),
    );
    this._nodes = new Map(agents.map((agent) => [agent.id, this._box(agent, laid.node(numbers.get(agent.id)))]));
    const picture = svg("svg", { class: "plan-svg", viewBox: `0 ${top} ${width} ${bottom - top}`, width, height: bottom - top, role: "group", "aria-label": "Agents and what each waits for" }, edges, [...this._nodes.values()].map(({ element }) => element));
    fill(this.graph, picture);
  }

  _box(agent, { x, y }) {
    const picture = mark(agent.mark);
    for (const [name, value] of Object.entries({ x: 10, y: 12, width: 16, height: 16 })) picture.setAttribute(name, String(value));
    const name = agent.name.length > LONGEST ? `${agent.name.slice(0, LONGEST - 1)}…` : agent.name;
    const state = document.createTextNode("");
    const critical = document.createTextNode("");
    const title = document.createTextNode("");
    const element = svg(
      "a",
      { class: "plan-node", transform: `translate(${x - NODE.width / 2} ${y - NODE.height / 2})`, data: { id: agent.id } },
      svg("title", {}, title),
      svg("rect", { width: NODE.width, height: NODE.height, rx: 8 }),
      picture,
      svg("text", { class: "plan-node-name", x: 32, y: 17 }, name),
      svg("text", { class: "plan-node-state", x: 32, y: 32 }, state),
      svg("text", { class: "plan-node-critical", x: NODE.width - 16, y: 17 }, critical),
    );
    element.addEventListener("pointerdown", () => this._to(agent.id));
    element.addEventListener("focusin", () => this._to(agent.id));
    return { element, picture, state, critical, title, agent };
  }

  _node(agent) {
    const node = this._nodes.get(agent.id);
    if (!node) return;
    node.agent = agent;
    remark(node.picture, agent.mark, word(agent.tone));
    write(node.critical, agent.critical ? "◆" : "");
    write(node.title, [agent.name, agent.state, agent.critical ? "critical path" : "", agent.why].filter(Boolean).join(" · "));
    node.element.setAttribute("class", `plan-node edge-${word(agent.tone)}${agent.critical ? " critical" : ""}${agent.id === this.cursor ? " cursor" : ""}`);
    if (agent.mission) {
      node.element.setAttribute("href", href("m", [agent.mission, "log"]));
      node.element.removeAttribute("tabindex");
    } else {
      node.element.removeAttribute("href");
    }
    const critical = new Set(this._content.agents.filter((one) => one.critical).map((one) => one.id));
    for (const edge of this._edges) if (edge.to === agent.id) edge.path.setAttribute("class", critical.has(edge.from) && agent.critical ? "plan-edge critical" : "plan-edge");
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
      const text = agent.began === null ? "" : lasted(this._span(agent));
      write(row.took, text);
      row.bar.hidden = agent.began === null;
      if (agent.began === null) continue;
      const from = Math.max(0, Math.min(1, (agent.began - content.began) / whole));
      row.bar.style.left = `${(from * 100).toFixed(2)}%`;
      row.bar.style.width = `${(Math.min(1 - from, this._span(agent) / whole) * 100).toFixed(2)}%`;
    }
    for (const node of this._nodes.values()) {
      const { agent } = node;
      write(node.state, agent.began === null ? agent.state : `${agent.state} ${lasted(this._span(agent))}`);
    }
  }

  // the cursor

  _to(id) {
    if (id === this.cursor) return;
    this.cursor = id;
    this._lit();
  }

  _lit() {
    for (const [id, { element }] of this._rows) element.classList.toggle("cursor", id === this.cursor);
    for (const [id, { element }] of this._nodes) element.classList.toggle("cursor", id === this.cursor);
    this._context.router.note({ row: this.cursor ?? "" });
  }

  _move(step) {
    const agents = this._content?.agents ?? [];
    if (!agents.length) return false;
    const at = agents.findIndex((agent) => agent.id === this.cursor);
    this.cursor = agents[Math.max(0, Math.min(agents.length - 1, at + step))].id;
    this._lit();
    this._rows.get(this.cursor)?.element.scrollIntoView({ block: "nearest" });
    this._nodes.get(this.cursor)?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
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

/** A path through points, bent between them. */
function curve(points) {
  const [first, ...rest] = points;
  let path = `M${first.x} ${first.y}`;
  let last = first;
  for (const point of rest) {
    const middle = (last.x + point.x) / 2;
    path += `C${middle} ${last.y} ${middle} ${point.y} ${point.x} ${point.y}`;
    last = point;
  }
  return path;
}
