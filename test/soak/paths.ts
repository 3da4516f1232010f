/**
 * The node's own way to its embedded broker against the way of a client over loopback:
 * `node --import ts-blank-space/register test/soak/paths.ts`. One subscriber, window 20, QoS 1.
 */
import { once } from "node:events";
import type { Bus } from "../../src/core/ports.ts";
import { createEmbeddedBus } from "../../src/mqtt/embedded-bus.ts";
import { createExternalBus } from "../../src/mqtt/external-bus.ts";
import { createClock } from "../../src/system/clock.ts";
import { messageTo, opened, recordingLog, startBusProcess, startChild } from "../mqtt/peers.ts";
import { freePort, startMosquitto } from "../support/mosquitto.ts";

const MESSAGES = 20_000;
const PAYLOAD = "x".repeat(400);
const WINDOW = 20;

const cleanUps: (() => unknown)[] = [];
// What the helpers of the tests need of a test: to be told when it ends.
const test = { after: (clean: () => unknown) => void cleanUps.push(clean) } as Parameters<
  typeof startChild
>[0];
const options = {
  ...{ clock: createClock(), log: recordingLog().log, commandFilter: "test/cmd/+" },
  will: messageTo("test/node/state", "offline", { retain: true }),
};
const clientId = "paths";

try {
  const [own, inner] = [await freePort(), await freePort()];
  const embedded = createEmbeddedBus({ ...options, host: "127.0.0.1", port: own });
  const holder = startBusProcess(test, "embedded", String(inner), "hold");
  await holder.lines.next();
  const toEmbedded = createExternalBus({
    ...options,
    clientId,
    url: `mqtt://127.0.0.1:${String(inner)}`,
  });
  const mosquitto = await startMosquitto();
  test.after(() => mosquitto.remove());
  const toMosquitto = createExternalBus({ ...options, clientId, url: mosquitto.url });
  console.table({
    "in process, embedded broker": await measure(embedded, own),
    "over loopback, embedded broker of another process": await measure(toEmbedded, inner),
    "over loopback, Mosquitto": await measure(toMosquitto, mosquitto.port),
  });
} finally {
  for (const clean of cleanUps.reverse()) await clean();
}

/** Messages a second that were published and arrived, and the CPU time of this process for each. */
async function measure(bus: Bus, port: number): Promise<object> {
  await opened(bus);
  const args = ["-p", String(port), "-V", "mqttv311", "-q", "1", "-t", "test/#", "-F", "%t"];
  const subscriber = startChild(test, "stdbuf", ["-oL", "mosquitto_sub", ...args]);
  const warm = messageTo("test/hello", "-", { retain: true });
  await bus.publish(warm);
  await subscriber.lines.next();
  await publishAll(bus, 2000);
  const before = process.cpuUsage();
  const began = performance.now();
  await publishAll(bus, MESSAGES);
  const taken = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  await bus.close();
  subscriber.process.kill("SIGKILL");
  await once(subscriber.process, "exit").catch(() => undefined);
  return {
    "messages a second": Math.round((MESSAGES / taken) * 1000),
    "µs of CPU each": Math.round((user + system) / MESSAGES),
  };
}

async function publishAll(bus: Bus, count: number): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await bus.publish(messageTo("test/x", PAYLOAD));
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
}
