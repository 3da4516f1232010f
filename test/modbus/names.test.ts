import assert from "node:assert/strict";
import dns, { type LookupAddress } from "node:dns";
import { test, type TestContext } from "node:test";
import { Names } from "../../src/modbus/names.ts";
import { createFakeClock } from "../support/fake-clock.ts";

const FRESH = 60_000;

/** Names over a system whose lookups are answered by hand. */
function createNames(t: TestContext) {
  const clock = createFakeClock();
  const asked: string[] = [];
  let answer: (error: Error | null, addresses: LookupAddress[]) => void = () => undefined;
  const byHand = (host: string, options: object, found: typeof answer): void => {
    assert.deepEqual(options, { all: true });
    asked.push(host);
    answer = found;
  };
  // Only the form with options is used.
  t.mock.method(dns, "lookup", byHand as typeof dns.lookup);
  const names = new Names(clock);
  const told: string[] = [];
  const families: (number | undefined)[] = [];
  return {
    ...{ clock, asked, told, families },
    find: (host: string): void => {
      names.find(host, (error, [first]) => {
        told.push(`${host} ${error?.message ?? first?.address ?? "nothing"}`);
        families.push(first?.family);
      });
    },
    says: (address: string): void => {
      answer(null, [{ address, family: 4 }]);
    },
    fails: (): void => {
      answer(new Error("no answer"), []);
    },
  };
}

test("one name is looked up at a time, and all who ask for it share the answer", (t) => {
  const { find, says, asked, told } = createNames(t);
  for (const host of ["a.plant", "b.plant", "a.plant"]) find(host);
  assert.deepEqual(asked, ["a.plant"]);
  says("10.0.0.1");
  assert.deepEqual(told, ["a.plant 10.0.0.1", "a.plant 10.0.0.1"]);
  assert.deepEqual(asked, ["a.plant", "b.plant"]);
});

test("an address needs no lookup", (t) => {
  const { find, asked, told, families } = createNames(t);
  for (const host of ["10.0.0.9", "::1"]) find(host);
  assert.deepEqual([asked, told], [[], ["10.0.0.9 10.0.0.9", "::1 ::1"]]);
  assert.deepEqual(families, [4, 6]);
});

test("names that failed wait behind the others", (t) => {
  const { find, says, fails, asked } = createNames(t);
  find("silent");
  fails();
  for (const host of ["a.plant", "silent", "b.plant"]) find(host);
  says("10.0.0.1");
  says("10.0.0.2");
  assert.deepEqual(asked, ["silent", "a.plant", "b.plant", "silent"]);
});

test("a name that failed is told why, and is no longer behind the others once it was found", async (t) => {
  const { clock, find, says, fails, asked, told } = createNames(t);
  find("moody");
  fails();
  assert.deepEqual(told, ["moody no answer"]);
  find("moody");
  says("10.0.0.1");
  await clock.advance(FRESH);
  for (const host of ["a.plant", "moody", "b.plant"]) find(host);
  says("10.0.0.2");
  assert.equal(asked.at(-1), "moody");
});

test("an address is used for a minute, then looked up again, and kept when that fails", async (t) => {
  const { clock, find, says, fails, asked, told } = createNames(t);
  find("a.plant");
  says("10.0.0.1");
  await clock.advance(FRESH - 1);
  find("a.plant");
  assert.equal(asked.length, 1);
  await clock.advance(1);
  find("a.plant");
  fails();
  find("a.plant");
  says("10.0.0.2");
  assert.deepEqual(
    told.map((each) => each.split(" ")[1]),
    ["10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2"],
  );
});
