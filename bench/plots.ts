/** Plots as SVG, drawn without help. */

/** A line of a plot. */
export interface Series {
  readonly name: string;
  /** Its class in STYLE: `one` to `four`. */
  readonly look: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A plot; `x` and `y` say how far along an axis a value lies, from 0 to 1. */
export interface Plot {
  readonly title: string;
  readonly source: string;
  readonly yTitle: string;
  readonly series: readonly Series[];
  readonly x: Axis;
  readonly y: Axis;
}

/** An axis with its marks. */
export interface Axis {
  readonly place: (value: number) => number;
  readonly ticks: readonly (readonly [value: number, text: string])[];
}

const WIDTH = 720;
const HEIGHT = 400;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 190, 76, 46] as const;

// The colours differ in lightness too, not in hue alone.
const STYLE = `
.bg{fill:#ffffff}text{fill:#1f2328;font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.t{font-weight:600;font-size:15px}.m{fill:#57606a}.e{text-anchor:end}.c{text-anchor:middle}.a{stroke:#d0d7de}
path{fill:none;stroke-width:2}.one{stroke:#1f6fbf}.two{stroke:#d1480b}.three{stroke:#4c9be8}.four{stroke:#9d7bd8}
.dot{stroke-width:0}.dot.one{fill:#1f6fbf}.dot.two{fill:#d1480b}.dot.three{fill:#4c9be8}.dot.four{fill:#9d7bd8}
@media (prefers-color-scheme:dark){.bg{fill:#0d1117}text{fill:#e6edf3}.m{fill:#9198a1}.a{stroke:#30363d}}`;

/** An axis from a low value to a high one, both above 0, each tenfold of the same length. */
export function logarithmic(low: number, high: number): Axis {
  const decades = Math.log10(high / low);
  const ticks: [number, string][] = [];
  for (let value = low; value <= high * 1.001; value *= 10) {
    ticks.push([value, String(Number(value.toPrecision(3)))]);
  }
  return { place: (value) => Math.log10(Math.max(value, low) / low) / decades, ticks };
}

/** An axis from 0 in so many steps. */
export function linear(high: number, steps: number): Axis {
  const ticks = Array.from({ length: steps + 1 }, (_, n): [number, string] => {
    const value = (n * high) / steps;
    return [value, String(Number(value.toPrecision(3)))];
  });
  return { place: (value) => value / high, ticks };
}

/** An axis on which the given values stand at even distances. */
export function named(values: readonly number[], text: (value: number) => string): Axis {
  return {
    place: (value) => values.indexOf(value) / (values.length - 1),
    ticks: values.map((value) => [value, text(value)]),
  };
}

/** Draws a plot. */
export function draw({ title, source, yTitle, series, x, y }: Plot): string {
  const across = (value: number): number => LEFT + x.place(value) * (WIDTH - LEFT - RIGHT);
  const up = (value: number): number => HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM);
  const grid = y.ticks.map(
    ([value, words]) =>
      `<path class="a" d="M${short(LEFT)} ${short(up(value))}H${short(WIDTH - RIGHT)}" style="stroke-width:1"/>` +
      text(LEFT - 8, up(value) + 4.5, words, "m e"),
  );
  const marks = x.ticks.map(([value, words]) => text(across(value), HEIGHT - 24, words, "m c"));
  const lines = series.map(({ look, points }) => {
    const path = points.map(([px, py]) => `${short(across(px))} ${short(up(py))}`).join("L");
    const dots = points.map(
      ([px, py]) =>
        `<circle class="dot ${look}" cx="${short(across(px))}" cy="${short(up(py))}" r="3.5"/>`,
    );
    return `<path class="${look}" d="M${path}"/>${dots.join("")}`;
  });
  const legend = series.map(({ look, name }, n) => {
    const at = TOP + 8 + n * 22;
    const line = `<path class="${look}" d="M${short(WIDTH - RIGHT + 14)} ${short(at)}h20"/>`;
    return line + text(WIDTH - RIGHT + 40, at + 4.5, name);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" role="img">`,
    `<title>${escaped(title)}</title><style>${STYLE}</style>`,
    `<rect class="bg" width="${String(WIDTH)}" height="${String(HEIGHT)}"/>`,
    text(12, 26, title, "t"),
    text(12, 46, source, "m"),
    text(LEFT - 8, TOP - 14, yTitle, "m e"),
    ...grid,
    ...marks,
    ...lines,
    ...legend,
    "</svg>\n",
  ].join("\n");
}

function text(x: number, y: number, words: string, look?: string): string {
  const shown = look === undefined ? "" : ` class="${look}"`;
  return `<text x="${short(x)}" y="${short(y)}"${shown}>${escaped(words)}</text>`;
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(words: string): string {
  return words.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}
