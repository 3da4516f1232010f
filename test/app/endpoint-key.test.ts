import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { test } from "node:test";
import { resolveHost } from "../../src/app/endpoint-key.ts";
import type { Found } from "../../src/modbus/names.ts";

/** What a host with these addresses is known by. */
function known(...addresses: readonly string[]): Promise<string> {
  const found: LookupAddress[] = addresses.map((address) => ({
    address,
    family: address.includes(":") ? 6 : 4,
  }));
  const find = (_host: string, answer: Found) => {
    answer(null, found);
  };
  return resolveHost({ find }, { timer: () => () => undefined }, "Meter.Example");
}

test("localhost and 127.0.0.1 are one endpoint, whichever family the system names first", async () => {
  assert.equal(await known("::1", "127.0.0.1"), "127.0.0.1");
  assert.equal(await known("127.0.0.1"), "127.0.0.1");
});

test("a host is known by the same address however a name server turns its answer round", async () => {
  assert.equal(await known("10.0.0.7", "10.0.0.5"), await known("10.0.0.5", "10.0.0.7"));
  assert.equal(await known("fd00::7", "fd00::5"), "fd00::5");
  assert.equal(await known(), "meter.example");
});
