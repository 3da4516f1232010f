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

/** A text with its times, which other programs are told in UTC, in the form of `localTime`. */
export function withLocalTimes(text: string): string {
  return text.replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (time) => {
    return localTime(Date.parse(time));
  });
}
