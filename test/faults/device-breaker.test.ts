/** Rows of the fault table: devices that fail for long, and devices that come and go. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { faultRow } from "../support/fault-row.ts";
import type { LoggedRequest } from "../support/slave.ts";
import { jsonOf, startSubscriber, type Received } from "../support/subscriber.ts";
import { startField, type Field } from "./field.ts";

/** A device in a gateway's health, as far as the rows look at it. */
interface SeenDevice {
  readonly online: boolean | null;
  readonly breaker: "closed" | "open" | "probing";
  readonly failures: number;
  readonly reason?: string;
}

interface SeenEvent {
  readonly kind: string;
  readonly gateway?: string;
}

const THRESHOLD = 3;
/** Polls of one flap: so many in a row get no answer, one does. */
const SILENT = THRESHOLD - 1;
const FLAPS = 7;
/** Requests of a poll that is answered. */
const REQUESTS = 3;

/** ms by which a request may leave before its slot: timers fire early. */
const SLACK = 40;

let field: Field;
const endings: (() => unknown)[] = [];

before(async () => {
  const ending = {
    after: (end: () => unknown): void => {
      endings.push(end);
    },
  };
  const keys = { failureThreshold: THRESHOLD, probe: { first: "2s", max: "4s" } };
  field = await startField(ending, { dead: keys, flapping: keys });
});
after(async () => {
  for (const end of endings) await end();
});

/** Wall time of a request; the slave's clock is this machine's monotonic one. */
function wallOf({ t }: LoggedRequest): number {
  return Number(t) / 1e6 + Date.now() - Number(process.hrtime.bigint()) / 1e6;
}

/** The device of a health message. */
function deviceIn(message: Received): SeenDevice | undefined {
  return jsonOf<{ devices: SeenDevice[] }>(message).devices[0];
}

/** Settles with the device of the first health message from number `from` of the log on that fits. */
async function healthOf(
  id: string,
  fits: (device: SeenDevice) => boolean,
  from = 0,
): Promise<SeenDevice> {
  const message = await field.subscriber.first(
    `the health of ${id}`,
    (each) => {
      if (each.topic !== `polling/health/${id}`) return false;
      const device = deviceIn(each);
      return device !== undefined && fits(device);
    },
    from,
  );
  const device = deviceIn(message);
  assert.ok(device);
  return device;
}

describe("devices that fail for long, and devices that come and go", { concurrency: true }, () => {
  faultRow(
    {
      id: "D14",
      fault: "no answer for many polls",
      done: "the device is silent past the threshold of 3 polls and 10 s, until a probe has failed; then it answers again",
      must: "it is left out with its state and reason retained, asked only by probes in regular slots, and back with the next probe",
    },
    async (t) => {
      const gateway = field.gateway("dead");
      await gateway.fault({ kind: "silent" });
      const open = await healthOf("dead", ({ breaker }) => breaker === "open");
      assert.deepEqual([open.online, open.reason], [false, "timeout"]);
      const late = await startSubscriber(t, { port: field.port, filter: "polling/health/dead" });
      const kept = await late.first("what is retained", ({ retain }) => retain);
      assert.notEqual(deviceIn(kept)?.breaker, "closed");
      await healthOf("dead", ({ breaker, failures }) => {
        return breaker === "open" && failures > open.failures;
      });
      const from = field.subscriber.log.length;
      await gateway.fault({ kind: "normal" });
      await healthOf(
        "dead",
        ({ breaker, online }) => breaker === "closed" && online === true,
        from,
      );
      await gateway.next(1);

      // Its only device being left out, the slots without a probe have no reading.
      const readings = gateway.readings();
      const opening = readings.findIndex(({ seq }, n) => readings[n + 1]?.seq !== seq + 1);
      const last = readings[opening];
      const later = readings.slice(opening + 1);
      const end = later.findIndex(({ quality }) => quality === "good");
      const back = later[end];
      assert.ok(last && back);
      const probes = later.slice(0, end);
      assert.ok(probes.length >= 1 && probes.every(({ reason }) => reason === "timeout"));
      const asked = gateway
        .requests()
        .map(wallOf)
        .filter((at) => at >= last.slot + gateway.interval && at < back.slot - SLACK);
      assert.equal(asked.length, probes.length, "a probe is one request, in a slot of its own");
      const gap = field.subscriber.log.find(({ topic }) => topic === "polling/gaps/dead");
      assert.match(gap?.payload ?? "", /"outcome":"missed","reason":"disabled"/);
      const slots = back.seq - last.seq - 1;
      return `open after ${String(open.failures)} failed polls, retained with reason timeout; of the next ${String(slots)} slots ${String(probes.length)} had a probe of 1 request, the others were missed (disabled); then good with the next probe`;
    },
  );

  faultRow(
    {
      id: "D15",
      fault: "flapping around the threshold",
      done: "seven times two polls without an answer (the threshold is 3) and one with",
      must: "the breaker stays closed; at most one message of each kind a slot",
    },
    async () => {
      const gateway = field.gateway("flapping");
      const from = field.subscriber.log.length;
      await gateway.script(
        Array.from({ length: FLAPS }, () => [
          { kind: "silent", requests: SILENT } as const,
          { kind: "normal", requests: REQUESTS } as const,
        ]).flat(),
      );
      const slots = FLAPS * (SILENT + 1);
      const readings = await gateway.next(slots);
      const good = readings.filter(({ quality }) => quality === "good").length;
      const log = field.subscriber.log.slice(from);
      const count = (topic: string): number => log.filter((each) => each.topic === topic).length;
      const health = count("polling/health/flapping");
      const availability = count("polling/availability/flapping/unit");
      const kinds = log
        .filter(({ topic }) => topic === "polling/node/events")
        .map((message) => jsonOf<SeenEvent>(message))
        .filter((event) => event.gateway === "flapping")
        .map(({ kind }) => kind);
      assert.ok(good >= FLAPS, "it came and went");
      assert.ok(!kinds.includes("device-open"), "the breaker stays closed");
      assert.ok(
        kinds.every((kind, n) => kind !== kinds[n - 1]),
        `an event is a change, never the same again: ${kinds.join(", ")}`,
      );
      for (const messages of [health, availability, kinds.length]) {
        assert.ok(messages <= slots, `${String(messages)} messages in ${String(slots)} slots`);
      }
      const back = await gateway.recovers();
      return `in ${String(slots)} slots, ${String(good)} of them good: ${String(health)} health messages, ${String(availability)} of availability, ${String(kinds.length)} events; breaker closed; ${back}`;
    },
  );
});
