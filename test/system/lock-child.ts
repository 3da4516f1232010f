/** A process that takes a lock when told, and says whether it got it. */
import { takeLock } from "../../src/system/locks.ts";

const name = process.argv[2] ?? "";
const holder = { pid: process.pid, node: "child", stateDir: "/state", control: "/run/c.sock" };

process.on("message", () => {
  void takeLock(name, holder).then(
    () => process.send?.("held"),
    (error: unknown) => process.send?.(error instanceof Error ? error.message : error),
  );
});
process.send?.("ready");
