/** What a service manager is told, by the real `systemd-notify`. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Log } from "../../src/core/ports.ts";
import { pid } from "../../src/system/facts.ts";
import { serviceManager, type Variables } from "../../src/system/service-manager.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { startNotifySocket, type NotifySocket } from "../support/notify-socket.ts";
import { createTempDir } from "../support/temp-dir.ts";

const LIMIT = { timeout: 60_000 };
const PATH = process.env["PATH"];
/** A watchdog of 30 s, in microseconds: a sign of life every 10 s. */
const WATCHDOG_USEC = "30000000";

function told(variables: Variables) {
  const clock = createFakeClock();
  const warnings: string[] = [];
  const nothing = () => undefined;
  const warn: Log["warn"] = (fields) => warnings.push(JSON.stringify(fields));
  const log = { debug: nothing, info: nothing, warn, error: nothing };
  return { clock, warnings, manager: serviceManager(clock, log, { PATH, ...variables }) };
}

/** All words that were said; nothing more can come. */
async function allSaid({ env, notices, said }: NotifySocket): Promise<string[]> {
  told(env).manager.ready("the end");
  const end = notices.indexOf(await said("STATUS=the end"));
  return notices.slice(0, end - 1).map(({ word }) => word);
}

/** A folder whose `systemd-notify` is a shell script. */
function folderOf(t: TestContext, script: string): string {
  const folder = createTempDir(t);
  const file = join(folder, "systemd-notify");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return folder;
}

test(
  "readiness, signs of life at a third of the watchdog's period, and the end are told",
  LIMIT,
  async (t) => {
    const socket = await startNotifySocket(t);
    const { clock, manager, warnings } = told({ ...socket.env, WATCHDOG_USEC });
    const alive = async (ms: number) => {
      await clock.advance(ms);
      manager.alive();
      await manager.close();
    };
    await alive(60_000);
    manager.ready("plant-a: 3 schedules");
    await manager.close();
    for (const ms of [9000, 1000, 1000, 8000, 1000]) await alive(ms);
    manager.stopping();
    await manager.close();
    await alive(60_000);
    assert.deepEqual(await allSaid(socket), [
      ...["READY=1", "STATUS=plant-a: 3 schedules"],
      ...["WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"],
    ]);
    assert.deepEqual(warnings, []);
    assert.equal(clock.pendingTimers(), 0);
  },
);

test("no sign of life where no watchdog is on, or it watches another process", LIMIT, async (t) => {
  const socket = await startNotifySocket(t);
  for (const variables of [{}, { WATCHDOG_USEC, WATCHDOG_PID: String(pid + 1) }]) {
    const { clock, manager } = told({ ...socket.env, ...variables });
    manager.ready("");
    await manager.close();
    await clock.advance(60_000);
    manager.alive();
    await manager.close();
  }
  const own = told({ ...socket.env, WATCHDOG_USEC, WATCHDOG_PID: String(pid) });
  own.manager.ready("");
  await own.manager.close();
  await own.clock.advance(60_000);
  own.manager.alive();
  await own.manager.close();
  const signs = (await allSaid(socket)).filter((word) => word === "WATCHDOG=1");
  assert.equal(signs.length, 1);
});

test("nothing is started where no service manager wants to know", async (t) => {
  const marker = join(createTempDir(t), "called");
  const { clock, manager } = told({ PATH: folderOf(t, `: > ${marker}`), WATCHDOG_USEC });
  manager.ready("");
  await clock.advance(60_000);
  manager.alive();
  manager.stopping();
  await manager.close();
  assert.ok(!existsSync(marker));
});

test("a program that is not there is said once, with what to install", async (t) => {
  const variables = { PATH: createTempDir(t), NOTIFY_SOCKET: "/nowhere", WATCHDOG_USEC };
  const { clock, manager, warnings } = told(variables);
  manager.ready("");
  await manager.close();
  await clock.advance(60_000);
  manager.alive();
  manager.stopping();
  await manager.close();
  assert.equal(warnings.length, 1);
  assert.match(
    warnings[0] ?? "",
    /no program systemd-notify\. Next: sudo apt-get install systemd;/,
  );
});

test(
  "one that hangs is ended, holds up no second one beside it, and is said once",
  LIMIT,
  async (t) => {
    const variables = {
      PATH: `${folderOf(t, "exec sleep 1000")}:${PATH ?? ""}`,
      NOTIFY_SOCKET: "x",
    };
    const { clock, manager, warnings } = told({ ...variables, WATCHDOG_USEC });
    manager.ready("");
    await clock.advance(7000);
    manager.alive();
    manager.stopping();
    assert.equal(clock.pendingTimers(), 1, "one at a time");
    const closed = manager.close();
    await clock.advance(1000);
    // The second begins when the first is gone, which takes real time.
    const state = { closed: false };
    void closed.then(() => (state.closed = true));
    while (!state.closed) await clock.advance(1000);
    assert.equal(clock.pendingTimers(), 0);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /systemd-notify ended with SIGKILL/);
  },
);
