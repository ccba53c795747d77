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
  return {
    /** `sent`: only if nothing else stands there by now. */
    clear(sent = box.value) {
      if (box.value !== sent) return;
      forget(key);
      box.value = "";
    },
  };
}

const UNANSWERED = "unanswered";
const REPEATED = 600_000;
/** Milliseconds within which the same press is taken for a repetition of one whose answer never came. */

/** Presses whose answer has not come: what was asked for → its key and when it was made, milliseconds since the epoch. */
function unanswered() {
  return Object.fromEntries(Object.entries(kept(UNANSWERED, {})).filter(([, [, at]]) => Math.abs(Date.now() - at) < REPEATED));
}

function pressed(verb, args) {
  return JSON.stringify([verb, args]);
}

/** The key of a press: the same one for the same press until it is answered, also after a reload, so that twice is once. */
export function requestKey(verb, args) {
  const known = unanswered();
  const [key] = known[pressed(verb, args)] ?? [crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`];
  keep(UNANSWERED, { ...known, [pressed(verb, args)]: [key, Date.now()] });
  return key;
}

/** A press was answered: the next one like it is another one. */
export function answered(verb, args) {
  const { [pressed(verb, args)]: _, ...others } = unanswered();
  if (Object.keys(others).length) keep(UNANSWERED, others);
  else forget(UNANSWERED);
}
