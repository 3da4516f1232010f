/** What refuses the start of a node. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startNode } from "../../src/app/node.ts";
import { readSite } from "../../src/app/site.ts";
import { PermissionError } from "../../src/core/errors.ts";
import { freePort } from "../support/mosquitto.ts";
import { createTempDir } from "../support/temp-dir.ts";

const NOBODY = 65_534;
const siteOn = (port: number) => `
mqtt: { embedded: { port: ${String(port)} } }
gateways:
  - id: one
    connection: simulator://energy-meter
    devices:
      - { id: meter, unitId: 1, points: [{ id: status, reference: 40001, type: uint16 }] }
`;

test("a state directory of another user is a matter of permission, and is named", async (t) => {
  const directory = createTempDir(t);
  chmodSync(directory, 0o755);
  const config = join(directory, "edgepoll.yaml");
  writeFileSync(config, siteOn(await freePort()));
  const stateDir = join(directory, "state");
  mkdirSync(stateDir, { mode: 0o500 });
  // Root may everything: it acts as nobody for the moment.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(NOBODY);
  try {
    await assert.rejects(
      startNode(readSite({ config, stateDir }), { config, stateDir }),
      (error) => {
        assert.ok(error instanceof PermissionError);
        assert.ok(error.message.includes(stateDir), error.message);
        return true;
      },
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});
