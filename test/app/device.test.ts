import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceIn, plainDevice, revived, type ToldDevice } from "../../src/app/device.ts";
import { handleControl } from "../../src/app/control.ts";
import type { Gateway, Point } from "../../src/core/model.ts";
import type { Engine } from "../../src/engine/engine.ts";

const PLACE = { table: "holding", address: 0, order: "ABCD", interval: 1000 } as const;
const POINTS: Point[] = [
  { ...PLACE, id: "energy", type: "uint64", invalid: [2n ** 64n - 1n] },
  { ...PLACE, id: "flow", type: "float64", invalid: [-9999.9, 1e30] },
  { ...PLACE, id: "power", type: "int16" },
];

test("a device arrives over the control socket as it was, 64-bit raw values included", () => {
  const merge = { maxGap: 8, maxRegisters: 125, maxBits: 2000 };
  const device = (id: string) => ({ id, unitId: 1, retain: false, merge, points: POINTS });
  // Only these parts of a gateway are looked at.
  const gateway = { id: "hall", devices: [device("a"), device("b")] } as unknown as Gateway;
  const told = deviceIn({ gateways: [gateway] }, "hall/b");
  assert.deepEqual(told.names, ["hall/a", "hall/b"]);
  assert.deepEqual(told.gateway, { id: "hall", devices: [device("b")] });
  // What was written is what is read.
  const received = JSON.parse(JSON.stringify(plainDevice(told))) as ToldDevice;
  assert.deepEqual(revived(received), told);
  assert.deepEqual(deviceIn({ gateways: [gateway] }, "hall/c"), { names: told.names });
});

test("a node tells of a device what polls found out about it", async () => {
  const refusal = { table: "holding", address: 8, count: 1, exception: 2 } as const;
  const refused = (...names: string[]) => (names.join("/") === "hall/b" ? [refusal] : []);
  const gateways = [{ id: "hall", devices: ["a", "b"].map((id) => ({ id, points: [] })) }];
  // Only these parts of a node are asked.
  const answer = handleControl(
    { site: { gateways }, refused } as unknown as Engine,
    () => undefined,
  );
  const told = (device: string) => answer("device", { payload: { device } });
  const names = ["hall/a", "hall/b"];
  const found = { id: "b", points: [], refused: [refusal] };
  assert.deepEqual(await told("hall/b"), { names, gateway: { id: "hall", devices: [found] } });
  const other = { id: "hall", devices: [{ id: "a", points: [] }] };
  assert.deepEqual(await told("hall/a"), { names, gateway: other });
  assert.deepEqual(await told("hall/c"), { names });
});
