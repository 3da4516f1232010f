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
  MULTILINE_IMPLICIT_KEY: "a key must stand on one line, followed by a colon",
  MULTIPLE_DOCS: "a second document begins here; a file is one document",
  NON_STRING_KEY: "a key must be text",
  TAB_AS_INDENT: "a tab is used for indentation; YAML allows only spaces",
  UNEXPECTED_TOKEN:
    "this does not fit here; in brackets, text such as ${ENV:NAME} needs quotes, and lists need commas",
};

/** The fault behind an error of the parser. */
export function faultOf(error: YAMLError): Fault {
  const [start, end] = error.pos;
  return { start, end, text: `not YAML: ${TEXTS[error.code] ?? "it can't be read from here on"}` };
}
