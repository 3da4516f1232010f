/** A ledger on disk to be damaged, and what is in it. */
import { cpSync } from "node:fs";
import type { TestContext } from "node:test";
import { openLevelStore } from "../../src/store/level-store.ts";
import { createClock } from "../../src/system/clock.ts";
import { Rig } from "../engine/rig.ts";
import { createMemoryDir } from "../support/temp-dir.ts";

const clock = createClock();

/** A state directory after some hours, its ledger in tables and in a log. */
export async function ledger(t: TestContext): Promise<string> {
  const rig = new Rig({ gateways: [{ id: "a", devices: { d: [1000] }, phase: 0 }] });
  await rig.start();
  await rig.clock.advance(1_800_000);
  rig.broker.away();
  await rig.clock.advance(300_000);
  await rig.stop();
  const directory = createMemoryDir(t);
  const store = await openLevelStore(directory, { create: true, clock });
  const entries = rig.store.dump();
  const half = Math.floor(entries.length / 2);
  await store.write(entries.slice(0, half), true);
  await store.compact({ from: '"', to: "~" });
  for (const entry of entries.slice(half)) await store.write([entry], true);
  await store.close();
  return directory;
}

/** All records of a state directory by key. */
export async function contentOf(directory: string): Promise<Map<string, string>> {
  const store = await openLevelStore(directory, { create: false, clock });
  const all = await store.range({ from: '"', to: "~" });
  await store.close();
  return new Map(all.map(({ key, value }) => [key, value]));
}

/** A copy that may be damaged. */
export function copyOf(t: TestContext, directory: string): string {
  const copy = createMemoryDir(t);
  cpSync(directory, copy, { recursive: true });
  return copy;
}
