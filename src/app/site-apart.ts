/**
 * Reads the configuration in a process of its own: parser and schema take more memory than all that
 * polls, a node needs them once, and a module can't be unloaded.
 */
import { EdgepollError, type ErrorCode } from "../core/errors.ts";
import { runApart } from "../system/apart.ts";
import type { ReadSite, Where } from "./site.ts";

/** A value, or the error in its place. */
export type Told<T> =
  | { readonly value: T }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } };

/** What the configuration says, or why it says nothing. */
export interface SiteApart {
  readonly stateDir: Told<string>;
  readonly read: Told<ReadSite>;
}

/** Reads what there is; the mistakes of the configuration are in the result. */
export async function readSiteApart(where: Where): Promise<SiteApart> {
  const here = import.meta.url;
  const module = new URL(here.replace(/site-apart(\.\w+)$/, "site-process$1"));
  // As site-process.ts answers.
  return (await runApart(module, where)) as SiteApart;
}

/** The value, or throws the error that was told. */
export function told<T>(answer: Told<T>): T {
  if ("value" in answer) return answer.value;
  throw new EdgepollError(answer.error.code, answer.error.message);
}
