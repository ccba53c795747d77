/** Addresses: `#/page/part?name=value`. Page, filter, order and row stand in them, so back, reload and links keep all of it. */

/** @returns {{page: string, parts: string[], query: Object<string, string>}} */
export function parsed(hash) {
  const [path, search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { page: parts[0] ?? "", parts: parts.slice(1), query: Object.fromEntries(new URLSearchParams(search)) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a page: `href("m", [id, "log"], {filter: "x"})`; empty values are left out. */
export function href(page, parts = [], query = {}) {
  const path = [page, ...parts].map((part) => encodeURIComponent(part)).join("/");
  const given = Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${path}${search ? `?${search}` : ""}`;
}

const SOON = 200; // milliseconds

export class Router {
  /** @param {(place: {page: string, parts: string[], query: Object}) => void} show */
  constructor(show) {
    this._show = show;
    this._change = null;
    window.addEventListener("hashchange", () => {
      this._change = null; // it was about the place before
      this.show();
    });
    for (const type of ["click", "pagehide"]) window.addEventListener(type, () => this.settle(), { capture: true });
  }

  /** Change the address in a moment, or before somebody goes elsewhere: each change takes a millisecond, and who goes on pressing is not to wait. */
  soon(change) {
    this._change = change;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this.settle(), SOON);
  }

  settle() {
    const change = this._change;
    this._change = null;
    change?.();
  }

  get place() {
    return parsed(location.hash);
  }

  show() {
    this._show(this.place);
  }

  /** Go somewhere, as a new entry of the history. */
  go(page, parts = [], query = {}) {
    this.settle();
    const wanted = href(page, parts, query);
    if (location.hash === wanted) this.show();
    else location.hash = wanted;
  }

  /** Show the same by its proper address, in place of the one that stands there. */
  rename(page, parts, query) {
    this._change = null;
    history.replaceState(null, "", href(page, parts, query));
    this.show();
  }

  /** Note the page's state in the address, in place of what stands there: back goes to the page before. */
  note(query) {
    const { page, parts, query: old } = this.place;
    const wanted = href(page, parts, { ...old, ...query });
    if (location.hash !== wanted) history.replaceState(null, "", wanted);
  }

  back(page = "missions") {
    if (history.length > 1 && this.moved) history.back();
    else this.go(page);
  }
}
