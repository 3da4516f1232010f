/** Runs a program in a network of its own: loopback only, names resolved as it says. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { createTempDir } from "./temp-dir.ts";

/** Names come from the hosts file, then from a server on loopback that the program may be. */
const RESOLVER = "nameserver 127.0.0.1\noptions timeout:5 attempts:2\n";
const ORDER = "hosts: files dns\n";

/**
 * Runs a program of `test/faults/alone/` in namespaces of its own and settles with what it wrote to
 * stdout. Root inside, whoever started it; throws when the system allows no namespaces.
 */
export async function runAlone(test: Pick<TestContext, "after">, program: string): Promise<string> {
  const directory = createTempDir(test);
  writeFileSync(join(directory, "resolv.conf"), RESOLVER);
  writeFileSync(join(directory, "nsswitch.conf"), ORDER);
  const steps = [
    "ip link set lo up",
    'mount --bind "$0/resolv.conf" "$(readlink -f /etc/resolv.conf)"',
    'mount --bind "$0/nsswitch.conf" "$(readlink -f /etc/nsswitch.conf)"',
    'exec "$@"',
  ].join(" && ");
  const file = fileURLToPath(new URL(`../faults/alone/${program}`, import.meta.url));
  const node = [process.execPath, "--import", import.meta.resolve("ts-blank-space/register"), file];
  const isRoot = process.getuid?.() === 0;
  const args = [isRoot ? "-nm" : "-rnm", "sh", "-c", steps, directory, ...node];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn("unshare", args, { env, stdio: ["ignore", "pipe", "inherit"] });
  test.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const [code]: unknown[] = await once(child, "close");
  if (code === 0) return said;
  throw new Error(`${program} ended with ${String(code)} in its namespaces:\n${said}`);
}
