/** Addresses on a terminal's screen: http and https alone, and only after the person has seen where they lead. */

import { h } from "./dom.js";
import { dialog } from "./dialog.js";

const ADDRESS = /https?:\/\/[^\s"'<>`\u0000-\u001f\u007f]+/g;
const BEHIND = /[.,;:!?)\]}]+$/;

/** The address as a URL of the web, else null. */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return ["http:", "https:"].includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** Show where a link leads, and open it when the person wants to. */
export async function follow(text) {
  const url = webAddress(text);
  if (url === null) return;
  const opens = await dialog("Open this address?", () => [h("p", { class: "quiet" }, `The program in the terminal names it. It leads to ${url.host}:`), h("pre", { class: "terminal-address" }, url.href)], {
    foot: (close) => [
      h("button", { type: "button", class: "button", data: { first: "" }, onclick: () => close(false) }, "Cancel"),
      h("button", { type: "button", class: "button primary", onclick: () => close(true) }, "Open in a new tab"),
    ],
  });
  if (opens) window.open(url.href, "_blank", "noopener,noreferrer");
}

/** Finds addresses that stand as text in one row of a terminal. */
export function textLinks(terminal) {
  return {
    provideLinks(y, done) {
      const line = terminal.buffer.active.getLine(y - 1);
      if (!line) {
        done(undefined);
        return;
      }
      let text = "";
      const columns = [];
      for (let x = 0; x < line.length; x += 1) {
        const characters = line.getCell(x)?.getChars() || " ";
        for (let at = 0; at < characters.length; at += 1) columns.push(x + 1);
        text += characters;
      }
      const links = [...text.matchAll(ADDRESS)].map((match) => {
        const address = match[0].replace(BEHIND, "");
        const [start, end] = [columns[match.index], columns[match.index + address.length - 1]];
        return { text: address, range: { start: { x: start, y }, end: { x: end, y } }, activate: (_event, where) => follow(where) };
      });
      done(links.length ? links : undefined);
    },
  };
}
