/** The program of the child: opens the store, writes records, and does as it is told. */
import { openLevelStore } from "../../src/store/level-store.ts";
import { storeBytes } from "../../src/store/size.ts";
import { createClock } from "../../src/system/clock.ts";
import { put } from "./store.suite.ts";

const directory = process.argv[2] ?? "";
const store = await openLevelStore(directory, { create: true, clock: createClock() });
const keys = Array.from({ length: 100 }, (_, n) => `k${String(n)}`);
for (const key of keys) await put(store, { [key]: "x".repeat(1000) });
// LevelDB's memory table is full: the next write has it written out, and a failure of that one lasts.
await put(store, { full: "x".repeat(4_300_000) });

// A write beyond the limit of the file size is to fail, not to end the process.
process.on("SIGXFSZ", () => undefined);
process.on("message", (word) => {
  void answerTo(word).then((answer) => process.send?.(answer));
});
process.send?.("ready");

async function answerTo(word: unknown): Promise<unknown> {
  if (word === "write") return write();
  return word === "bytes" ? storeBytes(directory) : countLost();
}

async function write(): Promise<unknown> {
  try {
    await put(store, { written: "1" });
    return "written";
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : String(error);
  }
}

async function countLost(): Promise<unknown> {
  const found = await store.range({ from: "k", to: "l" });
  return keys.length - found.length;
}
