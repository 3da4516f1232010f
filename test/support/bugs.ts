/** Bugs for a node under test: preloaded, they stand between the node and its libraries. */
import { writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net, { type NetConnectOpts } from "node:net";
import { join } from "node:path";
import mqtt from "mqtt";

/** Where a callback throws. */
export type Bug = "poll" | "publish" | "message" | "timer";

/** Arguments of Node.js with which a node meets these bugs, one for each SIGUSR2, in order. */
export function withBugs(directory: string, bugs: readonly Bug[]): string[] {
  const preload = join(directory, "preload.mjs");
  const plant = `import { plantBugs } from ${JSON.stringify(import.meta.url)};`;
  writeFileSync(preload, `${plant}\nplantBugs(${JSON.stringify(bugs)});\n`);
  return ["--import", import.meta.resolve("ts-blank-space/register"), "--import", preload];
}

/** Called by the preloaded module, in the process of the node. */
export function plantBugs(bugs: Bug[]): void {
  let armed: Bug | undefined;
  process.on("SIGUSR2", () => {
    armed = bugs.shift();
    process.stderr.write(`armed ${String(armed)}\n`);
  });
  const meet = (bug: Bug): void => {
    if (armed !== bug) return;
    armed = undefined;
    throw new Error(`a bug of the test: ${bug}`);
  };
  breakSockets(meet);
  breakMqtt(meet);
  breakTimers(meet);
}

/** What comes from a device is taken from its socket by a callback. */
function breakSockets(meet: (bug: Bug) => void): void {
  const { connect } = net;
  const broken = (options: NetConnectOpts): net.Socket => {
    const { onread } = options;
    if (onread === undefined) return connect(options);
    const callback: typeof onread.callback = (count, buffer) => {
      meet("poll");
      return onread.callback(count, buffer);
    };
    return connect({ ...options, onread: { ...onread, callback } });
  };
  // The node calls it in this form only.
  net.connect = broken as typeof net.connect;
  syncBuiltinESMExports();
}

function breakMqtt(meet: (bug: Bug) => void): void {
  const client = mqtt.MqttClient.prototype;
  const { publish, emit } = client;
  // All forms of the call are handed on as they are.
  client.publish = function (this: typeof client, ...given: unknown[]) {
    meet("publish");
    return Reflect.apply(publish, this, given) as unknown;
  } as typeof publish;
  // Likewise.
  client.emit = function (this: typeof client, event: string, ...given: unknown[]) {
    if (event === "message") {
      const [, payload, packet] = given;
      const broken = {
        get: () => {
          meet("message");
          return payload;
        },
      };
      given[2] = Object.create(packet as object, { payload: broken });
    }
    return Reflect.apply(emit, this, [event, ...given]) as unknown;
  } as typeof emit;
}

/** The one timer of the scheduler, without which nothing is polled. */
function breakTimers(meet: (bug: Bug) => void): void {
  const { setTimeout: set } = globalThis;
  const broken = (wake: () => void, delay: number): NodeJS.Timeout => {
    const ofScheduler = new Error().stack?.includes("/scheduler.") === true;
    return set(() => {
      if (ofScheduler) meet("timer");
      wake();
    }, delay);
  };
  globalThis.setTimeout = Object.assign(broken, set);
}
