/** What the errors of the YAML parser mean. Its own texts quote the source, which may be a secret. */
import type { ErrorCode, YAMLError } from "yaml";

/** A range of the text and what is wrong there. */
export interface Fault {
  /** Offset of the first character. */
  readonly start: number;
  /** Offset after the last one. */
  readonly end: number;
  readonly text: string;
}

const TEXTS: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: "this alias can't be used here; quote text that begins with *",
  BAD_DQ_ESCAPE: "unknown escape in double quotes; use single quotes for text with backslashes",
  BAD_INDENT: "wrong indentation, or a bracket that is not closed before",
  BAD_SCALAR_START: "text that begins with this character needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second key on one line; text with a colon and a space needs quotes",
  BLOCK_IN_FLOW: "a list or section with line breaks can't stand within brackets",
  DUPLICATE_KEY: "this key stands twice in its section; each may be given once",
  MISSING_CHAR:
    "something is missing here: a closing quote or bracket, a comma, or a colon after a key",
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line, followed by a colon and a space",
  MULTIPLE_DOCS: "a second document begins here; a file is one document",
  NON_STRING_KEY: "a key must be text",
  TAB_AS_INDENT: "a tab is used for indentation; YAML allows only spaces",
  UNEXPECTED_TOKEN:
    "this does not fit here; in brackets, text such as ${ENV:NAME} needs quotes, and lists need commas",
};

const TOO_DEEP =
  "begins further right than its section: either a space too many here, or the line before has a value already";

/** The faults behind the errors of the parser, in their order; `quotes` are where quoted texts begin. */
export function faultsBehind(
  errors: readonly YAMLError[],
  text: string,
  quotes: readonly number[],
): Fault[] {
  const nested = errors.filter(({ code }) => code === "BLOCK_AS_IMPLICIT_KEY");
  const told = new Set(nested.map(({ pos: [start] }) => start));
  return errors
    .filter(({ code, pos: [start] }) => code !== "MULTILINE_IMPLICIT_KEY" || !told.has(start))
    .map((error) => tooDeep(error, text) ?? openQuote(error, quotes) ?? faultOf(error));
}

function faultOf(error: YAMLError): Fault {
  const [start, end] = error.pos;
  return { start, end, text: `not YAML: ${TEXTS[error.code] ?? "it can't be read from here on"}` };
}

/** A key below a value that is whole: the parser marks the value, the space too many is at the key. */
function tooDeep({ code, pos: [start] }: YAMLError, text: string): Fault | undefined {
  if (code !== "BLOCK_AS_IMPLICIT_KEY") return undefined;
  const [, value = "", key] = /^(.*)\r?\n[ \r\n]*([^\s#][^\n]*)/.exec(text.slice(start)) ?? [];
  if (key === undefined || /:(\s|$)/.test(value)) return undefined;
  const at = text.indexOf(key, start + value.length);
  return { start: at, end: at + key.trimEnd().length, text: `not YAML: this ${TOO_DEEP}` };
}

/** A quote that is not closed runs to the end of the file: what helps is where it begins. */
function openQuote({ code, message }: YAMLError, quotes: readonly number[]): Fault | undefined {
  const start = quotes.at(-1);
  if (code !== "MISSING_CHAR" || start === undefined) return undefined;
  if (!/^Missing closing ["']quote/.test(message)) return undefined;
  return { start, end: start + 1, text: "not YAML: this quote is not closed" };
}
