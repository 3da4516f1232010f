/** Durations and sizes as they are written in the configuration. */

const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** A year is 365 days: it is used for how long things are kept, not for calendars. */
const MILLISECONDS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: DAY,
  y: 365 * DAY,
};

const BYTES: Readonly<Record<string, number>> = {
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** What a duration looks like. */
export const DURATION = /^(\d{1,15})(ms|s|m|h|d|y)$/;

/** What a size looks like. */
export const SIZE = /^(\d{1,15})(KiB|MiB|GiB|TiB)$/;

/** A duration such as `250ms` in ms, undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  return measure(DURATION, MILLISECONDS, text);
}

/** A size such as `256MiB` in bytes, undefined if it is none. */
export function parseSize(text: string): number | undefined {
  return measure(SIZE, BYTES, text);
}

function measure(
  form: RegExp,
  units: Readonly<Record<string, number>>,
  text: string,
): number | undefined {
  const [, digits, unit] = form.exec(text) ?? [];
  const factor = unit === undefined ? undefined : units[unit];
  return factor === undefined ? undefined : Number(digits) * factor;
}
