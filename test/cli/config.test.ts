import assert from "node:assert/strict";
import test from "node:test";
import { createPlace } from "./program.ts";

test("config shows the schema, the values in force and one key", async (t) => {
  const { run, config } = await createPlace(t);
  const [schema, show, json, key] = await Promise.all([
    ...[run("config", "schema"), run("config", "show", "--config", config)],
    ...[run("config", "show", "--config", config, "--json")],
    ...[run("config", "explain", "gateways.devices.points.scale")],
  ]);
  const exported: { properties: object } = JSON.parse(schema?.stdout ?? "");
  assert.ok("gateways" in exported.properties);
  assert.match(show?.stdout ?? "", /^gateways\[hall\]\.retries +1 +from defaults\.retries$/m);
  assert.match(
    show?.stdout ?? "",
    /^gateways\[hall\]\.timeout +50ms +half the interval, for hall@100ms$/m,
  );
  const told: { values: { key: string }[] } = JSON.parse(json?.stdout ?? "");
  assert.ok(told.values.some((value) => value.key === "mqtt.embedded.port"));
  assert.match(key?.stdout ?? "", /^gateways\.devices\.points\.scale\nmeaning .*\nvalue +a number/);
});

test("config without a topic, with a wrong one, an unknown key or too much ends with 64", async (t) => {
  const { run } = await createPlace(t);
  const all = await Promise.all([
    ...[run("config"), run("config", "shw"), run("config", "explain", "gateways.intervall")],
    ...[run("config", "show", "gateways"), run("config", "explain"), run("check", "a", "b")],
  ]);
  assert.deepEqual(
    all.map(({ code }) => code),
    [64, 64, 64, 64, 64, 64],
  );
  assert.match(all[1]?.stderr ?? "", /Next: .* config show\n$/);
  assert.match(all[2]?.stderr ?? "", /did you mean gateways\.interval\? Next: /);
});
