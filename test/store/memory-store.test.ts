import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "../../src/core/errors.ts";
import { createMemoryStore } from "../support/memory-store.ts";
import { put, runStoreSuite } from "./store.suite.ts";

runStoreSuite("memory store", () => Promise.resolve(createMemoryStore()));

const keysOf = (store: { dump(): { key: string }[] }): string[] =>
  store.dump().map((entry) => entry.key);

void test("a kill keeps what was confirmed, a power cut only what was synced or came before a sync", async () => {
  const open = async (): Promise<ReturnType<typeof createMemoryStore>> => {
    const store = createMemoryStore();
    await store.write([{ key: "a", value: "1" }], false);
    await store.write([{ key: "b", value: "1" }], true);
    await store.write([{ key: "c", value: "1" }], false);
    return store;
  };
  assert.deepEqual(keysOf((await open()).crash()), ["a", "b", "c"]);
  assert.deepEqual(keysOf((await open()).crash({ powerCut: true })), ["a", "b"]);
});

void test("a write in flight at a crash is lost or on disk, as the test says, and never settles", async () => {
  for (const inFlightKept of [false, true]) {
    const store = createMemoryStore();
    let settled = false;
    store.hold();
    const mark = (): void => {
      settled = true;
    };
    put(store, { a: "1" }).then(mark, mark);
    assert.equal(store.pendingWrites(), 1);
    const disk = store.crash({ inFlightKept, powerCut: true });
    store.release();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(settled, false);
    assert.deepEqual(keysOf(disk), inFlightKept ? ["a"] : []);
  }
});

void test("failed writes reject and are on disk only when told so", async () => {
  const store = createMemoryStore();
  store.failNext(1);
  await assert.rejects(put(store, { a: "1" }), StoreError);
  store.failNext(1, true);
  await assert.rejects(put(store, { b: "1" }), StoreError);
  await put(store, { c: "1" });
  assert.deepEqual(keysOf(store), ["b", "c"]);
});

void test("held writes wait for the release and keep their order", async () => {
  const store = createMemoryStore();
  store.hold();
  const writes = [put(store, { a: "1" }), put(store, { a: "2" })];
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([store.pendingWrites(), store.dump()], [2, []]);
  store.release();
  await Promise.all(writes);
  assert.equal(await store.get("a"), "2");
});
