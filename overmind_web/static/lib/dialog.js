/** Dialogs: the browser's own, which keeps the focus inside and closes by Escape; they scroll on a phone. */

import { h, unique } from "./dom.js";

/**
 * Open a dialog; resolves with what closed it, null for Escape, a press outside, and where its page is left.
 *
 * @param {string} title
 * @param {(close: (value: any) => void) => Node[]} contents
 * @param {{wide?: boolean, foot?: (close: Function) => Node[], keys?: Object<string, (close: Function) => void>}} [how]
 */
export function dialog(title, contents, how = {}) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const name = unique("dialog");
    let value = null;
    const close = (given = null) => {
      value = given;
      box.close();
    };
    const box = h(
      "dialog",
      { class: how.wide ? "dialog wide" : "dialog", "aria-labelledby": name },
      h("header", { class: "dialog-head" }, h("h2", { id: name }, title), h("button", { type: "button", class: "bare", "aria-label": "Close", onclick: () => close() }, "×")),
      h("div", { class: "dialog-body" }, contents(close)),
      how.foot ? h("footer", { class: "dialog-foot" }, how.foot(close)) : null,
    );
    const gone = () => close(); // back, on a phone above all: it belongs to the page that is left
    window.addEventListener("hashchange", gone);
    box.addEventListener("close", () => {
      window.removeEventListener("hashchange", gone);
      box.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
      resolve(value);
    });
    box.addEventListener("mousedown", (event) => {
      if (event.target === box) close();
    });
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const act = how.keys?.[event.key];
      if (act && !(event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement)) {
        event.preventDefault();
        act(close);
      }
    });
    document.body.append(box);
    box.showModal();
    const fields = [...box.querySelectorAll("[data-first]"), ...box.querySelectorAll("input, textarea, select")];
    fields.find((field) => field.checkVisibility())?.focus();
  });
}

/** A sentence as a paragraph; a promise of one has its place once it is known, none where it is empty. */
function paragraph(sentence) {
  if (!(sentence instanceof Promise)) return h("p", {}, sentence);
  const late = h("p", { hidden: true, role: "status" });
  sentence.then((text) => {
    late.textContent = text;
    late.hidden = !text;
  });
  return late;
}

/**
 * Ask before work is ended: what, for how long it ran, and what hangs on it. The focus is on Cancel.
 *
 * @param {string} title
 * @param {Array<string|Promise<string>>} sentences
 * @param {string} label
 */
export function confirm(title, sentences, label) {
  return dialog(title, () => sentences.map(paragraph), {
    foot: (close) => [
      h("button", { type: "button", class: "button", data: { first: "" }, onclick: () => close(false) }, "Cancel ", h("kbd", {}, "n")),
      h("button", { type: "button", class: "button danger", onclick: () => close(true) }, `${label} `, h("kbd", {}, "y")),
    ],
    keys: { y: (close) => close(true), n: (close) => close(false) },
  }).then(Boolean);
}

/** A menu of actions; closes with the chosen one, which is then pressed. */
export async function menu(title, items) {
  const chosen = await dialog(title, (close) => [
    h(
      "div",
      { class: "menu" },
      items.map((item) =>
        h("button", { type: "button", class: item.danger ? "menu-item tone-bad" : "menu-item", disabled: Boolean(item.disabled), onclick: () => close(item) }, h("span", {}, item.label), item.key ? h("kbd", {}, item.key) : null),
      ),
    ),
  ]);
  chosen?.press();
}
