/** Elements and text nodes: the only way in which this program writes to the document. Nothing is ever parsed as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children. Text becomes text nodes.
 *
 * @param {string} tag
 * @param {Object} attributes `on…` are listeners, `class` may be a list, `data` an object; false, null and undefined are left out.
 * @param {...(Node|string|number|null|false|Array)} children
 */
export function h(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for what SVG draws. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) set(element, name, value);
  append(element, children);
  return element;
}

export function set(element, name, value) {
  if (name.startsWith("on")) {
    if (value) element.addEventListener(name.slice(2), value);
  } else if (name === "class") {
    element.setAttribute("class", Array.isArray(value) ? value.filter(Boolean).join(" ") : (value ?? ""));
  } else if (name === "data") {
    Object.assign(element.dataset, value);
  } else if (name === "value" || name === "checked" || name === "disabled" || name === "hidden" || name === "selected") {
    if (value !== undefined && value !== null) element[name] = value;
  } else if (value === false || value === null || value === undefined) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child instanceof Node) element.append(child);
    else if (child !== null && child !== undefined && child !== false) element.append(String(child));
  }
}

/** Put these children in the place of all that an element has. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Set a text node's data only where it differs: half the work of `textContent`. */
export function write(node, text) {
  if (node.data !== text) node.data = text;
}

let numbered = 0;

/** An id that no other element of this page has. */
export function unique(prefix) {
  numbered += 1;
  return `${prefix}-${numbered}`;
}

/** Whether what has the focus takes what is typed. */
export function typing(target = document.activeElement) {
  if (!(target instanceof Element)) return false;
  const field = target.closest("input, textarea, select, [contenteditable], .xterm, [data-types]");
  return Boolean(field) && !(field instanceof HTMLInputElement && ["checkbox", "radio", "button"].includes(field.type));
}

/**
 * Lines of toned cells, as the server computes them for every face: `[[[text, tone], …], …]`.
 *
 * @param {Array} lines
 * @param {string} [more] classes
 */
export function toned(lines, more = "") {
  const box = h("div", { class: ["lines", more], tabindex: 0, role: "group" });
  for (const line of lines) {
    const [sign = "", tone = ""] = line[0] ?? [];
    const change = { "+": tone === "good" && "added", "-": tone === "bad" && "removed" }[sign.trim()] || "";
    const row = h("div", { class: `line ${change}` });
    if (more.includes("details")) hang(row, line);
    for (const [text, tone] of line) row.append(tone ? h("span", { class: `tone-${word(tone)}` }, text) : document.createTextNode(text));
    if (!line.length) row.append("\u00a0");
    box.append(row);
  }
  return box;
}

/** Where a line's continuations begin: beside the name of a fact, else under the line's own beginning. */
function hang(row, line) {
  const before = /^ */.exec(line.map(([text]) => text).join(""))[0].length;
  if (line.length === 2 && /^ *\S.* {2,}$/.test(line[0][0])) {
    row.classList.add("fact");
    row.style.paddingLeft = `${before}ch`;
    line[0] = [line[0][0].trim(), line[0][1]];
    return;
  }
  row.style.paddingLeft = `${before + 2}ch`;
  row.style.textIndent = `${-before - 2}ch`;
}

/** A tone's name as it may stand in a class. */
export function word(tone) {
  return String(tone).replace(/[^a-z-]/g, "");
}
