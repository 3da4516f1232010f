/** What every store must do; each implementation runs it. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { StoreError } from "../../src/core/errors.ts";
import type { Range, Store } from "../../src/core/ports.ts";

const ALL: Range = { from: '"', to: "~" };

/** Runs the suite; `open` gives an empty store. */
export function runStoreSuite(name: string, open: (test: TestContext) => Promise<Store>): void {
  const check = (what: string, run: (store: Store) => Promise<void>): void => {
    void test(`${name}: ${what}`, async (context) => {
      const store = await open(context);
      try {
        await run(store);
      } finally {
        await store.close();
      }
    });
  };

  check("a missing key is undefined, an empty text is not", async (store) => {
    await put(store, { a: "" });
    assert.equal(await store.get("a"), "");
    assert.equal(await store.get("b"), undefined);
  });

  check("keys come in the order of their bytes", async (store) => {
    const keys = ["b", "a/2", "a/10", "A", "a", "a~", "a-", "0", '"', "a/1", "_"];
    await put(store, Object.fromEntries(keys.map((key) => [key, key])));
    assert.deepEqual(await keysOf(store, ALL), [...keys].sort());
  });

  check("a range includes its beginning and not its end", async (store) => {
    await put(store, { a: "1", b: "2", c: "3", d: "4" });
    assert.deepEqual(await keysOf(store, { from: "b", to: "d" }), ["b", "c"]);
    assert.deepEqual(await keysOf(store, { from: "b", to: "b" }), []);
    assert.deepEqual(await keysOf(store, { from: "d", to: "b" }), []);
    assert.deepEqual(await keysOf(store, { from: "aa", to: "bb" }), ["b"]);
    assert.deepEqual(await keysOf(store, { from: "", to: "b" }), ["a"]);
  });

  check("a range has a limit and a direction", async (store) => {
    await put(store, { a: "1", b: "2", c: "3", d: "4" });
    const range = { from: "a", to: "d" };
    assert.deepEqual(await keysOf(store, { ...range, limit: 2 }), ["a", "b"]);
    assert.deepEqual(await keysOf(store, { ...range, limit: 2, reverse: true }), ["c", "b"]);
    assert.deepEqual(await keysOf(store, { ...range, limit: 9, reverse: true }), ["c", "b", "a"]);
    assert.deepEqual(await keysOf(store, { ...range, limit: 0 }), []);
  });

  check("a batch puts and deletes, and the last change of a key holds", async (store) => {
    await put(store, { a: "1", b: "2" });
    await store.write(
      [{ key: "a" }, { key: "absent" }, { key: "b", value: "3" }, { key: "b", value: "4" }],
      true,
    );
    await store.write([{ key: "c", value: "5" }, { key: "c" }], false);
    assert.deepEqual(await store.range(ALL), [{ key: "b", value: "4" }]);
  });

  check("an empty batch is written", async (store) => {
    await store.write([], false);
    await store.write([], true);
    assert.deepEqual(await store.range(ALL), []);
  });

  check("the caller's array may change after the call", async (store) => {
    const batches = ["a", "b"].map((key) => [{ key, value: "1" }]);
    const writes = batches.map((batch) => store.write(batch, true));
    for (const batch of batches) batch.length = 0;
    await Promise.all(writes);
    assert.equal((await store.range(ALL)).length, 2);
  });

  check("texts of 100 kB and of any characters come back as they were", async (store) => {
    const texts = { large: "x".repeat(100_000), odd: 'ä€😀\0\n"\\' };
    await put(store, texts);
    assert.equal(await store.get("large"), texts.large);
    assert.equal(await store.get("odd"), texts.odd);
  });

  check("ten thousand keys come back in order, also page by page", async (store) => {
    const keys = Array.from({ length: 10_000 }, (_, n) => `k/${String(n).padStart(6, "0")}`);
    const mixed = keys.map((_, n) => ({ key: keys[(n * 7919) % 10_000] ?? "", value: "v" }));
    await store.write(mixed, false);
    assert.deepEqual(await keysOf(store, { from: "k/", to: "k0" }), keys);
    const pages: string[] = [];
    for (let from = "k/"; ; ) {
      const page = await keysOf(store, { from, to: "k0", limit: 999 });
      pages.push(...page);
      if (page.length < 999) break;
      from = `${page.at(-1) ?? ""}\0`;
    }
    assert.deepEqual(pages, keys);
  });

  check("a compaction changes nothing that is there, and others go on meanwhile", async (store) => {
    await put(store, { a: "1", b: "2", c: "3" });
    await store.write([{ key: "b" }], true);
    await Promise.all([store.compact({ from: "a", to: "d" }), put(store, { d: "4" })]);
    assert.deepEqual(await keysOf(store, ALL), ["a", "c", "d"]);
  });

  check("writes in flight together take effect in the order of the calls", async (store) => {
    const settled: number[] = [];
    const writes = Array.from({ length: 500 }, async (_, n) => {
      await store.write([{ key: "last", value: String(n) }], n % 7 === 0);
      settled.push(n);
    });
    await Promise.all(writes);
    assert.equal(await store.get("last"), "499");
    assert.deepEqual(
      settled,
      [...settled].sort((a, b) => a - b),
    );
  });

  check("a close lets writes in flight end, and a second close is no error", async (store) => {
    const writes = ["a", "b", "c"].map((key) => put(store, { [key]: "1" }));
    await store.close();
    await Promise.all(writes);
    await store.close();
  });

  check("a scan gives the records as they were when it began, in pages", async (store) => {
    const before = Array.from({ length: 1200 }, (_, n) => ({
      key: `k${String(1e6 + n)}`,
      value: "1",
    }));
    await store.write(before, true);
    const seen: string[] = [];
    for await (const page of store.scan({ from: "k", to: "l" })) {
      if (seen.length === 0) {
        await store.write(
          before.map(({ key }) => ({ key })),
          true,
        );
        await store.write([{ key: "k9", value: "2" }], true);
      }
      seen.push(...page.map(({ key }) => key));
    }
    assert.deepEqual(
      seen,
      before.map(({ key }) => key),
    );
    assert.deepEqual(await store.range(ALL), [{ key: "k9", value: "2" }]);
  });

  check("after the close every call is refused", async (store) => {
    await store.close();
    await assert.rejects(store.write([{ key: "a", value: "1" }], true), StoreError);
    await assert.rejects(store.get("a"), StoreError);
    await assert.rejects(store.range(ALL), StoreError);
  });
}

/** Writes an object's properties in one synced batch. */
export function put(store: Store, texts: Record<string, string>): Promise<void> {
  return store.write(
    Object.entries(texts).map(([key, value]) => ({ key, value })),
    true,
  );
}

async function keysOf(store: Store, range: Range): Promise<string[]> {
  return (await store.range(range)).map((entry) => entry.key);
}
