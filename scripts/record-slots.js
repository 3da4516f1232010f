// Records what became of every slot of a node in trouble, as a subscriber of its broker sees it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** @typedef {import("node:child_process").ChildProcessByStdio<null, import("node:stream").Readable, null>} Child */

const program = path.join(
  path.dirname(path.dirname(fileURLToPath(import.meta.url))),
  "bin/edgepoll.js",
);
const LENGTH = 36_000;

/** What happens to whom, in ms from the beginning. */
const STOPPED = [5500, 11_500];
const SWITCHED_OFF = [8500, 14_500];
const HANGS = [15_500, 26_500];
// The request to the device that hangs is in flight.
const KILLED = 18_400;
const RESTARTED = 20_500;

/** What the picture says of a gateway. @type {Record<string, string>} */
const NOTES = {
  "boiler-room": "stopped and started by command",
  cooling: "device switched off for 6 s",
  "pump-house": "device hangs for 11 s",
};

/** Runs the node for a while and says what came of each slot. */
export async function recordSlots() {
  const directory = mkdtempSync(path.join(tmpdir(), "edgepoll-slots-"));
  /** @type {Child[]} */
  const children = [];
  try {
    return await record(directory, children);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    rmSync(directory, { recursive: true });
  }
}

/** @param {string} directory @param {Child[]} children */
async function record(directory, children) {
  /** @param {string} file @param {string[]} args */
  const run = (file, args) => {
    const env = { ...process.env, RUNTIME_DIRECTORY: directory };
    const child = spawn(file, args, { env, stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    return child;
  };
  /** @param {string[]} args */
  const edgepoll = (...args) => run(process.execPath, [program, ...args]);
  const [brokerPort, coolingPort, pumpPort] = await freePorts(3);
  const broker = path.join(directory, "mosquitto.conf");
  writeFileSync(broker, `user root\nlistener ${brokerPort} 127.0.0.1\nallow_anonymous true\n`);
  run("mosquitto", ["-c", broker]);
  /** @param {string} port */
  const device = async (port) => {
    const child = edgepoll("simulate", "energy-meter", "--port", port, "--json");
    await once(child.stdout, "data");
    return child;
  };
  let cooling = await device(coolingPort);
  const pump = await device(pumpPort);
  const topics = ["-t", "polling/readings/#", "-t", "polling/gaps/#"];
  const subscriber = run("mosquitto_sub", ["-p", brokerPort, "-q", "1", ...topics, "-F", "%p"]);
  let told = "";
  subscriber.stdout.setEncoding("utf8").on("data", (text) => (told += text));

  const config = path.join(directory, "edgepoll.yaml");
  const state = path.join(directory, "state");
  mkdirSync(state);
  const gateways = gatewaysOf(coolingPort, pumpPort);
  const mqtt = { broker: `mqtt://127.0.0.1:${brokerPort}` };
  writeFileSync(config, JSON.stringify({ node: "recorded", stateDir: state, mqtt, gateways }));
  const node = () => edgepoll("start", "--node", "--json", "--config", config);

  await wait(Math.ceil(Date.now() / 5000 + 0.3) * 5000 - 1500 - Date.now());
  let running = node();
  await once(running.stdout, "data");
  const from = Math.ceil(Date.now() / 1000) * 1000;
  /** @param {number} at */
  const until = (at) => wait(from + at - Date.now());
  const gateway = ["--gateway", "boiler-room", "--state-dir", state];
  let again = 0;
  await Promise.all([
    until(STOPPED[0] ?? 0).then(() => edgepoll("stop", ...gateway)),
    until(STOPPED[1] ?? 0).then(() => edgepoll("start", ...gateway)),
    until(SWITCHED_OFF[0] ?? 0).then(() => cooling.kill("SIGKILL")),
    until(SWITCHED_OFF[1] ?? 0).then(async () => (cooling = await device(coolingPort))),
    until(HANGS[0] ?? 0).then(() => pump.kill("SIGSTOP")),
    until(HANGS[1] ?? 0).then(() => pump.kill("SIGCONT")),
    until(KILLED).then(() => running.kill("SIGKILL")),
    until(RESTARTED).then(async () => {
      running = node();
      await once(running.stdout, "data");
      again = Date.now();
    }),
    until(LENGTH),
  ]);
  running.kill("SIGTERM");
  await once(running, "exit");
  await wait(500);
  const messages = told.trim().split("\n");
  const rows = gateways.map(({ id, interval }) => {
    const note = NOTES[id] ?? "";
    return { id, interval: msOf(interval), note, slots: slotsOf(id, messages, from + LENGTH) };
  });
  const first = Math.min(...rows.flatMap(({ slots }) => slots.map(([, slot]) => slot)));
  return {
    recorded: new Date(from).toISOString(),
    ...{ from: Math.floor(first / 1000) * 1000, to: from + LENGTH, killed: from + KILLED, again },
    rows,
  };
}

/** @param {string} coolingPort @param {string} pumpPort */
function gatewaysOf(coolingPort, pumpPort) {
  const simulated = "simulator://energy-meter";
  /** @param {string} id @param {string} interval @param {string} connection */
  const gateway = (id, interval, connection) => {
    const point = { id: "power", table: "input", address: 12, type: "float32" };
    return { id, interval, connection, devices: [{ id: "meter", unitId: 1, points: [point] }] };
  };
  return [
    gateway("boiler-room", "1s", simulated),
    gateway("cooling", "1s", `tcp://127.0.0.1:${coolingPort}`),
    gateway("workshop", "1s", simulated),
    gateway("pv-roof", "500ms", simulated),
    { ...gateway("pump-house", "1s", `tcp://127.0.0.1:${pumpPort}`), phase: "200ms" },
    gateway("grid-meter", "2s", simulated),
  ];
}

/**
 * Each slot of a gateway once, by number; throws when one is missing or has two outcomes.
 * @param {string} id @param {string[]} messages payloads @param {number} end of what is drawn
 * @returns {[number, number, string][]}
 */
function slotsOf(id, messages, end) {
  /** @type {Map<number, [number, string]>} */
  const slots = new Map();
  /** @param {number} seq @param {number} slot @param {string} outcome */
  const account = (seq, slot, outcome) => {
    const known = slots.get(seq);
    if (known !== undefined && known[1] !== outcome) {
      throw new Error(`${id} ${String(seq)} is both ${known[1]} and ${outcome}`);
    }
    slots.set(seq, [slot, outcome]);
  };
  for (const message of messages.map((text) => JSON.parse(text))) {
    if (message.gateway !== id) continue;
    if ("seq" in message) {
      const outcome = { good: "good", uncertain: "partial", bad: "failed" }[
        String(message.quality)
      ];
      account(message.seq, message.slot, outcome ?? "?");
      continue;
    }
    for (let seq = message.from; seq <= message.to; seq++) {
      const slot = message.slotFrom + (seq - message.from) * message.interval;
      account(seq, slot, `${message.outcome} ${message.reason}`);
    }
  }
  const last = Math.max(...slots.keys());
  for (let seq = 1; seq <= last; seq++) {
    if (!slots.has(seq)) throw new Error(`${id} has no outcome for ${String(seq)}`);
  }
  return [...slots]
    .sort(([a], [b]) => a - b)
    .filter(([, [slot]]) => slot < end)
    .map(([seq, [slot, outcome]]) => [seq, slot, outcome]);
}

/** @param {string} interval */
function msOf(interval) {
  return interval.endsWith("ms") ? parseInt(interval) : parseInt(interval) * 1000;
}

/** @param {number} count */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? String(address.port) : "";
  });
  for (const server of servers) server.close();
  return /** @type {[string, string, string]} */ (ports);
}
