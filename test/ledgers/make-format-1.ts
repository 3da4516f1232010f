/**
 * Made `format-1`: the state directory of a node of the release of 2026-11-24 (commit b33d765, whose
 * directories have format 1), killed in the middle of its work. Needs that release, built:
 *
 *     git worktree add DIRECTORY b33d765, and in it: npm ci && npm run build
 *     node --import ts-blank-space/register test/ledgers/make-format-1.ts DIRECTORY
 *
 * The node is killed while it polls, a gateway is stopped, a broker refuses what one device has to say,
 * then goes away, the node is killed twice more: readings, gaps and events wait, claims have no outcome.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startMosquitto } from "../support/mosquitto.ts";
import { writeSite } from "../support/node-process.ts";
import { startSubscriber, type Subscriber } from "../support/subscriber.ts";

const release = process.argv[2];
if (release === undefined) throw new Error("Name the directory of the release.");
const program = join(release, "bin", "edgepoll.js");
void test("makes the ledger", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "edgepoll-ledger-"));
  const broker = await startMosquitto({
    // Nobody may write what the device `shy` has to say.
    acl: ["topic read #", "topic write polling/#", "topic deny polling/readings/shy/d"],
  });
  const points = [{ id: "power", table: "input", address: 12, type: "float32" }];
  const gateway = (id: string) => ({
    ...{ id, connection: "simulator://energy-meter", interval: "500ms" },
    devices: [{ id: "d", unitId: 1, points }],
  });
  const files = writeSite(directory, {
    node: "old",
    mqtt: { broker: broker.url },
    gateways: ["hall", "roof", "shy"].map(gateway),
  });

  function run(...args: string[]): ChildProcess {
    return spawn(process.execPath, [program, ...args], {
      stdio: "inherit",
      env: { ...process.env, RUNTIME_DIRECTORY: directory },
    });
  }

  /** Waits for so many further readings of `hall`. */
  async function polled(subscriber: Subscriber, count: number): Promise<void> {
    const from = subscriber.log.length;
    await subscriber.until("readings of hall", (log) => {
      return log.slice(from).filter(({ topic }) => topic.includes("readings/hall")).length >= count;
    });
  }

  async function killed(node: ChildProcess): Promise<void> {
    node.kill("SIGKILL");
    await once(node, "exit");
  }

  const subscriber = await startSubscriber(t, { port: broker.port });
  const start = ["start", "--node", "--config", files.config, "--state-dir", files.stateDir];
  const first = run(...start);
  await polled(subscriber, 4);
  const stop = run("stop", "--gateway", "roof", "--state-dir", files.stateDir);
  await once(stop, "exit");
  await polled(subscriber, 2);
  await killed(first);
  const second = run(...start);
  await polled(subscriber, 3);
  await broker.stop("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 2200));
  await killed(second);
  const third = run(...start);
  await new Promise((resolve) => setTimeout(resolve, 3200));
  await killed(third);
  await broker.remove();

  const fixture = fileURLToPath(new URL("./format-1/", import.meta.url));
  rmSync(fixture, { recursive: true, force: true });
  mkdirSync(join(fixture, "db"), { recursive: true });
  cpSync(join(files.stateDir, "edgepoll.json"), join(fixture, "edgepoll.json"));
  for (const name of readdirSync(join(files.stateDir, "db"))) {
    // LOG and LOCK hold nothing.
    if (/^LO/.test(name)) continue;
    cpSync(join(files.stateDir, "db", name), join(fixture, "db", name));
  }
  rmSync(directory, { recursive: true });
});
