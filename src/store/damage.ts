/** What is said of a database that is damaged: what is lost, and what to do. */
import { StoreError } from "../core/errors.ts";

const REMEDY =
  "Put the state directory back from a backup; or go on with what is left of it: edgepoll start --repair " +
  "keeps the damaged files beside it and says what is lost.";

/** The error for it; `text` is a sentence that says what is damaged. */
export function damage(text: string, cause?: unknown): StoreError {
  return new StoreError("STORE_DAMAGED", `${text} ${REMEDY}`, cause);
}
