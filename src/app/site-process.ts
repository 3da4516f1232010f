/** The process that reads the configuration for a node; see `site-apart.ts`. Runs when imported. */
import { EdgepollError } from "../core/errors.ts";
import { answerApart } from "../system/apart.ts";
import { locateState, readSite, type Where } from "./site.ts";
import type { SiteApart, Told } from "./site-apart.ts";

await answerApart((argument): SiteApart => {
  // As `readSiteApart` sends it.
  const where = argument as Where;
  return { stateDir: tell(() => locateState(where)), read: tell(() => readSite(where)) };
});

function tell<T>(read: () => T): Told<T> {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof EdgepollError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}
