// Loaded into a node with --import: at SIGUSR2 its event loop stands still for as many ms as STALL_FILE says.
import { readFileSync } from "node:fs";

process.on("SIGUSR2", () => {
  const length = Number(readFileSync(process.env["STALL_FILE"] ?? "", "utf8"));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, length);
  console.log(`stood still for ${String(length)} ms until ${String(Date.now())}`);
});
