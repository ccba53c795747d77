/** Keys as in the full-screen program: never while somebody types, and they can be turned off. */

import { typing } from "./dom.js";
import { kept } from "./store.js";

const NAMES = { " ": "space", ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", Escape: "escape", Enter: "enter", PageUp: "pageup", PageDown: "pagedown", Home: "home", End: "end", Tab: "tab" };

/** The name of a pressed key, as the table of keys has it: `x`, `X`, `ctrl+d`, `shift+up`. */
export function named(event) {
  const plain = NAMES[event.key] ?? event.key;
  const letter = plain.length === 1;
  return `${event.ctrlKey ? "ctrl+" : ""}${event.altKey ? "alt+" : ""}${event.shiftKey && !letter ? "shift+" : ""}${plain}`;
}

/** Keys that a browser takes for itself before a page sees them. */
export const KEPT = [
  ["ctrl-w", "closes the tab; the full-screen program's wide table is the button Columns"],
  ["ctrl-t, ctrl-n", "open a tab or window"],
  ["ctrl-q", "leaves some browsers"],
  ["ctrl-tab", "goes to the next tab"],
  ["F5, ctrl-r", "load this page again: same page, same row"],
];

export class Keys {
  constructor() {
    this._layers = [];
    document.addEventListener("keydown", (event) => this._pressed(event));
  }

  get on() {
    return kept("keys", true) !== false;
  }

  /**
   * Let keys act. The newest layer is asked first.
   *
   * @param {string} title of these keys in the help
   * @param {Array<[string, string, Function, ({hint?: boolean})?]>} rows key, what it does, what is called; several keys are parted by blanks
   * @returns {() => void} takes them away again
   */
  layer(title, rows) {
    const acts = new Map();
    for (const [names, , act] of rows) for (const name of names.split(" ")) acts.set(name, act);
    const layer = { title, rows, acts };
    this._layers.push(layer);
    return () => {
      this._layers = this._layers.filter((one) => one !== layer);
    };
  }

  get layers() {
    return [...this._layers].reverse();
  }

  _pressed(event) {
    if (event.defaultPrevented || event.isComposing || event.metaKey) return;
    const name = named(event);
    if (document.querySelector("dialog[open]")) return;
    if (typing(event.target)) {
      if (name === "escape" && event.target instanceof HTMLElement && !event.target.closest(".xterm, [data-types]")) event.target.blur();
      return;
    }
    if (!this.on && !["enter", "up", "down", "escape"].includes(name)) return;
    const onButton = event.target instanceof Element && event.target.closest("button, a, summary");
    if (onButton && ["enter", "space"].includes(name)) return;
    for (const layer of this.layers) {
      const act = layer.acts.get(name);
      if (act && act(event) !== false) {
        event.preventDefault();
        return;
      }
    }
  }
}
