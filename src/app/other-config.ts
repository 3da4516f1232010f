/** Whether the node that runs was started with the configuration that lies there now. */
import { askNode } from "./remote.ts";
import { readSite, type Where } from "./site.ts";

/** Path of the configuration that would be used, when the running node was started with another text; else undefined. */
export async function otherConfig(stateDir: string, where: Where): Promise<string | undefined> {
  const { path, site } = readSite(where);
  // As a node of this version answers.
  const { config } = (await askNode(stateDir, "info", {})) as { config: string };
  return config === `sha256:${site.hash}` ? undefined : path;
}
