// xterm.js under a content security policy that knows neither <style> elements nor style attributes.
//
// It writes its rules into <style> elements: here each is a hidden span whose text becomes a constructed style sheet.
// It sets colours by setAttribute("style"): that becomes style.cssText, which the policy leaves to scripts.

import { sheet } from "./sheet.js";

let loaded = null;
let prepared = false;

function styleElement(create) {
  const standIn = create("span");
  standIn.hidden = true;
  const rules = new CSSStyleSheet();
  document.adoptedStyleSheets.push(rules);
  Object.defineProperty(standIn, "textContent", { get: () => "", set: (text) => rules.replaceSync(text) });
  standIn.remove = () => {
    const left = document.adoptedStyleSheets.filter((one) => one !== rules);
    document.adoptedStyleSheets = left;
    Element.prototype.remove.call(standIn);
  };
  return standIn;
}

function prepare() {
  if (prepared) return;
  prepared = true;
  const create = document.createElement.bind(document);
  document.createElement = (name, options) =>
    String(name).toLowerCase() === "style" ? styleElement(create) : create(name, options);
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function setAttribute(name, value) {
    if (String(name).toLowerCase() === "style") this.style.cssText = value;
    else set.call(this, name, value);
  };
}

/** Load xterm.js and its fitting once; resolves to `{ Terminal, FitAddon }`. A failed load is tried again. */
export function loadTerminal() {
  loaded ??= (async () => {
    const at = (name) => new URL(`../vendor/xterm/${name}`, import.meta.url).href;
    prepare();
    const [xterm, fit] = await Promise.all([
      import(at("xterm.mjs")), import(at("addon-fit.mjs")), sheet(at("xterm.css")),
    ]);
    return { Terminal: xterm.Terminal, FitAddon: fit.FitAddon };
  })().catch((error) => {
    loaded = null;
    throw error;
  });
  return loaded;
}
