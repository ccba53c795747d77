/** Small forms: labelled fields in a dialog, and what was written in them. */

import { h, unique } from "./dom.js";
import { dialog } from "./dialog.js";

/** A dialog of labelled fields. `rows`: [name, label, element]; resolves to name → text, null where it was left. */
export function ask(title, rows, label, note = "") {
  const wrong = h("p", { class: "problem tone-bad", role: "alert" });
  const fields = rows.map(([name, text, element, needed]) => {
    element.id = unique(`field-${name}`);
    return { name, element, needed, row: h("div", { class: "form-row" }, h("label", { for: element.id }, text), element) };
  });
  const send = (close) => {
    const empty = fields.find(({ needed, element }) => needed && !element.value.trim());
    if (empty) {
      wrong.textContent = "Fill this in first.";
      empty.element.focus();
    } else close(Object.fromEntries(fields.map(({ name, element }) => [name, element.value.trim()])));
  };
  return dialog(title, (close) => [h("form", { class: "form", onsubmit: (event) => (event.preventDefault(), send(close)) }, fields.map(({ row }) => row), note ? h("p", { class: "quiet small" }, note) : null, wrong, h("button", { type: "submit", hidden: true }))], {
    foot: (close) => [h("button", { type: "button", class: "button", onclick: () => close() }, "Cancel"), h("button", { type: "button", class: "button primary", onclick: () => send(close) }, label)],
  });
}

/** A field of one line. */
export const line = (more = {}) => h("input", { class: "field", autocomplete: "off", autocapitalize: "off", spellcheck: "false", ...more });

/** A field with a few choices: texts, or pairs of a value and its text. */
export const choice = (values, chosen = "") => h("select", { class: "field" }, values.map((one) => (Array.isArray(one) ? one : [one, one])).map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
