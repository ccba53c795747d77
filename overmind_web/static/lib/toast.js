/** One short sentence at a time about what was done, or why not; it fades, the event log keeps it. */

import { h, fill } from "./dom.js";

const SHOWN = 6000;

export class Toasts {
  constructor() {
    this.element = h("div", { class: "toasts" });
    this.spoken = h("div", { class: "hidden-text", role: "status", "aria-live": "polite" });
  }

  /**
   * Show a sentence.
   *
   * @param {string} text
   * @param {string} [tone] good, bad, quiet; wait: a person is needed
   * @param {{label: string, press: Function}} [action]
   */
  say(text, tone = "quiet", action = null) {
    const toast = h("div", { class: `toast edge-${tone}` }, h("span", {}, text));
    if (action) toast.append(h("button", { type: "button", class: "link", onclick: () => (toast.remove(), action.press()) }, action.label));
    toast.append(h("button", { type: "button", class: "bare", "aria-label": "Close this message", onclick: () => toast.remove() }, "×"));
    this.element.append(toast);
    while (this.element.childElementCount > 3) this.element.firstChild.remove();
    setTimeout(() => toast.remove(), tone === "bad" ? SHOWN * 2 : SHOWN);
  }

  /** Say to screen readers alone what needs a person. */
  announce(text) {
    fill(this.spoken, text);
  }
}
