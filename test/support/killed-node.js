// A node without its command line, which starts in half the time: node killed-node.js SITE [DESIGN]
// SITE is the configuration as `readSite` gives it, serialized. DESIGN names one of wrong-designs.js.
// Plain JavaScript over the built edgepoll: nothing has to be translated before it runs.
import { readFileSync } from "node:fs";
import { deserialize } from "node:v8";

const [, , site = "", design] = process.argv;
if (design !== undefined) {
  const { WRONG_DESIGNS } = await import("./wrong-designs.js");
  await WRONG_DESIGNS[design]?.();
}
/** @type {typeof import("../../src/app/node.ts")} */
const { startNode } = await import(new URL("../../dist/app/node.js", import.meta.url).href);
const { report, ended } = await startNode(deserialize(readFileSync(site)), {});
console.log(JSON.stringify(report));
process.exitCode = await ended;
