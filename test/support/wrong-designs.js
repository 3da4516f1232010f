// Three designs of the promise that are wrong, put into the built edgepoll by a test that must catch them.
// Nothing in src/ knows of them: each replaces methods of a process that killed-node.js is about to start.
import { connect } from "node:net";
import { Level } from "level";

/** @param {string} path */
const built = (path) => import(new URL(`../../dist/${path}`, import.meta.url).href);

/** @type {Record<string, () => Promise<void>>} */
export const WRONG_DESIGNS = { recordAfter, unsyncedClaim, sharedBuffer };

/** A slot's claim is written when it was polled: a crash in between, and it is polled again. */
async function recordAfter() {
  /** @type {typeof import("../../src/engine/ledger.ts")} */
  const { Ledger } = await built("engine/ledger.js");
  const { claim, settle } = Ledger.prototype;
  /** @typedef {import("../../src/engine/schedule.ts").Schedule} Schedule */
  /** @type {Map<Schedule, import("../../src/engine/schedule.ts").ClaimedSlot[]>} */
  const unwritten = new Map();
  /** @param {Parameters<typeof claim>[0]} taken */
  Ledger.prototype.claim = async (taken) => {
    for (const [schedule, slots] of taken) {
      unwritten.set(schedule, [...(unwritten.get(schedule) ?? []), ...slots]);
    }
  };
  /** @param {Schedule} schedule @param {Parameters<typeof settle>[1]} polled */
  Ledger.prototype.settle = function (schedule, polled) {
    const slots = unwritten.get(schedule) ?? [];
    const done = slots.filter(({ seq }) => seq <= polled.slot.seq);
    unwritten.set(
      schedule,
      slots.filter(({ seq }) => seq > polled.slot.seq),
    );
    void claim.call(this, new Map([[schedule, done]]));
    settle.call(this, schedule, polled);
  };
}

/** Claims are written and not synced: a power cut takes them back, and the slot is polled again. */
async function unsyncedClaim() {
  const { batch } = Level.prototype;
  /** @this {Level} @param {Parameters<typeof batch>} given */
  function unsynced(...given) {
    /** @type {any} What is given without arguments is written operation by operation. */
    const operations = batch.apply(this, given);
    if (given.length > 0) return operations;
    const { put, write } = operations;
    let isClaim = true;
    return Object.assign(operations, {
      put: (/** @type {string} */ key, /** @type {unknown} */ value) => {
        isClaim &&= key.startsWith("claim/");
        return put.call(operations, key, value);
      },
      write: (/** @type {object} */ options) =>
        write.call(operations, isClaim ? { sync: false } : options),
    });
  }
  Object.assign(Level.prototype, { batch: unsynced });
}

/** All answers of a gateway go into one buffer, which nobody clears: a late one is taken for the next request's. */
async function sharedBuffer() {
  /** @type {typeof import("../../src/app/endpoints.ts")} */
  const { Endpoints } = await built("app/endpoints.js");
  const { of } = Endpoints.prototype;
  /** @type {Map<string, ReturnType<typeof careless>>} */
  const links = new Map();
  /** @param {import("../../src/core/model.ts").Gateway} gateway */
  Endpoints.prototype.of = function (gateway) {
    const { key } = of.call(this, gateway);
    const port = Number(key.slice(key.lastIndexOf(":") + 1));
    const link = links.get(key) ?? careless(port);
    links.set(key, link);
    return { key, link };
  };
}

/**
 * A link that takes the first frame it finds in its buffer, whatever it answers.
 * @param {number} port
 * @returns {import("../../src/core/ports.ts").Link}
 */
function careless(port) {
  // Nobody closes it: it must not keep the process.
  const socket = connect(port, "127.0.0.1").unref();
  socket.on("error", () => undefined);
  let received = Buffer.alloc(0);
  let arrived = () => {};
  socket.on("data", (bytes) => {
    received = Buffer.concat([received, bytes]);
    arrived();
  });
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  return {
    write: () => Promise.reject(new Error("nothing is written here")),
    release: () => undefined,
    close: async () => void socket.destroy(),
    read: async ({ unitId, table, address, count }, timeout) => {
      const sentAt = now();
      const code = { coil: 1, discrete: 2, holding: 3, input: 4 }[table];
      const frame = Buffer.from([0, 1, 0, 0, 0, 6, unitId, code, 0, 0, 0, 0]);
      frame.writeUInt16BE(address, 8);
      frame.writeUInt16BE(count, 10);
      socket.write(frame);
      if (received.length === 0) {
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, timeout);
          arrived = () => {
            clearTimeout(timer);
            resolve(undefined);
          };
        });
      }
      if (received.length === 0) {
        return { ok: false, reason: "timeout", detail: "", sentAt, endedAt: now() };
      }
      const end = 6 + received.readUInt16BE(4);
      const data = received.subarray(9, end);
      received = received.subarray(end);
      const words = Uint16Array.from({ length: count }, (_, n) =>
        code <= 2
          ? ((data[n >> 3] ?? 0) >> (n & 7)) & 1
          : ((data[2 * n] ?? 0) << 8) | (data[2 * n + 1] ?? 0),
      );
      return { ok: true, words, sentAt, endedAt: now() };
    },
  };
}
