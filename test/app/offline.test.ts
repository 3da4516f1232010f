/** Commands to a state directory without a node. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { commandOffline } from "../../src/app/offline.ts";
import { Refused } from "../../src/core/command.ts";
import { encodeClaim, keys } from "../../src/core/records.ts";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { createTempDir } from "../support/temp-dir.ts";

const CLAIM = { epoch: 1, claimed: 1, settled: 1, slot: 0, due: 0, boot: "b" };

test("a state directory alone names its own gateways, whatever configuration lies about", async (t) => {
  const stateDir = join(createTempDir(t), "");
  const clock = createClock();
  const before = await openLevelStore(stateDir, { create: true, clock });
  const value = encodeClaim(CLAIM);
  await before.write(
    ["boiler@1000", "boiler@60000", "roof@1000"].map((id) => ({ key: keys.claim(id), value })),
    true,
  );
  await before.close();
  const all = await commandOffline({ stateDir }, "stop", "*", "test");
  assert.deepEqual(
    all.gateways.map(({ gateway, desired }) => [gateway, desired]),
    [
      ["boiler", "stopped"],
      ["roof", "stopped"],
    ],
  );
  await assert.rejects(commandOffline({ stateDir }, "stop", ["meter-hall"], "test"), Refused);
  await commandOffline({ stateDir }, "start", ["roof"], "test");
  const after = await openLevelStore(stateDir, { create: false, clock });
  const desired = async (id: string) => (await after.get(keys.gateway(id)))?.slice(0, 21);
  assert.equal(await desired("boiler"), '{"desired":"stopped",');
  assert.equal(await desired("roof"), '{"desired":"running",');
  await after.close();
});
