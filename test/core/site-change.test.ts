import assert from "node:assert/strict";
import { test } from "node:test";
import type { BrokerConfig } from "../../src/core/model.ts";
import { siteChange } from "../../src/core/site-change.ts";
import { siteOf } from "../engine/rig.ts";

function restartFor(before: BrokerConfig, after: BrokerConfig): readonly string[] {
  const site = siteOf({ gateways: [] });
  return siteChange({ ...site, broker: before }, { ...site, broker: after }).restart;
}

test("what of a broker holds only after a restart is named by its own key", () => {
  const embedded = { kind: "embedded", host: "127.0.0.1", port: 1883 } as const;
  const external = { kind: "external", url: "mqtt://one", username: "a", password: "b" } as const;
  assert.deepEqual(restartFor(embedded, { ...embedded }), []);
  assert.deepEqual(restartFor(embedded, { ...embedded, port: 1884 }), ["mqtt.embedded.port"]);
  assert.deepEqual(restartFor(embedded, { ...embedded, host: "::1" }), ["mqtt.embedded.host"]);
  assert.deepEqual(restartFor(external, { ...external, url: "mqtt://two" }), ["mqtt.broker"]);
  assert.deepEqual(restartFor(external, { ...external, username: "c", password: "d" }), [
    ...["mqtt.username", "mqtt.password"],
  ]);
  assert.deepEqual(restartFor(embedded, external), ["mqtt.broker"]);
});
