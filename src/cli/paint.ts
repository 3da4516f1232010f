/** Colour, where a person looks. */
import { styleText } from "node:util";

/** How a word may stand out. */
export type Style = "bold" | "dim" | "green" | "red" | "yellow";

/** Gives a text a style, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Leaves every text as it is. */
export const plain: Paint = (_style, text) => text;

/** Colour on a terminal; FORCE_COLOR and NO_COLOR decide otherwise, the first of the two as in Node itself. */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const forced = env["FORCE_COLOR"];
  const refused = (env["NO_COLOR"] ?? "") !== "" || env["TERM"] === "dumb";
  const wanted =
    forced === undefined ? stream.isTTY === true && !refused : !["0", "false"].includes(forced);
  return wanted ? (style, text) => styleText(style, text, { validateStream: false }) : plain;
}
