/** A graph of what waits for what. Places change only when it has other nodes or edges; what a node says changes in place. */

import { h, svg, fill, write, word } from "./dom.js";
import { mark, remark } from "./marks.js";
import { sheet } from "./sheet.js";

const NODE = { width: 152, height: 40 };
/** Pixels of a node. */
const MARGIN = 12;
const LONGEST = 15;
/** Characters of a name in it. */

/** @typedef {{id: string, name: string, needs: string[], mark: string, tone: string, state: string, why?: string, critical: boolean, href: string|null}} Node */

export class Graph {
  /**
   * @param {{label: string, about: string, chosen: (id: string) => void, failed: (sentence: string) => void}} how `label`: of the whole; `about`: what its picture shows; `chosen`: one was pressed or got the focus
   */
  constructor(how) {
    sheet(new URL("../styles/plan.css", import.meta.url).href).catch((error) => how.failed(error.message));
    this._how = how;
    this._boxes = new Map();
    this._edges = [];
    this._shape = "";
    this._taken = [];
    this._cursor = null;
    this.element = h("div", { class: "plan-graph", tabindex: 0, role: "group", "aria-label": how.label });
  }

  /** Show these. @param {Node[]} nodes */
  async take(nodes) {
    this._taken = nodes;
    const shape = JSON.stringify(nodes.map(({ id, needs }) => [id, needs]));
    if (shape !== this._shape) {
      this._shape = shape;
      try {
        const library = await import(new URL("../vendor/dagre/dagre.mjs", import.meta.url).href);
        if (shape !== this._shape) return;
        this._layout(library, nodes);
      } catch (error) {
        this._shape = "";
        this.element.hidden = true;
        this._how.failed(`The graph can't be drawn: ${error.message}`);
        return;
      }
    }
    const critical = new Set(this._taken.filter((node) => node.critical).map(({ id }) => id));
    for (const node of this._taken) this._dress(node);
    for (const { path, from, to } of this._edges) path.setAttribute("class", critical.has(from) && critical.has(to) ? "plan-edge critical" : "plan-edge");
    this.light(this._cursor);
  }

  /** Say how one stands. */
  say(id, text) {
    const box = this._boxes.get(id);
    if (box) write(box.state, text);
  }

  show(id) {
    this._boxes.get(id)?.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  light(id) {
    this._cursor = id;
    for (const [one, { element }] of this._boxes) element.classList.toggle("cursor", one === id);
  }

  _layout({ Graph: Dagre, layout }, nodes) {
    const laid = new Dagre();
    laid.setGraph({ rankdir: "LR", nodesep: 12, ranksep: 36, marginx: MARGIN, marginy: MARGIN });
    laid.setDefaultEdgeLabel(() => ({}));
    // by number: a name may be any text
    const numbers = new Map(nodes.map((node, number) => [node.id, String(number)]));
    for (const number of numbers.values()) laid.setNode(number, { ...NODE });
    for (const node of nodes) for (const need of node.needs) if (numbers.has(need)) laid.setEdge(numbers.get(need), numbers.get(node.id));
    layout(laid);
    const { width, height } = laid.graph();
    let [top, bottom] = [0, height];
    this._edges = nodes.flatMap((node) =>
      node.needs.filter((need) => numbers.has(need)).map((need) => {
        const [from, to] = [laid.node(numbers.get(need)), laid.node(numbers.get(node.id))];
        const { points } = laid.edge(numbers.get(need), numbers.get(node.id));
        const bends = points.slice(1, -1).filter(({ x }) => x > from.x + NODE.width / 2 && x < to.x - NODE.width / 2);
        // an edge that passes several nodes may pass above or below all of them
        for (const { y } of bends) [top, bottom] = [Math.min(top, y - MARGIN), Math.max(bottom, y + MARGIN)];
        const path = svg("path", { class: "plan-edge", d: curve([{ x: from.x + NODE.width / 2, y: from.y }, ...bends, { x: to.x - NODE.width / 2, y: to.y }]) });
        return { path, from: need, to: node.id };
      }),
    );
    this._boxes = new Map(nodes.map((node) => [node.id, this._box(node, laid.node(numbers.get(node.id)))]));
    fill(this.element, svg("svg", { class: "plan-svg", viewBox: `0 ${top} ${width} ${bottom - top}`, width, height: bottom - top, role: "group", "aria-label": this._how.about }, this._edges.map(({ path }) => path), [...this._boxes.values()].map(({ element }) => element)));
  }

  _box(node, { x, y }) {
    const picture = mark(node.mark);
    for (const [name, value] of Object.entries({ x: 10, y: 12, width: 16, height: 16 })) picture.setAttribute(name, String(value));
    const name = node.name.length > LONGEST ? `${node.name.slice(0, LONGEST - 1)}…` : node.name;
    const state = document.createTextNode("");
    const critical = document.createTextNode("");
    const title = document.createTextNode("");
    const element = svg(
      "a",
      { class: "plan-node", transform: `translate(${x - NODE.width / 2} ${y - NODE.height / 2})`, data: { id: node.id } },
      svg("title", {}, title),
      svg("rect", { width: NODE.width, height: NODE.height, rx: 8 }),
      picture,
      svg("text", { class: "plan-node-name", x: 32, y: 17 }, name),
      svg("text", { class: "plan-node-state", x: 32, y: 32 }, state),
      svg("text", { class: "plan-node-critical", x: NODE.width - 16, y: 17 }, critical),
    );
    for (const event of ["pointerdown", "focusin"]) element.addEventListener(event, () => this._how.chosen(node.id));
    return { element, picture, state, critical, title };
  }

  _dress(node) {
    const box = this._boxes.get(node.id);
    if (!box) return;
    remark(box.picture, node.mark, word(node.tone));
    write(box.critical, node.critical ? "◆" : "");
    write(box.state, node.state);
    write(box.title, [node.name, node.state, node.critical ? "critical path" : "", node.why].filter(Boolean).join(" · "));
    box.element.setAttribute("class", `plan-node edge-${word(node.tone)}${node.critical ? " critical" : ""}`);
    if (node.href) box.element.setAttribute("href", node.href);
    else box.element.removeAttribute("href");
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
