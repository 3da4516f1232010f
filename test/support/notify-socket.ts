/** Stands in for systemd: notes what a process says of itself, and when. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createTempDir } from "./temp-dir.ts";

const PROGRAM = fileURLToPath(new URL("notify-socket.py", import.meta.url));

/** A word, such as `READY=1`, and when it came, wall time in ms. */
export interface Notice {
  readonly at: number;
  readonly word: string;
}

/** A service manager. */
export interface NotifySocket {
  /** The variable by which a process finds it. */
  readonly env: { readonly NOTIFY_SOCKET: string };
  /** What was said so far. */
  readonly notices: readonly Notice[];
  /** The first word from number `from` on that begins so, once it is there. */
  said(beginning: string, from?: number): Promise<Notice>;
}

/** Settles when it listens; it ends with the test. */
export async function startNotifySocket(test: Pick<TestContext, "after">): Promise<NotifySocket> {
  const path = join(createTempDir(test), "notify");
  const child = spawn("/usr/bin/python3", [PROGRAM, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  test.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  const notices: Notice[] = [];
  const watchers = new Set<() => void>();
  const lines = createInterface({ input: child.stdout });
  await once(lines, "line");
  lines.on("line", (line) => {
    // As the program writes it.
    const { at, words } = JSON.parse(line) as { at: number; words: readonly string[] };
    // By a barrier the sender waits until what it said before is taken.
    notices.push(...words.filter((word) => word !== "BARRIER=1").map((word) => ({ at, word })));
    for (const look of watchers) look();
  });
  const said: NotifySocket["said"] = (beginning, from = 0) =>
    new Promise((resolve) => {
      const look = (): void => {
        const found = notices.slice(from).find(({ word }) => word.startsWith(beginning));
        if (found === undefined) return;
        watchers.delete(look);
        resolve(found);
      };
      watchers.add(look);
      look();
    });
  return { env: { NOTIFY_SOCKET: path }, notices, said };
}
