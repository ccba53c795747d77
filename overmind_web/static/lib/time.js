/** Times as the full-screen program writes them; whatever says for how long something lasts ticks here, not on the server. */

let ahead = 0;

/** Seconds since the epoch by the server's clock. */
export function now() {
  return Date.now() / 1000 + ahead;
}

/** Take over the server's clock: a phone's may be minutes off. */
export function synchronise(server) {
  ahead = server - Date.now() / 1000;
}

/** `12s`, `3m`, `2h`, `5d`: at most four cells. */
export function lasted(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h`;
  return `${Math.floor(whole / 86400)}d`;
}

/** The same in words, for sentences. */
export function words(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [count, unit] =
    whole < 60 ? [whole, "second"] : whole < 3600 ? [Math.floor(whole / 60), "minute"] : whole < 86400 ? [Math.floor(whole / 3600), "hour"] : [Math.floor(whole / 86400), "day"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** A time as it was typed; one without a unit is in seconds, as on the command line: requests take milliseconds. */
export const withUnit = (typed) => (/^\d+(\.\d*)?$/.test(typed) ? `${typed}s` : typed);

/** Seconds of a time with its units, such as `1h30m`; 0 of what is no time. */
export function seconds(text) {
  const units = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 };
  return [...text.matchAll(/(\d+(?:\.\d*)?)(ms|[smhd])/g)].reduce((sum, [, number, unit]) => sum + Number(number) * units[unit], 0);
}

const ticking = new Map();

/** The span from now to a moment, which has been or is to come, behind what stands before it; one that has come stays 0s. */
function spanned(lead, moment, at, comes) {
  const span = lasted(comes ? moment - at : at - moment);
  return lead ? `${lead} ${span}` : span;
}

/** Keep a text node at the time since a moment, or until it, seconds since the epoch, until `rest` is called with it. */
export function tick(node, moment, lead = "") {
  const comes = Boolean(lead) && moment > now();
  ticking.set(node, [moment, lead.trimEnd(), comes]);
  const text = spanned(lead.trimEnd(), moment, now(), comes);
  if (node.data !== text) node.data = text;
}

export function rest(node) {
  ticking.delete(node);
}

setInterval(() => {
  if (document.hidden) return;
  const at = now();
  for (const [node, [moment, lead, comes]] of ticking) {
    const text = spanned(lead, moment, at, comes);
    if (node.data !== text) node.data = text;
  }
}, 1000);

/** A clock time of today, else with its day. */
export function clock(seconds) {
  const moment = new Date(seconds * 1000);
  const time = moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return moment.toDateString() === new Date().toDateString() ? time : `${moment.toISOString().slice(0, 10)} ${time}`;
}
