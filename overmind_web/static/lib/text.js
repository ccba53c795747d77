/** A page that is lines of toned cells, drawn anew whenever they changed. */

import { h, fill, toned } from "./dom.js";

/**
 * @param {string} view
 * @param {Object} args
 * @param {Object} context
 * @param {string} empty what stands there before anything came
 * @param {(content: Object) => Node[]} [draw] instead of the lines alone
 */
export function textPage(view, args, context, empty, draw = (content) => [toned(content.lines)]) {
  const element = h("div", { class: "text-page" }, h("p", { class: "quiet pad" }, empty));
  const pane = context.socket.pane(view, args, {
    content: ({ content }) => {
      const { scrollTop } = element;
      fill(element, draw(content));
      element.scrollTop = scrollTop;
    },
    failed: ({ message }) => fill(element, h("p", { class: "pad tone-bad" }, message)),
    lost: () => {},
  });
  return { element, close: () => pane.close() };
}
