/** Times for people. */

/** A wall time in the zone of this machine: `2026-01-31 14:02:11`. */
export function localTime(ms: number): string {
  const date = new Date(ms);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
  return `${day} ${time}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
