/** The mark that a line was left silent: whoever finds it need not wait for answers to somebody else. */
import { createHash } from "node:crypto";
import { mkdir, stat, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runtimeDir } from "./paths.ts";

/**
 * Takes away the mark of an endpoint, to be called with its lock held. Tells whether there was one and
 * nobody has written to the `device` since: another program, or another user's edgepoll.
 */
export async function takeMark(name: string, device: string | undefined): Promise<boolean> {
  const path = pathOf(name);
  try {
    const { mtimeMs } = await stat(path);
    await unlink(path);
    const used = device === undefined ? 0 : (await stat(device)).mtimeMs;
    return used <= mtimeMs;
  } catch {
    return false;
  }
}

/** Leaves the mark. Where that can't be done the next one waits. */
export async function leaveMark(name: string): Promise<void> {
  const path = pathOf(name);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch(() => undefined);
  await writeFile(path, "", { flag: "wx", mode: 0o600 }).catch(() => undefined);
}

/** Gone with the boot, where the machine has a place for that; each user has his own. */
function pathOf(name: string): string {
  const user = String(process.getuid?.() ?? "");
  const hash = createHash("sha256").update(`${user} ${name}`).digest("hex").slice(0, 16);
  return join(runtimeDir() ?? tmpdir(), `edgepoll-${hash}.silent`);
}
