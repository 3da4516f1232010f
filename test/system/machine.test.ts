/** The look at a machine: on a tree of files, and on this machine with a real pty, mbpoll and a TCP connection. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import type { WatchedEndpoint } from "../../src/core/audit.ts";
import { machineFindings } from "../../src/core/machine.ts";
import { createClock } from "../../src/system/clock.ts";
import { lookAtMachine, type MachineQuery } from "../../src/system/machine.ts";
import { createTempDir } from "../support/temp-dir.ts";

const clock = createClock();
const PATIENCE = 60_000;

/** A root directory with these files; a text that begins with `->` makes a link. */
function rootOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = createTempDir(t);
  for (const [path, text] of Object.entries(files)) {
    const at = join(root, path);
    mkdirSync(dirname(at), { recursive: true });
    if (text.startsWith("->")) symlinkSync(text.slice(2), at);
    else writeFileSync(at, text);
  }
  return root;
}

const look = (query: Partial<MachineQuery>) =>
  lookAtMachine({ endpoints: [], own: [], clock, ...query });
const WANTS = "etc/systemd/system/multi-user.target.wants";
const USERS = "root:x:0:0::/root:/bin/sh\npi:x:1000:1000::/home/pi:/bin/bash\n";
const service = (command: string) => `[Service]\nExecStart=${command}\n`;

test("what a machine starts by itself is read from its crontabs and units", async (t) => {
  const root = rootOf(t, {
    "etc/passwd": USERS,
    "etc/crontab": "*/5 * * * * root /usr/bin/edgepoll start\n",
    "etc/cron.d/.placeholder": "* * * * * root mbpoll hidden\n",
    "etc/cron.d/read": "# every minute\n* * * * * pi mbpoll -1 10.0.0.5\n",
    "var/spool/cron/crontabs/pi": "@reboot /usr/bin/mbusd -d\n",
    "usr/lib/systemd/system/mbusd@.service": service("/usr/bin/mbusd -p /dev/%i"),
    [`${WANTS}/mbusd@ttyUSB0.service`]: "->/usr/lib/systemd/system/mbusd@.service",
    "etc/systemd/system/idle.service": service("/usr/bin/modpoll"),
    "etc/systemd/system/masked.service": "->/dev/null",
    [`${WANTS}/masked.service`]: "->/etc/systemd/system/masked.service",
    "etc/systemd/system/read.service": service("/usr/bin/old"),
    "etc/systemd/system/read.service.d/10.conf": "[Service]\nExecStart=\nExecStart=mbpoll -1\n",
    "etc/systemd/system/minutely.timer": "[Timer]\nUnit=read.service\n",
    "etc/systemd/system/timers.target.wants/minutely.timer": "->/etc/systemd/system/minutely.timer",
    "home/pi/.config/systemd/user/poll.service": service("edgepoll start --config a.yaml"),
    "home/pi/.config/systemd/user/default.target.wants/poll.service": "->../poll.service",
    "lib/systemd/system/edgepoll.service": service("edgepoll start --config a.yaml"),
    [`${WANTS}/edgepoll.service`]: "->/lib/systemd/system/edgepoll.service",
  });
  const found = machineFindings(await look({ root }));
  assert.deepEqual(
    found.map(({ kind, where }) => [kind, where]),
    [
      ["enabled-twice", "edgepoll.service (of the system), poll.service (of user pi)"],
      ["poller-unit", "/usr/lib/systemd/system/mbusd@.service"],
      ["poller-unit", "/etc/systemd/system/read.service"],
      ["poller-cron", "/etc/crontab:1"],
      ["poller-cron", "/etc/cron.d/read:2"],
      ["poller-cron", "/var/spool/cron/crontabs/pi:1"],
    ],
  );
  assert.match(
    found[1]?.text ?? "",
    /mbusd@ttyUSB0\.service .* mbusd: \/usr\/bin\/mbusd -p \/dev\/ttyUSB0/,
  );
  assert.match(found[2]?.next ?? "", /disable --now minutely\.timer$/);
});

test("telegraf and Node-RED count when their configuration has Modbus in it", async (t) => {
  const files = {
    "etc/passwd": USERS,
    "lib/systemd/system/telegraf.service": service("/usr/bin/telegraf"),
    [`${WANTS}/telegraf.service`]: "->/lib/systemd/system/telegraf.service",
    "lib/systemd/system/nodered.service": `${service("/usr/bin/env node-red-pi")}User=pi\n`,
    [`${WANTS}/nodered.service`]: "->/lib/systemd/system/nodered.service",
    "etc/telegraf/telegraf.conf": "[[inputs.cpu]]\n# [[inputs.modbus]]\n",
    "home/pi/.node-red/flows.json": '[{"id":"1","type":"mqtt in"}]',
  };
  const without = await look({ root: rootOf(t, files) });
  assert.deepEqual([machineFindings(without), without.unseen], [[], []]);
  const root = rootOf(t, {
    ...files,
    "etc/telegraf/telegraf.d/meters.conf": "[[inputs.modbus]]\n",
    "home/pi/.node-red/flows_pi.json": '[{"type":"modbus-client"}]',
  });
  assert.equal(machineFindings(await look({ root })).length, 2);
  const { "etc/telegraf/telegraf.conf": _, ...rest } = files;
  const unread = await look({ root: rootOf(t, rest) });
  assert.deepEqual(machineFindings(unread), []);
  assert.match(
    unread.unseen.join(),
    /whether telegraf polls Modbus: .*telegraf\.conf.* can't be read/,
  );
});

test("elsewhere than on Linux it is said that nothing could be looked at", async () => {
  const { unseen } = await look({ platform: "darwin" });
  assert.equal(unseen.length, 1);
});

/** A process that ends with the test. */
function running(t: TestContext, program: string, args: readonly string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const gone = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  return child;
}

/** What is said of a process, looking again and again until it is. */
async function untilHeld(query: Partial<MachineQuery>, pid: number | undefined) {
  for (const until = clock.elapsed() + PATIENCE; clock.elapsed() < until; ) {
    const { holders } = await look(query);
    const own = holders.filter((holder) => holder.pid === pid);
    const nobody = { jobs: [], units: [], harmless: [], unseen: [] };
    if (own.length > 0) return machineFindings({ ...nobody, holders: own })[0];
  }
  return undefined;
}

test("mbpoll that has a configured tty open is named, by whatever link it is configured", async (t) => {
  const link = join(createTempDir(t), "ttyPlant");
  const socat = running(t, "socat", ["-d", "-d", `pty,raw,echo=0,link=${link}`, "pty,raw,echo=0"]);
  assert.ok(socat.stderr);
  for await (const text of socat.stderr) if (String(text).includes("starting data")) break;
  const mbpoll = running(t, "mbpoll", ["-m", "rtu", "-a", "1", "-r", "1", "-o", "10", link]);
  const endpoint: WatchedEndpoint = { name: link, gateways: ["meters"], tty: link };
  const finding = await untilHeld({ endpoints: [endpoint] }, mbpoll.pid);
  assert.deepEqual(
    [finding?.kind, finding?.where, finding?.gateway],
    ["other-master", link, "meters"],
  );
  assert.match(finding?.text ?? "", /\(meters\): mbpoll -m rtu .* has it open; two masters/);
  assert.equal(finding?.next, `ps -o pid,user,lstart,args -p ${String(mbpoll.pid)}`);
});

test("a process with a connection to a configured endpoint is named, and none of our own", async (t) => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const { port } = address;
  const own = connect(port, "127.0.0.1");
  t.after(() => own.destroy());
  await once(own, "connect");
  const name = `plc:${String(port)}`;
  const endpoints = [{ name, gateways: ["plc"], port, addresses: ["127.0.0.1"] }];
  const query = { endpoints, own: [process.pid] };
  assert.deepEqual((await look(query)).holders, []);
  const socat = running(t, "socat", ["-u", `TCP:127.0.0.1:${String(port)}`, "OPEN:/dev/null"]);
  const finding = await untilHeld(query, socat.pid);
  assert.match(finding?.text ?? "", /^plc:\d+ \(plc\): socat .* is connected to it/);
});
