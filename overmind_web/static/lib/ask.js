/** Small forms: labelled fields in a dialog, and what was written in them. */

import { h, unique } from "./dom.js";
import { dialog } from "./dialog.js";

/** The form that was sent last, until it is known what came of it; and one that was refused, with why. */
let sent = null;
let refused = null;

/** What a form was sent for is done. */
export function done() {
  sent = null;
}

/** What a form was sent for was refused: whoever asks for the same again finds what was written, and why. False: there was no form. */
export function again(message) {
  if (sent === null) return false;
  refused = { ...sent, message: message.replace(/^--[a-z-]+: /, "") };
  sent = null;
  return true;
}

/**
 * A dialog of labelled fields, which stays open until each has what it needs; resolves to name → text, null where it was left.
 *
 * @param {string} title
 * @param {Array<[string, string, HTMLElement, boolean?, ((text: string) => string)?]>} rows name, label, field, whether it is to be filled in, and what is wrong with a text; "": nothing
 * @param {string} label
 * @param {string} [note]
 */
export async function ask(title, rows, label, note = "") {
  const before = refused?.title === title ? refused : null;
  refused = sent = null;
  const wrong = h("p", { class: "problem tone-bad", role: "alert" }, before?.message ?? "");
  for (const [name, , element] of rows) if (before) element.value = before.given[name];
  const fields = rows.map(([name, text, element, needed, judge]) => {
    element.id = unique(`field-${name}`);
    return { name, element, problem: (typed) => (needed && !typed ? "Fill this in first." : (judge?.(typed) ?? "")), row: h("div", { class: "form-row" }, h("label", { for: element.id }, text), element) };
  });
  const send = (close) => {
    const bad = fields.find(({ problem, element }) => problem(element.value.trim()));
    if (bad) {
      wrong.textContent = bad.problem(bad.element.value.trim());
      bad.element.focus();
    } else close(Object.fromEntries(fields.map(({ name, element }) => [name, element.value.trim()])));
  };
  const given = await dialog(title, (close) => [h("form", { class: "form", onsubmit: (event) => (event.preventDefault(), send(close)) }, fields.map(({ row }) => row), note ? h("p", { class: "quiet small" }, note) : null, wrong, h("button", { type: "submit", hidden: true }))], {
    foot: (close) => [h("button", { type: "button", class: "button", onclick: () => close() }, "Cancel"), h("button", { type: "button", class: "button primary", onclick: () => send(close) }, label)],
  });
  sent = given && { title, given };
  return given;
}

/** What is wrong with the text of a field that takes a whole number; nothing, where it is left empty. */
export const wholeNumber = (label) => (text) => (/^\d{0,9}$/.test(text) ? "" : `${label}: write a whole number, such as 2.`);

/** A field of one line. */
export const line = (more = {}) => h("input", { class: "field", autocomplete: "off", autocapitalize: "off", spellcheck: "false", ...more });

/** A field with a few choices: texts, or pairs of a value and its text. */
export const choice = (values, chosen = "") => h("select", { class: "field" }, values.map((one) => (Array.isArray(one) ? one : [one, one])).map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
