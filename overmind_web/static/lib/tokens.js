/** The look that this browser keeps: theme, height of rows, whether keys act. */

import { keep, kept } from "./store.js";

const light = matchMedia("(prefers-color-scheme: light)");

export const THEMES = ["system", "dark", "light"];

export function theme() {
  const chosen = kept("theme", "system");
  return THEMES.includes(chosen) ? chosen : "system";
}

/** Draw with the theme that is chosen, or the system's. */
export function dress() {
  const chosen = theme();
  const drawn = chosen === "system" ? (light.matches ? "light" : "dark") : chosen;
  document.documentElement.dataset.theme = drawn;
  document.documentElement.dataset.rows = kept("rows", "normal") === "compact" ? "compact" : "normal";
  const bar = document.querySelector('meta[name="theme-color"]');
  if (bar) bar.setAttribute("content", getComputedStyle(document.documentElement).getPropertyValue("--page").trim());
  document.dispatchEvent(new CustomEvent("theme", { detail: drawn }));
}

export function choose(name) {
  keep("theme", name);
  dress();
}

light.addEventListener("change", dress);
