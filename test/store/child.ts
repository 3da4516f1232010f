/** A process of its own with a store, told by messages what to do. */
import { fork } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

/** A running child. */
export interface StoreChild {
  readonly pid: number;
  /** Sends a word and gives back the answer. */
  ask(word: string): Promise<unknown>;
  /** SIGKILL; settles when the process is gone. */
  kill(): Promise<void>;
}

/** Starts the child on a directory; it is killed at the end of the test at the latest. */
export async function startChild(context: TestContext, directory: string): Promise<StoreChild> {
  const path = fileURLToPath(new URL("./child-main.ts", import.meta.url));
  const child = fork(path, [directory], { execArgv: ["--import", "ts-blank-space/register"] });
  const gone = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };
  context.after(kill);
  const next = async (): Promise<unknown> => {
    const [answer]: unknown[] = await Promise.race([
      once(child, "message"),
      gone.then(() => Promise.reject(new Error("the child is gone"))),
    ]);
    return answer;
  };
  await next();
  return {
    pid: child.pid ?? 0,
    ask: (word) => {
      const answer = next();
      child.send(word);
      return answer;
    },
    kill,
  };
}
