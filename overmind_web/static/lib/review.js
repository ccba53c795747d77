/** Comments on lines of a diff or a document: kept in this browser until they are sent, all of them as one message. */

import { h } from "./dom.js";
import { keep, kept, forget } from "./store.js";

/**
 * @typedef {{place: string, line: string, text: string, order: number}} Comment
 * `place` is what the message calls the line (`api/prices.py:41`), `line` the line as it is quoted, with its sign where it came or went
 */

export class Comments {
  /**
   * @param {string} name of the draft
   * @param {() => void} changed
   */
  constructor(name, changed) {
    this._key = `comments:${name}`;
    this._changed = changed;
    const found = kept(this._key, {});
    this.all = new Map(Object.entries(found && typeof found === "object" ? found : {}).filter(([, one]) => typeof one?.text === "string" && typeof one.place === "string" && typeof one.line === "string"));
    this._boxes = new Map();
  }

  /** Those that say something. */
  get count() {
    return [...this.all.values()].filter(({ text }) => text.trim()).length;
  }

  has(key) {
    return this.all.has(key);
  }

  _save() {
    if (this.all.size) keep(this._key, Object.fromEntries(this.all));
    else forget(this._key);
    this._changed();
  }

  /** The message: each place with its line quoted, and below it what is said. */
  message() {
    return this._said()
      .map(([, { place, line, text }]) => `${place}\n> ${line}\n${text.trim()}`)
      .join("\n\n");
  }

  _said() {
    return [...this.all].filter(([, { text }]) => text.trim()).sort(([, a], [, b]) => a.order - b.order);
  }

  /** What is sent now, and what takes away exactly that once it has arrived. */
  sending() {
    const said = this._said();
    const text = this.message();
    return {
      text,
      arrived: () => {
        for (const [key, one] of said) if (this.all.get(key)?.text === one.text) this.drop(key);
      },
    };
  }

  drop(key) {
    this.all.delete(key);
    const box = this._boxes.get(key);
    this._boxes.delete(key);
    box?.remove();
    this._save();
  }

  /** Begin a comment, or go on with it: its box has the focus. */
  write(key, { place, line, order }) {
    const fresh = !this.all.has(key);
    if (fresh) {
      this.all.set(key, { place, line, order, text: "" });
      this._save();
    }
    const box = this.box(key);
    box.edit();
    return box;
  }

  /** The element of a comment, always the same one, wherever it is put. */
  box(key) {
    const known = this._boxes.get(key);
    if (known) return known;
    const one = this.all.get(key);
    const words = h("p", { class: "comment-text" });
    const field = h("textarea", { class: "field", rows: 2, "aria-label": `Comment on ${one.place}`, placeholder: "What should be different here?" });
    field.value = one.text;
    const shown = h("div", { class: "comment-shown" }, h("span", { class: "comment-mark", "aria-hidden": "true" }, "●"), words, h("button", { type: "button", class: "button small", onclick: () => box.edit() }, "Edit"));
    const done = h("button", { type: "button", class: "button small", onclick: () => box.fold() }, "Keep");
    const away = h("button", { type: "button", class: "button small", onclick: () => this.drop(key) }, "Remove");
    const written = h("div", { class: "comment-written" }, field, h("div", { class: "comment-buttons" }, done, away));
    const box = h("div", { class: "comment", data: { comment: key } }, h("span", { class: "comment-place quiet" }, one.place), shown, written);
    field.addEventListener("input", () => {
      const now = this.all.get(key);
      if (now) this.all.set(key, { ...now, text: field.value });
      this._save();
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape" || (event.key === "Enter" && (event.ctrlKey || event.metaKey))) {
        event.preventDefault();
        event.stopPropagation();
        box.fold();
      }
    });
    box.edit = () => {
      shown.hidden = true;
      written.hidden = false;
      // where it is put is decided by whoever asked; it can take the focus once it stands there
      queueMicrotask(() => field.focus());
    };
    box.fold = () => {
      if (!field.value.trim()) {
        this.drop(key);
        return;
      }
      words.textContent = field.value;
      field.blur(); // a hidden one would have the keys until the next frame
      written.hidden = true;
      shown.hidden = false;
    };
    if (one.text.trim()) box.fold();
    else shown.hidden = true;
    this._boxes.set(key, box);
    return box;
  }
}
