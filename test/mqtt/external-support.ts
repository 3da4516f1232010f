/** External buses for tests, and a broker for them. */
import type { TestContext } from "node:test";
import type { Bus, Clock } from "../../src/core/ports.ts";
import { createExternalBus } from "../../src/mqtt/external-bus.ts";
import type { ExternalBusOptions } from "../../src/mqtt/external-bus.ts";
import { createClock } from "../../src/system/clock.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import type { Mosquitto, MosquittoOptions } from "../support/mosquitto.ts";
import { messageTo, recordingLog } from "./peers.ts";

/** A bus to the broker at `url`, with what tests do not care about filled in. */
export function external(url: string, more: Partial<ExternalBusOptions> = {}): Bus {
  return createExternalBus({
    url,
    clientId: "edgepoll-test",
    commandFilter: "test/cmd/+",
    will: messageTo("test/node/state", "offline", { retain: true }),
    clock: createClock(),
    log: recordingLog().log,
    ...more,
  });
}

/** The machine's clock, ten times as fast. */
export function hurriedClock(): Clock {
  const clock = createClock();
  return {
    ...clock,
    elapsed: () => clock.elapsed() * 10,
    timer: (delay, wake) => clock.timer(delay / 10, wake),
  };
}

/** A test with a Mosquitto and buses to it; all end with the test. */
export function withBroker(
  options: MosquittoOptions,
  body: (
    broker: Mosquitto,
    make: (more?: Partial<ExternalBusOptions>) => Bus,
    t: TestContext,
  ) => Promise<void>,
) {
  return async (t: TestContext): Promise<void> => {
    const broker = await startMosquitto(options);
    t.after(broker.remove);
    const make = (more?: Partial<ExternalBusOptions>): Bus => {
      const bus = external(broker.url, more);
      t.after(() => bus.close());
      return bus;
    };
    await body(broker, make, t);
  };
}
