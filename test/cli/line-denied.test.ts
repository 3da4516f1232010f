/** A line that this user may not open ends `read`, `write` and `scan` with 77, and so does a folder. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, chownSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { startLineSlave } from "../support/line-slave.ts";
import { freePort } from "../support/mosquitto.ts";
import { startNode, writeSite } from "../support/node-process.ts";
import { createTempDir } from "../support/temp-dir.ts";
import { PROGRAM, type Ended } from "./program.ts";

const NOBODY = 65_534;

/** Root may open everything: then somebody else runs it. */
function runUnprivileged(home: string, ...args: string[]): Promise<Ended> {
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const env = { PATH: process.env["PATH"], HOME: home };
  return new Promise((resolve) => {
    const options = { ...user, timeout: 60_000, env };
    const child = execFile(process.execPath, [PROGRAM, ...args], options, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

test("no permission for a line is 77, and looks at who has it", async (t) => {
  const slave = await startLineSlave(t);
  const directory = dirname(slave.path);
  chmodSync(directory, 0o755);
  const line = `serial://${slave.path}`;
  // Neither the owner nor others may: whoever runs this test is one of them.
  chmodSync(slave.path, 0o060);
  if (process.getuid?.() === 0) chownSync(slave.path, 0, 1);
  const read = await runUnprivileged(directory, "read", `${line}/1`, "40001");
  assert.equal(read.code, 77, read.stderr);
  assert.match(
    read.stderr,
    /^edgepoll: No permission to open \S+ttyLINE, which belongs to group \S+\. Next: /,
  );
  assert.match(
    read.stderr,
    /\. Next: sudo usermod -aG \S+ \S+ and log in again; .*\(PERMISSION\)\n$/,
  );
  chmodSync(slave.path, 0o000);
  const scan = await runUnprivileged(directory, "scan", line, "--units", "1");
  assert.equal(scan.code, 77, scan.stderr);
  assert.match(scan.stderr, /it has the mode 0000 and belongs to group \S+, so that no group /);
  assert.equal(slave.requests().length, 0);
});

test(
  "no permission for a line is 77 also where it is the node that polls it which has none",
  { timeout: 120_000 },
  async (t) => {
    const slave = await startLineSlave(t);
    chmodSync(dirname(slave.path), 0o755);
    const directory = createTempDir(t);
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    const point = { id: "level", table: "holding", address: 0, type: "uint16" };
    const files = writeSite(directory, {
      mqtt: { embedded: { port: await freePort() } },
      gateways: [
        {
          ...{ id: "line", interval: "1s", connection: `serial://${slave.path}` },
          devices: [{ id: "unit", unitId: 1, points: [point] }],
        },
      ],
    });
    if (process.getuid?.() === 0) chownSync(directory, NOBODY, NOBODY);
    chmodSync(slave.path, 0o000);
    const node = startNode(t, files, user);
    await node.started;
    for (const words of [
      ["read", "line/unit", "--config", files.config],
      ["write", `serial://${slave.path}/1`, "40001", "1", "--yes"],
    ]) {
      const ended = await runUnprivileged(directory, ...words);
      assert.equal(ended.code, 77, ended.stderr);
      assert.match(ended.stderr, /No permission to open \S+: .* Next: .*\(PERMISSION\)\n$/);
    }
    assert.equal(await node.stop(), 0, node.output());
  },
);

test("a configuration for a folder that may not be written is 77, and nothing is asked for it", async (t) => {
  const directory = createTempDir(t);
  chmodSync(directory, 0o555);
  const file = join(directory, "found.yaml");
  // Nothing listens there, which would be 69.
  const scan = await runUnprivileged(
    directory,
    "scan",
    "tcp://127.0.0.1:1",
    "--write-config",
    file,
  );
  assert.equal(scan.code, 77, scan.stderr);
  assert.match(scan.stderr, /^edgepoll: May not use \S+found\.yaml: EACCES.*\(PERMISSION\)\n$/);
});
