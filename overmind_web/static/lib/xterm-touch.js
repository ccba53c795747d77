// What a phone types with: a box whose text goes to the program as one paste, and a bar of the keys that it lacks.
//
// Phones' keyboards rewrite what they have typed, which no terminal takes back; in a box of its own they may.

import { h } from "./dom.js";

const ESCAPE = "\x1b";
const KEYS = [
  ["esc", "Escape", ESCAPE], ["tab", "Tab", "\t"], ["ctrl", "Control, with the next key", null],
  ["←", "Left", "D"], ["↓", "Down", "B"], ["↑", "Up", "A"], ["→", "Right", "C"],
];
const MORE = [
  ["⇧tab", "Shift and tab", `${ESCAPE}[Z`], ["^C", "Control and C", "\x03"], ["^D", "Control and D", "\x04"],
  ["^Z", "Control and Z", "\x1a"], ["^R", "Control and R", "\x12"], ["home", "Home", "H"], ["end", "End", "F"],
  ["pgup", "Page up", `${ESCAPE}[5~`], ["pgdn", "Page down", `${ESCAPE}[6~`], ["/", "Slash", "/"], ["|", "Bar", "|"],
  ["⌫", "Backspace", "\x7f"], ["⏎", "Enter", "\r"],
];

/** What a letter means together with control; the letter itself where there is no such character. */
export function withControl(letter) {
  const code = letter.toUpperCase().charCodeAt(0);
  if (letter === " ") return "\0";
  if (letter === "?") return "\x7f";
  return letter.length === 1 && code >= 64 && code < 96 ? String.fromCharCode(code - 64) : letter;
}

/** Text as one paste: between the marks where the program asked for them, and unable to end the paste itself. */
export function pasted(text, bracketed) {
  const lines = text.replaceAll(/\r?\n/g, "\r");
  return bracketed ? `${ESCAPE}[200~${lines.replaceAll(ESCAPE, "␛")}${ESCAPE}[201~` : lines;
}

/**
 * The box and the bar below a terminal.
 *
 * `modes()` tells `{ bracketed, application }` of the program; `send(text)` types, and is false when it could not;
 * `draft` is an object whose `text` outlives this.
 */
export function touchInput({ modes, send, draft }) {
  let control = false;
  const box = h("textarea", {
    class: "terminal-box", rows: 1, placeholder: "write here", "aria-label": "Text for the terminal",
    autocapitalize: "off", autocomplete: "on", spellcheck: "true", enterkeyhint: "send",
  });
  box.value = draft.text ?? "";
  const note = h("span", { class: "terminal-unsent", role: "status" });
  const heldKey = h("button", { type: "button", class: "terminal-key", "aria-pressed": "false", title: KEYS[2][1] }, "ctrl");

  const hold = (on) => {
    control = on;
    heldKey.setAttribute("aria-pressed", String(on));
  };
  const grow = () => {
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
  };
  const sent = (text) => {
    const ok = send(text);
    note.textContent = ok ? "" : "not sent";
    return ok;
  };
  const sequence = (key) => {
    if (!/^[A-DFH]$/.test(key)) return key;
    if (control) return `${ESCAPE}[1;5${key}`;
    return (modes().application ? `${ESCAPE}O` : `${ESCAPE}[`) + key;
  };
  const submit = () => {
    const text = box.value;
    const typed = control && text.length === 1 ? withControl(text) : pasted(text, modes().bracketed && text !== "");
    const enters = control && text.length === 1 ? "" : "\r";
    // A paste and the key that ends it are two things: programs take an enter within a paste as text.
    if (text !== "" && !sent(typed)) return;
    if (enters && !sent(enters)) return;
    hold(false);
    box.value = draft.text = "";
    grow();
  };
  const button = ([label, name, key]) => {
    if (key === null) return heldKey;
    const one = h("button", { type: "button", class: "terminal-key", "aria-label": name }, label);
    one.addEventListener("click", () => {
      sent(control && key.length === 1 && !/^[A-DFH]$/.test(key) ? withControl(key) : sequence(key));
      hold(false);
    });
    return one;
  };
  heldKey.addEventListener("click", () => hold(!control));
  box.addEventListener("input", () => {
    if (control && box.value.length === 1 && sent(withControl(box.value))) {
      hold(false);
      box.value = "";
    }
    draft.text = box.value;
    grow();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  const more = h("div", { class: "terminal-keys", hidden: true }, ...MORE.map(button));
  const opens = h("button", { type: "button", class: "terminal-key", "aria-label": "More keys", "aria-expanded": "false" }, "⋯");
  opens.addEventListener("click", () => {
    more.hidden = !more.hidden;
    opens.setAttribute("aria-expanded", String(!more.hidden));
  });
  const enter = h("button", { type: "button", class: "terminal-key terminal-send", "aria-label": "Send" }, "↵");
  enter.addEventListener("click", submit);
  // The keyboard of the phone stays open while keys are pressed.
  const element = h(
    "div", { class: "terminal-touch" },
    h("div", { class: "terminal-keys" }, ...KEYS.map(button), opens), more,
    h("div", { class: "terminal-line" }, box, note, enter),
  );
  element.addEventListener("pointerdown", (event) => {
    if (event.target instanceof HTMLButtonElement) event.preventDefault();
  });
  return { element, focus: () => box.focus() };
}
