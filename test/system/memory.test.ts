/** What becomes of the young generation of a node's heap. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

/** Keeps what it makes for a while, as polls in flight do, and tells how large the young generation became. */
const CHILD = `
import { getHeapSpaceStatistics } from "node:v8";
import { keepHeapSmall } from ${JSON.stringify(import.meta.resolve("../../src/system/memory.ts"))};
const young = () => getHeapSpaceStatistics().find((each) => each.space_name === "new_space").space_size;
let look;
keepHeapSmall({ timer: (_, wake) => { look = wake; return () => undefined; } });
const inFlight = [];
let most = 0;
for (let n = 0; n < 3e6; n++) {
  inFlight[n % 50_000] = { n, text: "slot " + n };
  if (n % 10_000 === 0) { look(); most = Math.max(most, young()); }
}
console.log(most);
`;

test("the young generation grows until it is large enough, and then no more", () => {
  const register = import.meta.resolve("ts-blank-space/register");
  const args = ["--import", register, "--input-type=module", "--eval", CHILD];
  const bytes = Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
  assert.ok(bytes >= 16e6 && bytes < 32e6, `${String(bytes)} bytes`);
});
