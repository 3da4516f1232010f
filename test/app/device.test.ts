import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceIn, plainDevice, revived, type ToldDevice } from "../../src/app/device.ts";
import type { Gateway, Point } from "../../src/core/model.ts";

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
