// Draws docs/slots.svg from docs/slots.json. With --record it first makes docs/slots.json: a node with
// six gateways for 36 s, with a stop, two device faults and a kill -9. Recording needs a build,
// mosquitto and mosquitto_sub.
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { recordSlots } from "./record-slots.js";

/**
 * @typedef {{ id: string, interval: number, note: string, slots: [seq: number, slot: number, outcome: string][] }} Row
 * @typedef {{ recorded: string, from: number, to: number, killed: number, again: number, rows: Row[] }} Recording
 */

const docs = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), "docs");
const WIDTH = 1040;
const LEFT = 150;
const RIGHT = 260;
const TOP = 88;
const ROW = 34;
const CELL = 24;

/** Outcome → class and words of the legend. The classes differ in lightness too, not in hue alone. */
const OUTCOMES = {
  good: ["g", "good"],
  partial: ["p", "partial"],
  failed: ["f", "failed: no answer"],
  "missed stopped": ["s", "missed: stopped"],
  "missed down": ["d", "missed: down"],
  "missed busy": ["b", "missed: busy"],
  "missed late": ["b", "missed: late"],
  "unknown crash": ["u", "unknown: crash"],
};

const STYLE = `
.bg{fill:#ffffff}text{fill:#1f2328;font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.t{font-weight:600;font-size:15px}.m,.m text{fill:#57606a}.e{text-anchor:end}.c{text-anchor:middle}
.a{stroke:#d0d7de}.k{stroke:#1f2328;stroke-dasharray:3 3}
.g{fill:#4c9be8}.p{fill:#9d7bd8}.f{fill:#d1480b}.s{fill:none;stroke:#8c959f;stroke-width:1.5}
.d{fill:#8c959f}.b{fill:#c9a0dc}.u{fill:#f0b429}
@media (prefers-color-scheme:dark){.bg{fill:#0d1117}text{fill:#e6edf3}.m,.m text{fill:#9198a1}
.a{stroke:#30363d}.k{stroke:#e6edf3}.s{stroke:#7d8590}.d{fill:#59616b}.g{fill:#3d86d0}.f{fill:#e5622b}}`;

/** @param {number} value */
const short = (value) => String(Math.round(value * 10) / 10);

/** @param {string} text */
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

/**
 * @param {number} x @param {number} y @param {string} words
 * @param {string} [look] class
 */
function text(x, y, words, look) {
  const shown = look === undefined ? "" : ` class="${look}"`;
  return `<text x="${short(x)}" y="${short(y)}"${shown}>${escaped(words)}</text>`;
}

/** @param {string} outcome */
function lookOf(outcome) {
  const found = Object.entries(OUTCOMES).find(([name]) => name === outcome);
  if (found === undefined) throw new Error(`no colour for ${outcome}`);
  return found[1];
}

/** @param {Recording} recording */
function draw({ recorded, from, to, killed, again, rows }) {
  const perMs = (WIDTH - LEFT - RIGHT) / (to - from);
  /** @param {number} time */
  const x = (time) => LEFT + (time - from) * perMs;
  const bottom = TOP + rows.length * ROW;
  const seconds = Array.from({ length: Math.floor((to - from) / 5000) + 1 }, (_, i) => 5000 * i);
  const ticks = seconds.map((at) => {
    const line = `<path class="a" d="M${short(x(from + at))} ${String(TOP - 6)}V${String(bottom + 2)}"/>`;
    const clock = new Date(from + at).toISOString().slice(11, 19);
    return line + text(x(from + at), bottom + 18, clock, "m c");
  });
  const bands = rows.map((row, i) => {
    const y = TOP + i * ROW + (ROW - CELL) / 2;
    const width = row.interval * perMs - 1.6;
    const cells = row.slots.map(([seq, slot, outcome]) => {
      const [look, words] = lookOf(outcome);
      const [inset, less] = look === "s" ? [0.75, 1.5] : [0, 0];
      return (
        `<rect class="${look}" x="${short(x(slot) + inset)}" y="${short(y + inset)}" width="${short(width - less)}" ` +
        `height="${short(CELL - less)}" rx="2"><title>seq ${String(seq)}: ${words}</title></rect>`
      );
    });
    const middle = y + CELL / 2 + 4.5;
    const every =
      row.interval < 1000 ? `${String(row.interval)}ms` : `${String(row.interval / 1000)}s`;
    const name = text(12, middle, row.id) + text(LEFT - 12, middle, every, "m e");
    return name + cells.join("") + text(WIDTH - RIGHT + 16, middle, row.note, "m");
  });
  const marks = [killed, again].map(
    (at) => `<path class="k" d="M${short(x(at))} ${String(TOP - 14)}V${String(bottom + 2)}"/>`,
  );
  const words = [
    text(x(killed) - 2, TOP - 20, "kill -9", "e"),
    text(x(again) - 2, TOP - 20, "polls again"),
  ];
  const all = rows.flatMap(({ slots }) => slots);
  const used = [...new Set(all.map(([, , outcome]) => outcome))];
  let at = LEFT;
  const legend = Object.entries(OUTCOMES).flatMap(([outcome, [look, meaning]]) => {
    if (!used.includes(outcome)) return [];
    const count = all.filter((slot) => slot[2] === outcome).length;
    const label = `${meaning} (${String(count)})`;
    const place = at;
    at += 34 + label.length * 7.2;
    const box = `<rect class="${look}" x="${short(place)}" y="${String(bottom + 38)}" width="14" height="14" rx="2"/>`;
    return [box + text(place + 20, bottom + 50, label)];
  });
  const height = bottom + 66;
  const total = String(all.length);
  const title = `Each slot of ${String(rows.length)} gateways by the time it was due: ${total} slots, ${total} outcomes`;
  const source = `Recorded ${recorded.slice(0, 10)} from readings and gaps on MQTT (times in UTC).`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(height)}" role="img">`,
    `<title>${title}</title><style>${STYLE}</style>`,
    `<rect class="bg" width="${String(WIDTH)}" height="${String(height)}"/>`,
    text(12, 26, title, "t"),
    text(12, 46, source, "m"),
    ...ticks,
    ...bands,
    ...marks,
    ...words,
    ...legend,
    "</svg>\n",
  ].join("\n");
}

const data = path.join(docs, "slots.json");
if (process.argv.includes("--record")) {
  writeFileSync(data, recordingText(await recordSlots()));
}
/** @type {Recording} */
const recording = JSON.parse(readFileSync(data, "utf8"));
writeFileSync(path.join(docs, "slots.svg"), draw(recording));

/** A line a gateway. @param {Recording} recording */
function recordingText({ rows, ...rest }) {
  const lines = rows.map((row) => JSON.stringify(row));
  return `${JSON.stringify(rest).slice(0, -1)},"rows":[\n${lines.join(",\n")}\n]}\n`;
}
