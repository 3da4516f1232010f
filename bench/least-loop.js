// The second baseline: the least that keeps the promises, with the libraries that edgepoll uses. A slot is claimed in a
// synced batch before its first byte leaves; outcome and reading are in another one before the reading is published; the
// reading leaves the disk when the broker has acknowledged it. Grid, phases and times are edgepoll's. Nothing else is
// here: no check of what answers, no reconnect, no breaker, no account of what was missed, no state, no restart.
// Without a database it is the plain loop on edgepoll's grid, and shows what the spread of the slots costs.
// Argument: a file with what to poll.
import { readFileSync } from "node:fs";
import { Level } from "level";
import modbusSerial from "modbus-serial";
import mqtt from "mqtt";

/**
 * @typedef {object} Task
 * @property {string} broker
 * @property {string} [database]
 * @property {number} interval in ms
 * @property {number} timeout in ms
 * @property {{ id: string, port: number }[]} gateways
 * @property {{ address: number, count: number }[]} reads a point each, or float32 in a row
 */

const ModbusRTU = modbusSerial.default;
/** ms that outcomes wait for company. */
const GATHER = 50;
/** ms before it is due at which the first of the slots that are claimed together is claimed, and ms that these cover. */
const LEAD = 7;
const TOGETHER = 43;

/** @type {Task} */
const { broker, database, interval, timeout, gateways, reads } = JSON.parse(
  readFileSync(process.argv[2] ?? "", "utf8"),
);
/** @type {Level<string, string> | undefined} */
const db = database === undefined ? undefined : new Level(database);
await db?.open();
const client = await mqtt.connectAsync(broker);

/** @typedef {{ key: string, value?: string }} Write */
/** @type {Write[]} */
let writes = [];
/** @type {(() => void)[]} */
let waiting = [];
let isWriting = false;
/** @type {NodeJS.Timeout | undefined} */
let gathering;

/** One batch on its way, the next one gathers. */
async function flush() {
  clearTimeout(gathering);
  gathering = undefined;
  if (isWriting || db === undefined) return;
  isWriting = true;
  while (waiting.length > 0) {
    const [taken, told] = [writes, waiting];
    [writes, waiting] = [[], []];
    const batch = db.batch();
    for (const { key, value } of taken) {
      if (value === undefined) batch.del(key);
      else batch.put(key, value);
    }
    await batch.write({ sync: true });
    for (const tell of told) tell();
  }
  isWriting = false;
}

/** @param {Buffer} data */
function numbersIn(data) {
  if (data.length === 2) return [data.readUInt16BE(0)];
  return Array.from({ length: data.length / 4 }, (_, n) => data.readFloatBE(4 * n));
}

/** @param {{ id: string, port: number }} gateway */
async function opened({ id, port }) {
  const device = new ModbusRTU();
  await device.connectTCP("127.0.0.1", { port });
  device.setID(1);
  device.setTimeout(timeout);
  let seq = 0;
  return { claim, poll, phase: phaseOf(id) };

  function claim() {
    writes.push({ key: `claim/${id}`, value: JSON.stringify([seq + 1, Date.now()]) });
  }

  /** @param {number} slot */
  async function poll(slot) {
    const late = Date.now() - slot;
    const mine = ++seq;
    /** @type {Record<string, number>} */
    const values = {};
    for (const { address, count } of reads) {
      const { buffer } = await device.readHoldingRegisters(address, count);
      numbersIn(buffer).forEach((value, n) => {
        values[`p${String(address + 2 * n)}`] = value;
      });
    }
    const topic = `polling/readings/${id}/unit`;
    const facts = { gateway: id, device: "unit", seq: mine, slot, late };
    const reading = JSON.stringify({ ...facts, ts: Date.now(), values });
    if (db === undefined) {
      client.publish(topic, reading, { qos: 1 });
      return;
    }
    const spooled = `spool/${id}/${String(mine).padStart(14, "0")}`;
    const outcome = `outcome/${id}/${String(mine).padStart(14, "0")}`;
    writes.push({ key: outcome, value: JSON.stringify(["good", late]) });
    writes.push({ key: spooled, value: reading });
    waiting.push(() => {
      client.publish(topic, reading, { qos: 1 }, () => {
        writes.push({ key: spooled });
      });
    });
    gathering ??= setTimeout(() => void flush(), GATHER);
  }
}

/**
 * FNV-1a of the id, rounded down to 10 ms.
 * @param {string} id
 */
function phaseOf(id) {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(id)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return Math.floor((hash % interval) / 10) * 10;
}

const devices = await Promise.all(gateways.map(opened));
/** Gateways that are due together, in the order of their phases. */
const groups = [...new Set(devices.map(({ phase }) => phase))]
  .sort((a, b) => a - b)
  .map((phase) => ({ phase, devices: devices.filter((device) => device.phase === phase) }));
const clockOffset = Date.now() - performance.now();
let round = Math.ceil(Date.now() / interval) + 1;
let next = 0;

/** The groups that are due within TOGETHER from the next one on, when they are due, and what for. */
function taken() {
  /** @type {{ devices: typeof devices, slot: number, due: number }[]} */
  const found = [];
  for (;;) {
    const group = groups[next];
    const slot = round * interval + (group?.phase ?? 0);
    const due = slot - clockOffset;
    if (group === undefined || due > (found[0]?.due ?? due) + TOGETHER) return found;
    found.push({ devices: group.devices, slot, due });
    next = (next + 1) % groups.length;
    if (next === 0) round++;
  }
}

/** Claims what is due soon, polls it when it is due, and so on. */
function armed() {
  const found = taken();
  wake((found[0]?.due ?? 0) - LEAD, () => {
    if (db === undefined) pollDue(found);
    else {
      for (const each of found) for (const device of each.devices) device.claim();
      waiting.push(() => {
        pollDue(found);
      });
      void flush();
    }
    armed();
  });
}

/** @param {ReturnType<typeof taken>} found */
function pollDue(found) {
  const first = found.shift();
  if (first === undefined) return;
  wake(first.due, () => {
    for (const device of first.devices) {
      device.poll(first.slot).catch((/** @type {Error} */ error) => {
        console.error(error.message);
      });
    }
    pollDue(found);
  });
}

/**
 * @param {number} at
 * @param {() => void} then
 */
function wake(at, then) {
  setTimeout(then, Math.max(1, Math.ceil(at - performance.now())));
}

armed();
console.log("{}");
process.once("SIGTERM", () => {
  client.end(() => process.exit());
});
