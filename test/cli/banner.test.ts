import assert from "node:assert/strict";
import test from "node:test";
import { banner } from "../../src/cli/banner.ts";
import { plain } from "../../src/cli/paint.ts";
import { REPORT } from "./fixtures.ts";

/** The line that subscribes, for a broker. */
function subscribing(broker: object, more: object = {}): string | undefined {
  const report = { ...REPORT, ...more, broker: { ...REPORT.broker, ...broker } };
  return banner(report, "edgepoll", plain).find((line) => line.includes("mosquitto_sub"));
}

test("the banner says what runs, what was found, what is stopped, and how to watch", () => {
  assert.deepEqual(banner(REPORT, "node bin/edgepoll.js", plain), [
    "edgepoll 0.1.0  plant-a  node 20.20.2  pid 4121",
    "config     /etc/edgepoll/edgepoll.yaml  2 gateways, 3 devices, 41 points, 9 requests",
    "state      /var/lib/edge poll  stopped cleanly 2026-01-31 12:00:00; 12 slots missed, 1 unknown; 3 schedules",
    "closed     accounts attic@10s; their past is kept",
    "opened     accounts yard@5s, from seq 1 on",
    "broker     mqtt://127.0.0.1:1883  embedded, loopback only",
    "polling    boiler-room 1s 1m  first slot in 0.4s",
    "stopped    yard since 2026-01-31 12:00:00 by mqtt; start it: " +
      "node bin/edgepoll.js start --state-dir '/var/lib/edge poll' --gateway yard",
    "warning    a.yaml:1:1  slow",
    "no effect  http, budget (not in this version)",
    "watch it:",
    "  mosquitto_sub -p 1883 -t 'polling/#' -v",
    "  node bin/edgepoll.js status --state-dir '/var/lib/edge poll'",
  ]);
});

test("a node of which every gateway is stopped says that it polls nothing", () => {
  const report = { ...REPORT, firstSlotIn: null, lastStop: null, closed: [], opened: [] };
  const lines = banner(report, "edgepoll", plain);
  assert.equal(lines[4], "polling    nothing");
  assert.match(lines[2] ?? "", /no clean stop on record/);
});

test("the line that subscribes names host, port and base topic as configured", () => {
  assert.equal(
    subscribing({ port: 2883, url: "mqtt://127.0.0.1:2883" }, { baseTopic: "it's/a" }),
    "  mosquitto_sub -p 2883 -t 'it'\\''s/a/#' -v",
  );
  const embedded = false;
  assert.equal(
    subscribing({ embedded, url: "mqtt://broker.lan", port: 1883 }),
    "  mosquitto_sub -h broker.lan -t 'polling/#' -v",
  );
  assert.equal(
    subscribing({ embedded, url: "mqtt://broker.lan:2883", port: 2883 }),
    "  mosquitto_sub -h broker.lan -p 2883 -t 'polling/#' -v",
  );
  assert.match(subscribing({ url: "mqtt://[::1]:1883" }) ?? "", / -h ::1 /);
  assert.equal(subscribing({ embedded, url: "ws://broker.lan:9001/mqtt", port: 9001 }), undefined);
});
