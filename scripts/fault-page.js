// The fault table in docs/reliability.md: written by scripts/faults.js, held to the tests by test/docs-reliability.test.ts.

/** @typedef {{ id: string, fault: string, done: string, must: string, seen: string }} Row */

/** What stands before the mark is written by hand. */
const MARK = "<!-- Below: written by `npm run faults` from the tests in test/faults. -->";

/** Groups by the letter of their rows, in the order of the page. @type {Record<string, string>} */
const GROUPS = {
  D: "Devices behind Modbus TCP",
  T: "Serial lines",
  B: "The broker",
  S: "The store",
  K: "The process",
  C: "Clocks",
};

const HEAD =
  "| row | fault | what was done | what must happen | what was seen |\n|---|---|---|---|---|";

/** The rows of a page. @param {string} page @returns {Row[]} */
export function rowsOf(page) {
  const rows = page.matchAll(/^\| ([A-Z]\d+[a-z]?) \| (.*) \| (.*) \| (.*) \| (.*) \|$/gm);
  return Array.from(rows, ([, id = "", ...cells]) => {
    const [fault = "", done = "", must = "", seen = ""] = cells.map((cell) =>
      cell.replaceAll("&#124;", "|"),
    );
    return { id, fault, done, must, seen };
  });
}

/** The page with other rows. @param {string} page @param {readonly Row[]} rows */
export function withRows(page, rows) {
  const end = page.indexOf(MARK);
  if (end < 0) throw new Error(`The page has no line ${MARK}`);
  const tables = Object.entries(GROUPS).flatMap(([letter, title]) => {
    const own = rows.filter(({ id }) => id.startsWith(letter)).sort(byId);
    if (own.length === 0) return [];
    return [`### ${title}\n\n${[HEAD, ...own.map(lineOf)].join("\n")}\n`];
  });
  return `${page.slice(0, end)}${MARK}\n\n${tables.join("\n")}`;
}

/** @param {Row} row */
function lineOf({ id, fault, done, must, seen }) {
  const cells = [id, fault, done, must, seen].map((cell) => cell.replaceAll("|", "&#124;"));
  return `| ${cells.join(" | ")} |`;
}

/** @param {Row} a @param {Row} b */
function byId(a, b) {
  return parseInt(a.id.slice(1)) - parseInt(b.id.slice(1)) || (a.id < b.id ? -1 : 1);
}
