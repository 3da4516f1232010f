/** Reads the configuration of a node that runs once more, with the ways to its gateways. */
import { existsSync, realpathSync } from "node:fs";
import type { Reread } from "../engine/reload.ts";
import type { Endpoints } from "./endpoints.ts";
import { readSiteApart, told } from "./site-apart.ts";
import type { Where } from "./site.ts";

/** Reads in a process of its own, as at the start. Rejects with `EdgepollError`: then nothing was made. */
export async function reread(where: Where, endpoints: Endpoints): Promise<Reread> {
  const read = told((await readSiteApart(where)).read);
  const { stateDir } = read.site;
  const staged = await endpoints.stage(read.site.gateways);
  const real = existsSync(stateDir) ? realpathSync(stateDir) : stateDir;
  return { site: { ...read.site, stateDir: real }, ...staged };
}
