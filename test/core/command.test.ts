import assert from "node:assert/strict";
import { test } from "node:test";
import { commandOf, fieldsOf, Refused, verbOf } from "../../src/core/command.ts";
import { responseTopicFault, topicsOf } from "../../src/core/topics.ts";

/** The command of a payload, or the code and the message with which it is refused. */
function read(verb: string, payload: string): unknown {
  try {
    return commandOf(verbOf(verb), fieldsOf(payload));
  } catch (error) {
    assert.ok(error instanceof Refused, String(error));
    return error.code;
  }
}

const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
const longest = "x".repeat(128);

const TABLE: readonly [verb: string, payload: string, expected: unknown][] = [
  ["stop", "boiler-room", { verb: "stop", gateways: ["boiler-room"] }],
  ["stop", "  boiler-room\n", { verb: "stop", gateways: ["boiler-room"] }],
  ["stop", "1", { verb: "stop", gateways: ["1"] }],
  ["stop", "true", { verb: "stop", gateways: ["true"] }],
  ["start", '{"gateway":"*"}', { verb: "start", gateways: "*" }],
  ["start", '{"gateway":["b","a","b"]}', { verb: "start", gateways: ["b", "a"] }],
  ["status", "{}", { verb: "status", gateways: "*" }],
  [
    "stop",
    `{"gateway":"a","transaction":"${longest}","expiresAt":12.5}`,
    { verb: "stop", gateways: ["a"], transaction: longest, expiresAt: 12.5 },
  ],
  ["stop", "", "malformed"],
  ["stop", " \n", "malformed"],
  ["status", "", "malformed"],
  ["stop", "*", "malformed"],
  ["stop", "Boiler Room", "malformed"],
  ["stop", "null", { verb: "stop", gateways: ["null"] }],
  ["stop", '"a"', "malformed"],
  ["stop", '["a"]', "malformed"],
  ["stop", "{", "malformed"],
  ["stop", deep, "malformed"],
  ["stop", `{"gateway":${deep}}`, "malformed"],
  ["stop", "{}", "gateway_required"],
  ["start", "{}", "gateway_required"],
  ["stop", '{"gateway":null}', "malformed"],
  ["stop", '{"gateway":""}', "malformed"],
  ["stop", '{"gateway":[]}', "malformed"],
  ["stop", '{"gateway":["*"]}', "malformed"],
  ["stop", '{"gateway":["a",1]}', "malformed"],
  ["stop", '{"gateway":{"a":1}}', "malformed"],
  ["stop", '{"gateway":"a/b"}', "malformed"],
  ["stop", '{"gateway":"a","transaction":""}', "malformed"],
  ["stop", '{"gateway":"a","transaction":7}', "malformed"],
  ["stop", '{"gateway":"a","transaction":null}', "malformed"],
  ["stop", `{"gateway":"a","transaction":"${longest}x"}`, "malformed"],
  ["stop", '{"gateway":"a","expiresAt":"1"}', "malformed"],
  ["stop", '{"gateway":"a","expiresAt":1e999}', "malformed"],
  ["stop", '{"gateway":"a","expiresAt":null}', "malformed"],
  ["stop", '{"gateway":"a","device":"b"}', "unknown_key"],
  ["stop", '{"gateway":"a","__proto__":{"x":1}}', "unknown_key"],
  ["stop", '{"__proto__":{"gateway":"a"}}', "unknown_key"],
  ["stop", '{"gateway":"__proto__"}', "malformed"],
  ["stop", '{"gateway":"a","constructor":1}', "unknown_key"],
  ["enable", "boiler-room", { verb: "enable", gateways: ["boiler-room"] }],
  [
    "enable",
    '{"gateway":"*","device":["x","y","x"]}',
    { verb: "enable", gateways: "*", devices: ["x", "y"] },
  ],
  ["enable", '{"gateway":"a","device":"x"}', { verb: "enable", gateways: ["a"], devices: ["x"] }],
  ["enable", '{"device":"x"}', "gateway_required"],
  ["enable", '{"gateway":"a","device":"*"}', "malformed"],
  ["enable", '{"gateway":"a","device":[1]}', "malformed"],
  ["enable", '{"gateway":"a","forget":1}', "malformed"],
  ["stop", '{"gateway":"a","forget":true}', "unknown_key"],
  ["poll", '{"gateway":"a"}', "not_supported"],
  ["stopp", '{"gateway":"a"}', "unknown_verb"],
  ["constructor", '{"gateway":"a"}', "unknown_verb"],
];

for (const [verb, payload, expected] of TABLE) {
  const shown = payload.length > 60 ? `${payload.slice(0, 57)}...` : payload;
  const outcome = typeof expected === "string" ? `refused as ${expected}` : "taken";
  test(`${verb} with ${JSON.stringify(shown)} is ${outcome}`, () => {
    assert.deepEqual(read(verb, payload), expected);
  });
}

test("a response topic must be one to which a message can go, and no topic of the node itself", () => {
  const topics = topicsOf("site/polling");
  for (const topic of ["", "a/+", "#", "a/#", "$SYS/x", "$share/g/a", "a\0", "site/polling"]) {
    assert.notEqual(responseTopicFault(topics, topic), undefined, topic);
  }
  for (const topic of [
    "site/polling/cmd/stop",
    "site/polling/readings/a/b",
    "site/polling/reply",
  ]) {
    assert.notEqual(responseTopicFault(topics, topic), undefined, topic);
  }
  for (const topic of ["site/polling/reply/x", "site/pollingx", "site", "answers/7"]) {
    assert.equal(responseTopicFault(topics, topic), undefined, topic);
  }
});

test("a verb is the one level below cmd", () => {
  const topics = topicsOf("polling");
  assert.equal(topics.verbOf("polling/cmd/stop"), "stop");
  assert.equal(topics.verbOf("polling/cmd/stop/x"), undefined);
  assert.equal(topics.verbOf("polling/cmd/"), undefined);
  assert.equal(topics.verbOf("other/cmd/stop"), undefined);
});
