/** Work in a process of its own, whose memory goes with it. */
import { fork } from "node:child_process";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Exit code of a process whose caller is gone; nobody sees it. */
const ORPHANED = 1;

/**
 * Runs a module in a process of its own and gives back what it answers.
 * Rejects when it ends without an answer; a signal to the process group ends both.
 */
export function runApart(module: URL, argument: object): Promise<unknown> {
  const child = fork(fileURLToPath(module), [JSON.stringify(argument)], {
    // What JSON has no word for, such as 64-bit integers, must come through.
    serialization: "advanced",
  });
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const how = signal ?? String(code);
      reject(new Error(`${module.pathname} ended with ${how} and no answer`));
    });
  });
}

/** In the module that `runApart` runs: answers and ends the process; it ends at once when the caller does. */
export async function answerApart(work: (argument: unknown) => unknown): Promise<void> {
  const orphaned = (): void => process.exit(ORPHANED);
  process.once("disconnect", orphaned);
  const answer = await work(JSON.parse(process.argv[2] ?? "null"));
  process.send?.(answer, () => {
    process.off("disconnect", orphaned);
    // The caller may have been killed meanwhile.
    if (process.connected) process.disconnect();
  });
}

/** In such a module, after work during which nothing was heard: settles when the caller was still there, else never. */
export async function callerLives(): Promise<void> {
  // What waits on the channel, such as its end, is heard before the turn is over.
  await turn();
  if (!process.connected) process.exit(ORPHANED);
}
