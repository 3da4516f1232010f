import { test } from "node:test";
import { Rig } from "./rig.ts";
test("x", async () => {
  const rig = new Rig({
    gateways: [
      { id: "a", devices: { d: [1000, 5000] }, endpoint: "line", phase: 0 },
      { id: "b", devices: { d: [2000] }, endpoint: "line", phase: 500 },
      { id: "c", devices: { d: [1000] }, retries: 0 },
      { id: "e", devices: { one: [3000], two: [3000] } },
    ],
  });
  await rig.start();
  await rig.clock.advance(1);
  rig.store.failNext(7, false);
  await rig.clock.advance(501);
  await rig.clock.stall(2448);
  rig.store.failNext(0);
  await rig.stop();
  console.log([...rig.disk("claim/"), ...rig.disk("outcome/"), ...rig.disk("schedule")].join("\n"));
});
