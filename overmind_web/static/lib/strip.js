/** The first question that waits, in one strip above a list: a small one is answered there, any other read whole on the page of what needs you. */

import { h, fill } from "./dom.js";
import { mark } from "./marks.js";
import { tick, rest } from "./time.js";
import { kindOf } from "./card.js";
import { href } from "./router.js";
import { Guard } from "./verbs.js";

export class Strip {
  /** @param {Object} context of the pages */
  constructor(context) {
    this._context = context;
    this._guard = new Guard();
    this._pane = null;
    this._key = null;
    this._open = new Map();
    this._gone = new Map();
    this._mine = new Set();
    this._since = document.createTextNode("");
    this.element = h("div", { class: "strip", role: "group", "aria-label": "The first question", hidden: true });
  }

  /** Whether there is room for it. */
  shown(on) {
    if (on === (this._pane !== null)) return;
    if (on) this._pane = this._context.socket.pane("needs", {}, { content: ({ content }) => this._take(content), failed: () => this._draw([]), lost: () => {} });
    else this.close();
  }

  close() {
    this._pane?.close();
    this._pane = null;
    this._open.clear();
    this._gone.clear();
    this._draw([]);
  }

  _take({ needs, answered = {} }) {
    const asked = needs.filter((need) => need.question);
    const now = new Map(asked.map((need) => [need.key, need]));
    for (const [key, need] of this._open) if (!now.has(key) && !this._mine.has(key)) this._gone.set(key, need);
    for (const [key, need] of this._gone) {
      const words = answered[String(need.question)];
      if (!words) continue; // by whom is told a moment later
      this._gone.delete(key);
      if (!this._mine.has(key)) this._context.toasts.say(words, "quiet");
    }
    this._open = now;
    this._draw(asked);
  }

  _draw(asked) {
    this._guard.shown(asked.map((need) => need.key));
    const [need] = asked;
    const shape = need ? JSON.stringify(need) : null;
    if (shape === this._key) return;
    this._key = shape;
    this.element.hidden = !need;
    rest(this._since);
    fill(this.element, need ? this._parts(need) : []);
  }

  _parts(need) {
    if (need.since) tick(this._since, need.since);
    const whole = href("needs", [], { q: need.question });
    const text = h(
      "a",
      { class: "strip-text", href: whole },
      h("span", { class: "strip-words" }, h("b", {}, need.name), ` asks: ${need.summary}`),
      h("span", { class: "strip-kind quiet" }, kindOf(need), " · ", this._since),
    );
    const direct = !need.choices?.length && !need.attach_only && !need.whole;
    const buttons = direct
      ? [this._button(need, "deny", need.labels.deny, false), this._button(need, "allow", need.labels.allow, true)]
      : [h("a", { class: "button", href: whole }, need.attach_only || need.whole ? "Read" : "Answer")];
    return [mark(need.mark ?? "waiting", need.tone ? `tone-${need.tone}` : ""), text, h("div", { class: "strip-actions" }, buttons)];
  }

  _button(need, behaviour, label, primary) {
    const { toasts, verbs } = this._context;
    const args = () => {
      this._mine.add(need.key); // before the page hears who answered
      return { question: need.question, behaviour };
    };
    return verbs.button("answer", args, {
      label,
      primary,
      key: "",
      guard: () => this._guard.refusal(need.key),
      done: () => toasts.say(`${need.name}: ${need.done[behaviour]}`, behaviour === "allow" ? "good" : "quiet"),
      failed: (error) => {
        if (error.error !== "not_found") return this._mine.delete(need.key) && false;
        toasts.say(error.message); // who was faster
        return true;
      },
    });
  }
}
