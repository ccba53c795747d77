/** The forms of a quest and of a ritual; each gives the arguments of a request, null where nothing is asked. */

import { ask, choice, line, wholeNumber } from "./ask.js";
import { begun } from "./form.js";

export async function addQuest({ socket }) {
  const { folder } = await begun(socket);
  const given = await ask("New quest", [
    ["name", "Title", line({ placeholder: "Build the site" }), true],
    ["command", "Command", line({ placeholder: "make site" }), true],
    ["cwd", "Folder", line({ value: folder }), true],
    ["priority", "Priority", choice(["medium", "critical", "high", "low"])],
  ], "Add", "It runs when it is its turn.");
  if (given === null) return null;
  return { quests: [{ title: given.name, command: given.command, priority: given.priority }], cwd: given.cwd };
}

export async function newRitual({ socket }) {
  const { folder } = await begun(socket);
  const given = await ask("New ritual", [
    ["name", "Name", line({ placeholder: "nightly" }), true],
    ["schedule", "Schedule", line({ placeholder: "0 3 * * *" }), true],
    ["command", "Command", line({ placeholder: "make backup" }), true],
    ["cwd", "Folder", line({ value: folder }), true],
  ], "Create", "Minute, hour, day, month, weekday; or @daily, @hourly.");
  if (given === null) return null;
  return { name: given.name, schedule: given.schedule, quest: { command: given.command, cwd: given.cwd } };
}

export async function runQuest({ socket }) {
  const { folder } = await begun(socket);
  const given = await ask("Run a quest now", [
    ["command", "Command", line({ placeholder: "make test" }), true],
    ["name", "Name", line({ placeholder: "generated" })],
    ["cwd", "Folder", line({ value: folder }), true],
    ["retries", "Retries", line({ placeholder: "0", inputmode: "numeric" }), false, wholeNumber("Retries")],
  ], "Run", "It starts at once, beside the queue.");
  if (given === null) return null;
  return { command: given.command, cwd: given.cwd, ...(given.name ? { name: given.name } : {}), ...(given.retries ? { retries: Number(given.retries) } : {}) };
}
