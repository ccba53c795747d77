/** A change of a file: all of it, however long; what is out of view costs nothing to draw. */

import { h } from "./dom.js";

const CHUNK = 200;
/** Lines that the browser leaves undrawn together while they are out of view. */

/**
 * @param {Array<[string, string, (number|null)?, (number|null)?]>} lines sign (`+`, `-`, blank or `@` for what is left out), text, number before, number after
 * @param {{label?: string, line?: (element: HTMLElement, line: Array, place: number) => void}} [how]
 */
export function diff(lines, how = {}) {
  const box = h("div", { class: "diff", role: "group", tabindex: 0, "aria-label": how.label ?? "the change" });
  for (let start = 0; start < lines.length; start += CHUNK) {
    const chunk = h("div", { class: "diff-chunk" });
    lines.slice(start, start + CHUNK).forEach((line, place) => {
      const [sign, text, before, after] = line;
      const kind = { "+": "added", "-": "removed", "@": "gap" }[sign] ?? "same";
      const element = h(
        "div",
        { class: `diff-line ${kind}` },
        before !== undefined || after !== undefined ? h("span", { class: "diff-number" }, after ?? before ?? "") : null,
        h("span", { class: "diff-sign" }, sign === "@" ? "⋯" : sign),
        h("span", { class: "diff-text" }, text || " "),
      );
      how.line?.(element, line, start + place);
      chunk.append(element);
    });
    box.append(chunk);
  }
  return box;
}

/** How many lines came and went. */
export function counted(lines) {
  let added = 0;
  let removed = 0;
  for (const [sign] of lines) {
    if (sign === "+") added += 1;
    else if (sign === "-") removed += 1;
  }
  return { added, removed };
}

/** `+2 −1`, for a heading. */
export function counts({ added, removed }) {
  return h("span", { class: "counts" }, h("span", { class: "tone-good" }, `+${added}`), " ", h("span", { class: "tone-bad" }, `−${removed}`));
}
