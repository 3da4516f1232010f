/** Rows of the fault table: several nodes want the same. The witnesses are exit codes, words, and the slave's log. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { serialPoints } from "../e2e/site.ts";
import { freePort } from "../support/mosquitto.ts";
import { faultRow } from "../support/fault-row.ts";
import { startNode, writeSite, type NodeFiles } from "../support/node-process.ts";
import { startSlave, type Slave } from "../support/slave.ts";
import { createTempDir } from "../support/temp-dir.ts";

const STARTS = 50;
/** ms; fifty processes on a slow machine take their time. */
const LIMIT = 170_000;

faultRow(
  {
    id: "K9a",
    fault: "started fifty times at once on one state directory",
    done: "fifty processes run start --node with one configuration, none waits for another",
    must: "exactly one polls; all others exit with 75 and name its pid",
  },
  async (t) => {
    const slave = await oneSlave(t);
    const files = await site(createTempDir(t), "fifty", slave);
    const nodes = Array.from({ length: STARTS }, () => startNode(t, files));
    const winner = await Promise.any(nodes.map((node) => node.started.then(() => node)));
    const [port = 0] = slave.ports;
    await slave.received(port, 3);
    const named = new RegExp(`\\(pid ${String(winner.pid)}\\) holds the state directory`);
    for (const loser of nodes.filter((node) => node !== winner)) {
      assert.deepEqual(await loser.exit, { code: 75, signal: null }, loser.output());
      assert.match(loser.output(), named);
    }
    assert.equal(new Set(slave.log().map(({ conn }) => conn)).size, 1, "one connection");
    assert.equal(await winner.stop(), 0, winner.output());
    return `1 of ${String(STARTS)} polled, over one connection; ${String(STARTS - 1)} exited with 75 and named its pid`;
  },
  LIMIT,
);

faultRow(
  {
    id: "K9b",
    fault: "two state directories, one endpoint",
    done: "a node polls 127.0.0.1; a second one with a state directory of its own names the same port of localhost",
    must: "the second exits with 75 and names the endpoint, the pid and the state directory of the first, which polls on",
  },
  async (t) => {
    const slave = await oneSlave(t);
    const [port = 0] = slave.ports;
    const first = await site(createTempDir(t), "first", slave);
    const node = startNode(t, first);
    await node.started;
    const rival = startNode(t, await site(createTempDir(t), "rival", slave, "localhost"));
    assert.deepEqual(await rival.exit, { code: 75, signal: null }, rival.output());
    const said = rival.output();
    assert.ok(said.includes(`(pid ${String(node.pid)}) polls 127.0.0.1:${String(port)}`), said);
    assert.ok(said.includes(`--state-dir ${realpathSync(first.stateDir)}`), said);
    await slave.received(port, slave.log(port).length + 3);
    assert.equal(await node.stop(), 0, node.output());
    return "exit 75, with pid, endpoint and state directory of the node that polls";
  },
);

faultRow(
  {
    id: "K9c",
    fault: "started while a command works on the state directory without a node",
    done: "the lock is held as by such a command until the node has asked three times who holds it",
    must: "the node waits for it and polls",
  },
  async (t) => {
    const slave = await oneSlave(t);
    const directory = createTempDir(t);
    const files = await site(directory, "patient", slave);
    const state = join(realpathSync(directory), "state");
    const lock = await holdAsCommand(`state:${state}`);
    t.after(() => lock.close());
    const node = startNode(t, files);
    for (let asked = 0; asked < 3; asked++) await once(lock, "connection");
    assert.equal(node.output(), "", "it does not run beside the command");
    lock.close();
    await node.started;
    await slave.received(slave.ports[0] ?? 0, 3);
    assert.equal(await node.stop(), 0, node.output());
    return "it waited, then polled";
  },
);

/** The lock of a command that has no control socket, such as `stop` without a node. */
async function holdAsCommand(name: string): Promise<Server> {
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 32);
  const holder = { pid: process.pid, node: "offline", stateDir: "", control: "" };
  const server = createServer((socket) => socket.end(`${JSON.stringify(holder)}\n`));
  server.listen({ path: `\0edgepoll-${hash}` });
  await once(server, "listening");
  return server;
}

async function oneSlave(t: TestContext): Promise<Slave> {
  const slave = await startSlave({ ports: 1, logFile: join(createTempDir(t), "requests.jsonl") });
  t.after(() => slave.stop());
  return slave;
}

async function site(
  directory: string,
  node: string,
  slave: Slave,
  host = "127.0.0.1",
): Promise<NodeFiles> {
  return writeSite(directory, {
    node,
    mqtt: { embedded: { port: await freePort() } },
    gateways: slave.ports.map((port) => ({
      id: "only",
      connection: `tcp://${host}:${String(port)}`,
      interval: "500ms",
      devices: [{ id: "unit", unitId: 1, points: serialPoints }],
    })),
  });
}
