/** A process that does nothing but hold a bus: `bus-process.ts embedded PORT|external URL hold|close`. */
import { createEmbeddedBus } from "../../src/mqtt/embedded-bus.ts";
import { createExternalBus } from "../../src/mqtt/external-bus.ts";
import { createClock } from "../../src/system/clock.ts";
import { messageTo, opened, recordingLog } from "./peers.ts";

const [kind = "", place = "", then = ""] = process.argv.slice(2);
const common = {
  commandFilter: "test/cmd/+",
  will: messageTo("test/node/state", "offline", { retain: true }),
  clock: createClock(),
  log: recordingLog().log,
};
const bus =
  kind === "embedded"
    ? createEmbeddedBus({ ...common, host: "127.0.0.1", port: Number(place) })
    : createExternalBus({ ...common, url: place, clientId: "bus-process" });
await opened(bus);
await bus.publish(messageTo("test/node/state", "online", { retain: true }));
console.log("online");
if (then === "close") await bus.close();
