/** Mistakes as a person reads them: place, what is wrong, the line, and a mark under it. */
import { concealedPart } from "./secrets.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** Beyond these many mistakes another look at the file helps more than their list. */
const MOST_SHOWN = 100;
const WIDEST = 160;
const LONGEST_TEXT = 500;

/** Every mistake with its line, in the order of the file, and how many there are. */
export function report(name: string, file: YamlFile, faults: readonly Fault[]): string {
  const sorted = [...faults].sort((a, b) => a.start - b.start);
  const shown = sorted.slice(0, MOST_SHOWN).map((fault) => {
    return `${headline(name, file, fault)}\n${excerpt(file, fault)}`;
  });
  const count = faults.length === 1 ? "1 mistake" : `${String(faults.length)} mistakes`;
  const rest = faults.length > MOST_SHOWN ? `, of which ${String(MOST_SHOWN)} are shown` : "";
  return [...shown, count + rest].join("\n");
}

/** Place and text of a mistake on one line. */
export function headline(name: string, file: YamlFile, { start, text }: Fault): string {
  const { line, col } = placeOf(file, start);
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  return `${name}:${String(line)}:${String(col)}  ${printable(short)}`;
}

function excerpt(file: YamlFile, { start, end }: Fault): string {
  const { line, col, lineStart } = placeOf(file, start);
  const lineEnd = file.text.indexOf("\n", lineStart);
  const whole = concealedPart(file, lineStart, lineEnd < 0 ? file.text.length : lineEnd);
  const cut = col > WIDEST ? col - WIDEST / 2 : 0;
  const shown = printable(whole.replace(/\r$/, "")).slice(cut, cut + WIDEST);
  const indent = shown.slice(0, col - 1 - cut).replace(/[^\t]/g, " ");
  const width = Math.max(1, Math.min(end - start, shown.length - indent.length));
  const gutter = String(line);
  const empty = " ".repeat(gutter.length);
  return `  ${gutter} | ${shown}`.trimEnd() + `\n  ${empty} | ${indent}${"^".repeat(width)}`;
}

function placeOf({ text, lines }: YamlFile, offset: number) {
  // The end of a file with a final line break is shown on its last line.
  const shown = text.endsWith("\n") && offset >= text.length ? text.length - 1 : offset;
  const { line, col } = text === "" ? { line: 1, col: 1 } : lines.linePos(shown);
  return { line, col, lineStart: shown - (col - 1) };
}

/** Without what would move the cursor of a terminal or turn its text around. */
function printable(text: string): string {
  return text.replace(/(?!\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "?");
}
