/** What this browser remembers: key of the login, look, drafts. All of it is lost without harm; storage may be refused. */

const PREFIX = `overmind:${location.pathname.replace(/\/+$/, "")}:`;
const memory = new Map();

function stored(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return memory.get(name) ?? null;
  }
}

/** What was kept under a name; `otherwise` where nothing was, or nothing that can be read. */
export function kept(name, otherwise = null) {
  const text = stored(name);
  if (text === null || text === undefined) return otherwise;
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function keep(name, value) {
  const text = JSON.stringify(value);
  memory.set(name, text);
  try {
    localStorage.setItem(PREFIX + name, text);
  } catch {
    // a full or refused storage: it is remembered until the tab is closed
  }
}

export function forget(name) {
  memory.delete(name);
  try {
    localStorage.removeItem(PREFIX + name);
  } catch {
    // nothing was kept
  }
}

/**
 * A text box whose text outlives loss, reload and death of the server.
 *
 * @param {HTMLTextAreaElement|HTMLInputElement} box
 * @param {string} name of the draft
 */
export function draft(box, name) {
  const key = `draft:${name}`;
  const text = kept(key, "");
  if (typeof text === "string" && text && !box.value) box.value = text;
  box.addEventListener("input", () => (box.value ? keep(key, box.value) : forget(key)));
  return { clear: () => (forget(key), (box.value = "")) };
}
