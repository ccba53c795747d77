/**
 * Text with SGR, as the lines of logs have it, as nodes. The sixteen colours are classes, which the theme fills; other colours are set as the
 * program wrote them, moved towards the text's colour until they can be read.
 */

const SGR = /\x1b\[([0-9;:]*)m/g;
const READABLE = 4.5;
const PLAIN = Object.freeze({ fg: null, bg: null, flags: 0 });
const FLAGS = { 1: 1, 2: 2, 3: 4, 4: 8, 7: 16, 9: 32 };
const OFF = { 22: ~3, 23: ~4, 24: ~8, 27: ~16, 29: ~32 };
const CLASSES = [[1, "sgr-bold"], [2, "sgr-dim"], [4, "sgr-italic"], [8, "sgr-underline"], [16, "sgr-inverse"], [32, "sgr-strike"]];
const CUBE = [0, 95, 135, 175, 215, 255];
const STYLES = new Map();

function luminance([red, green, blue]) {
  const [r, g, b] = [red, green, blue].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The contrast of two colours, 1 to 21 (WCAG). */
export function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** A colour that can be read on a ground: itself, or as much of `text` mixed in as it takes. */
export function readable(colour, ground, text) {
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = colour.map((value, at) => Math.round(value * (1 - share) + text[at] * share));
    if (contrast(mixed, ground) >= READABLE) return mixed;
  }
  return text;
}

/** A colour of the table of 256; a number below 16 is the theme's. */
function fromTable(number) {
  if (number < 16) return number;
  if (number < 232) {
    const at = number - 16;
    return [CUBE[Math.floor(at / 36)], CUBE[Math.floor(at / 6) % 6], CUBE[at % 6]];
  }
  const grey = 8 + (Math.min(number, 255) - 232) * 10;
  return [grey, grey, grey];
}

function extended(codes, at) {
  if (codes[at + 1] === 5) return [fromTable(codes[at + 2] ?? 0), at + 2];
  if (codes[at + 1] === 2) return [[codes[at + 2] ?? 0, codes[at + 3] ?? 0, codes[at + 4] ?? 0].map((value) => Math.min(value, 255)), at + 4];
  return [null, at];
}

function changed(style, parameters) {
  const codes = parameters.split(/[;:]/).filter((part) => part !== "" || !parameters.includes(":")).map((part) => Number(part || 0));
  let { fg, bg, flags } = style;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at];
    if (code === 0) [fg, bg, flags] = [null, null, 0];
    else if (code in FLAGS) flags |= FLAGS[code];
    else if (code in OFF) flags &= OFF[code];
    else if (code >= 30 && code <= 37) fg = code - 30;
    else if (code >= 90 && code <= 97) fg = code - 90 + 8;
    else if (code >= 40 && code <= 47) bg = code - 40;
    else if (code >= 100 && code <= 107) bg = code - 100 + 8;
    else if (code === 39) fg = null;
    else if (code === 49) bg = null;
    else if (code === 38) [fg, at] = extended(codes, at);
    else if (code === 48) [bg, at] = extended(codes, at);
  }
  return { fg, bg, flags };
}

/** Pieces of a line: `[text, style]`, without the sequences. */
export function pieces(line) {
  if (!line.includes("\x1b")) return [[line, PLAIN]];
  const found = [];
  let [style, done] = [PLAIN, 0];
  for (const match of line.matchAll(SGR)) {
    if (match.index > done) found.push([line.slice(done, match.index), style]);
    style = match[1] === "" || match[1] === "0" ? PLAIN : changed(style, match[1]);
    done = match.index + match[0].length;
  }
  if (done < line.length) found.push([line.slice(done), style]);
  return found;
}

function classesOf(style) {
  let names = STYLES.get(style);
  if (names === undefined) {
    names = CLASSES.filter(([flag]) => style.flags & flag).map(([, name]) => name);
    if (typeof style.fg === "number" && style.bg === null) names.push(`sgr-fg-${style.fg}`);
    if (typeof style.bg === "number") names.push(`sgr-bg-${style.bg}`);
    names = names.join(" ");
    if (STYLES.size < 1000) STYLES.set(style, names);
  }
  return names;
}

const css = ([red, green, blue]) => `rgb(${red} ${green} ${blue})`;

/**
 * The nodes of a line.
 *
 * @param {string} line
 * @param {{ground: number[], text: number[]}} colours of the theme
 * @param {Array<[number, number]>} [marks] places in the text, ascending, that stand out
 */
export function nodes(line, colours, marks = []) {
  const made = [];
  let at = 0;
  for (const [text, style] of pieces(line)) {
    let done = 0;
    for (const [start, end] of marks) {
      const [begin, behind] = [Math.max(start - at, done), Math.min(end - at, text.length)];
      if (begin >= behind) continue;
      if (begin > done) made.push(node(text.slice(done, begin), style, colours, false));
      made.push(node(text.slice(begin, behind), style, colours, true));
      done = behind;
    }
    if (done < text.length) made.push(node(text.slice(done), style, colours, false));
    at += text.length;
  }
  return made;
}

function node(text, style, { ground, text: plain }, marked) {
  if (style === PLAIN && !marked) return document.createTextNode(text);
  const element = document.createElement(marked ? "mark" : "span");
  element.append(text);
  if (marked) return element;
  const names = classesOf(style);
  if (names) element.className = names;
  if (Array.isArray(style.bg)) {
    element.style.backgroundColor = css(style.bg);
    element.style.color = css(readable(Array.isArray(style.fg) ? style.fg : plain, style.bg, contrast(style.bg, [0, 0, 0]) > contrast(style.bg, [255, 255, 255]) ? [0, 0, 0] : [255, 255, 255]));
  } else if (Array.isArray(style.fg) && style.bg === null) element.style.color = css(readable(style.fg, ground, plain));
  return element;
}
