/** The pure rules of an audit. */
import assert from "node:assert/strict";
import test from "node:test";
import { arrangeFindings, AUDIT_KINDS } from "../../src/core/audit.ts";
import { cronJobs } from "../../src/core/crontab.ts";
import { machineFindings, type MachineLook, type SeenUnit } from "../../src/core/machine.ts";
import { nodeStartOf, pollerOf } from "../../src/core/pollers.ts";
import { retainedTopicOf, retainedVerdict } from "../../src/core/retained-topics.ts";
import { remoteKeys, tcpConnections } from "../../src/core/tcp-table.ts";
import { topicsOf } from "../../src/core/topics.ts";
import { unitFacts } from "../../src/core/unit-file.ts";

test("findings stand in the order in which they need action, and have an end", () => {
  const finding = (kind: (typeof AUDIT_KINDS)[number], n = 0) => {
    return { kind, where: String(n), text: "", next: "" };
  };
  const mixed = AUDIT_KINDS.map((kind) => finding(kind)).toReversed();
  const { findings, more } = arrangeFindings(mixed);
  assert.deepEqual(
    findings.map(({ kind }) => kind),
    [...AUDIT_KINDS],
  );
  assert.equal(more, 0);
  const many = Array.from({ length: 130 }, (_, i) => finding("stale-socket", i));
  const cut = arrangeFindings([...many, finding("other-master")]);
  assert.deepEqual(
    [cut.findings[0]?.kind, cut.findings.length, cut.more],
    ["other-master", 100, 31],
  );
});

// Rows as a kernel wrote them: 127.0.0.1, a mapped address, ::1, and one that only listens.
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
   1: 0100007F:D431 0100007F:01F6 01 00000000:00000000 02:000000AB 00000000  1000        0 101 2 0 20 4 30 10 -1
   2: 0100007F:D432 0500000A:01F6 06 00000000:00000000 02:000000AB 00000000  1000        0 0 2 0 20 4 30 10 -1
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:D431 0000000000000000FFFF00000500000A:01F6 02 00000000:00000000 02:000000AB 00000000   33        0 102 2 0 20 4 30 10 -1
   1: 00000000000000000000000001000000:D431 00000000000000000000000001000000:01F6 01 00000000:00000000 02:000000AB 00000000   33        0 103 2 0 20 4 30 10 -1
`;

test("open connections are read from the kernel's tables and matched by address and port", () => {
  const at = (address: string, text: string) => {
    const wanted = remoteKeys(address, 502, "LE");
    return tcpConnections(text).filter(({ remote }) => wanted.includes(remote));
  };
  assert.deepEqual(at("127.0.0.1", TCP), [{ remote: "0100007F:01F6", uid: 1000, inode: "101" }]);
  assert.deepEqual(at("10.0.0.5", TCP), [], "one that has ended");
  assert.deepEqual(
    at("10.0.0.5", TCP6).map(({ inode }) => inode),
    ["102"],
  );
  assert.deepEqual(
    at("::1", TCP6).map(({ inode }) => inode),
    ["103"],
  );
  assert.deepEqual(remoteKeys("2001:db8::a:b", 802, "LE"), [
    "B80D01200000000000000000" + "0B000A00:0322",
  ]);
  assert.deepEqual(remoteKeys("plc.example", 502, "LE"), []);
  assert.deepEqual(remoteKeys("127.0.0.1", 502, "BE"), [
    ...["7F000001:01F6", "00000000000000000000FFFF7F000001:01F6"],
  ]);
});

test("known pollers are known by their command lines, and what only looks like one is not", () => {
  const named: Readonly<Record<string, string | undefined>> = {
    "/usr/bin/mbpoll -m rtu /dev/ttyUSB0": "mbpoll",
    "mbusd -p /dev/ttyUSB0": "mbusd",
    "node /usr/lib/node_modules/modbus2mqtt/dist/modbus2mqtt.js": "modbus2mqtt",
    "docker run --rm ghcr.io/x/modbus2mqtt:latest": "modbus2mqtt",
    "/opt/modpoll/modpoll -b 9600": "modpoll",
    "telegraf --config /etc/telegraf/telegraf.conf": "telegraf",
    "/usr/bin/env node-red-pi --max-old-space-size=128": "Node-RED",
    "php /var/www/polling/artisan queue:work --queue=polling":
      "a queue worker of the earlier polling system",
    "php artisan schedule:run": "a queue worker of the earlier polling system",
    "python3 /opt/read_modbus.py": "a program that is named after Modbus",
    "php artisan migrate": undefined,
    "/usr/bin/vi /etc/telegraf-notes": undefined,
    "/usr/bin/edgepoll start --config /etc/modbus.yaml": undefined,
  };
  for (const [command, name] of Object.entries(named))
    assert.equal(pollerOf(command)?.name, name, command);
});

test("a start of edgepoll is told from its other commands, with what node it is", () => {
  assert.deepEqual(nodeStartOf("/usr/bin/edgepoll start --node --config=/etc/a.yaml"), {
    config: "/etc/a.yaml",
  });
  assert.deepEqual(nodeStartOf("node /opt/bin/edgepoll.js start --state-dir '/var/a'"), {
    stateDir: "/var/a",
  });
  assert.equal(nodeStartOf("edgepoll status --check"), undefined);
  assert.equal(nodeStartOf("systemctl start edgepoll"), undefined);
});

test("jobs of cron are read with their lines, of the system with their users", () => {
  const system = [
    "# m h dom mon dow user command",
    "SHELL=/bin/sh",
    "*/5 * * * * root /usr/bin/edgepoll start",
    "@reboot pi mbpoll -1 10.0.0.5",
    "0 0 1 jan mon-fri pi echo",
    "not a line",
  ].join("\n");
  assert.deepEqual(cronJobs(system, true), [
    { line: 3, user: "root", command: "/usr/bin/edgepoll start" },
    { line: 4, user: "pi", command: "mbpoll -1 10.0.0.5" },
    { line: 5, user: "pi", command: "echo" },
  ]);
  assert.deepEqual(cronJobs("* * * * * mbpoll -1 10.0.0.5", false), [
    { line: 1, command: "mbpoll -1 10.0.0.5" },
  ]);
});

test("a unit is what its file and its drop-ins say together", () => {
  const file =
    "[Service]\nUser=pi\nExecStart=-/usr/bin/old\nExecStart=/usr/bin/a \\\n  --config %i.yaml\n";
  assert.deepEqual(unitFacts([file], "x").commands, [
    "/usr/bin/old",
    "/usr/bin/a  --config x.yaml",
  ]);
  const dropIn = "[Service]\nExecStart=\nExecStart=/usr/bin/b\nEnvironment=A=1\n";
  assert.deepEqual(unitFacts([file, dropIn], ""), {
    commands: ["/usr/bin/b"],
    environment: ["A=1"],
    user: "pi",
  });
  assert.equal(unitFacts(["[Timer]\nUnit=x.service\n"], "").starts, "x.service");
});

const EMPTY: MachineLook = { holders: [], jobs: [], units: [], harmless: [], unseen: [] };
const unit = (name: string, command: string, more: Partial<SeenUnit> = {}): SeenUnit => {
  const file = `/etc/systemd/system/${name}`;
  const enabled = { manager: "system", enabledBy: "multi-user.target" };
  return { name, file, ...enabled, commands: [command], environment: [], ...more };
};
const toldOf = (look: Partial<MachineLook>) =>
  machineFindings({ ...EMPTY, ...look }).map(({ kind, where, next }) => [kind, where, next]);

test("the unit that starts this node is no finding; a second one for the same is", () => {
  const own = unit("edgepoll.service", "/usr/bin/edgepoll start --node --config /etc/a.yaml");
  const other = unit("plant-b.service", "/usr/bin/edgepoll start --node --config /etc/b.yaml");
  assert.deepEqual(toldOf({ units: [own, other] }), []);
  const again = unit("poll.service", "/usr/bin/edgepoll start --node", {
    manager: "pi",
    environment: ["EDGEPOLL_CONFIG=/etc/a.yaml"],
  });
  assert.deepEqual(toldOf({ units: [own, other, again] }), [
    [
      "enabled-twice",
      "edgepoll.service (of the system), poll.service (of user pi)",
      "systemctl --user disable --now poll.service",
    ],
  ]);
});

test("units and jobs of known pollers are named with the line that ends them, unless they are harmless", () => {
  const telegraf = unit("telegraf.service", "/usr/bin/telegraf");
  const timed = unit("read.service", "mbpoll -1 10.0.0.5", { enabledBy: "read.timer" });
  const job = { file: "/etc/cron.d/poll", line: 3, user: "root", command: "edgepoll start" };
  const own = { file: "/var/spool/cron/crontabs/pi", line: 1, user: "pi", command: "mbusd -d" };
  const monitor = { ...job, command: "edgepoll status --check" };
  assert.deepEqual(toldOf({ units: [telegraf, timed], jobs: [job, own, monitor] }), [
    ["poller-unit", telegraf.file, "sudo systemctl disable --now telegraf.service"],
    ["poller-unit", timed.file, "sudo systemctl disable --now read.timer"],
    ["poller-cron", "/etc/cron.d/poll:3", "sudoedit /etc/cron.d/poll"],
    ["poller-cron", "/var/spool/cron/crontabs/pi:1", "sudo crontab -u pi -e"],
  ]);
  assert.deepEqual(toldOf({ units: [telegraf], harmless: ["telegraf"] }), []);
});

test("a password on a command line is not repeated", () => {
  const command = "mbpoll-mqtt modbus --password hunter2 -P hunter2 mqtt://u:hunter2@host";
  const [finding] = machineFindings({ ...EMPTY, units: [unit("x.service", command)] });
  assert.doesNotMatch(finding?.text ?? "", /hunter2/);
  assert.match(finding?.text ?? "", /--password \*\*\* -P \*\*\* mqtt:\/\/u:\*\*\*@host/);
});

const topics = topicsOf("polling");
const INFO = { node: "a", version: "0", started: 5, pid: 7, clientId: "edgepoll-a-1" };
const owner = {
  ...{ node: "a", clientId: "edgepoll-a-1", started: 5 },
  broker: { kind: "external", url: "mqtt://broker.plant:1884" } as const,
  own: new Set([topics.nodeInfo, topics.nodeState, topics.health("g")]),
};
function verdictOf(messages: Readonly<Record<string, unknown>>, of: object = owner) {
  const found = Object.entries(messages).map(([topic, payload]) =>
    retainedTopicOf(topic, typeof payload === "string" ? payload : JSON.stringify(payload)),
  );
  const all = { ...owner, ...of };
  const { findings, gone } = retainedVerdict({ topics: found, unseen: [] }, topics, all);
  return { kinds: findings.map(({ kind }) => kind), gone, text: findings[0]?.text ?? "" };
}

test("what the node retains itself is no finding; what belongs to nothing is gone", () => {
  const own = { "polling/node/info": INFO, "polling/health/g": { node: "a" } };
  assert.deepEqual(verdictOf(own).kinds, []);
  const left = {
    ...own,
    "polling/health/old": { node: "a" },
    "polling/availability/old": "online",
  };
  assert.deepEqual(verdictOf(left).gone, ["polling/health/old", "polling/availability/old"]);
});

test("another node is known by who it says it is, and what may be its own stays", () => {
  const others = [
    { ...INFO, node: "b" },
    { ...INFO, clientId: "edgepoll-a-2" },
    { ...INFO, started: 6 },
  ];
  for (const info of others) {
    const { kinds, gone, text } = verdictOf({
      "polling/node/info": info,
      "polling/availability/theirs": "online",
      "polling/meta/old": { node: "a" },
    });
    assert.deepEqual(kinds, ["other-node", "retained-topic"]);
    assert.deepEqual(gone, ["polling/meta/old"]);
    assert.match(text, /give each node its own mqtt\.baseTopic, such as polling\/a/);
  }
  const meta = verdictOf({ "polling/node/info": INFO, "polling/meta/theirs": { node: "b" } });
  assert.deepEqual(meta.kinds, ["other-node"]);
  assert.match(
    meta.text,
    /^node b publishes.*mosquitto_pub -h broker\.plant -p 1884 -r -n -t polling\/meta\/theirs$/,
  );
  for (const [broker, address] of [
    [{ kind: "embedded", host: "127.0.0.1", port: 1999 }, "-h 127.0.0.1 -p 1999"],
    [{ kind: "external", url: "mqtt://[::1]" }, "-h ::1 -p 1883"],
  ] as const) {
    const { text } = verdictOf({ "polling/meta/theirs": { node: "b" } }, { broker });
    assert.ok(text.includes(`mosquitto_pub ${address} -r`), text);
  }
});

test("without a node the past is no other node, unless the broker has it as online", () => {
  const past = { ...owner, started: undefined };
  const info = { "polling/node/info": { ...INFO, started: 1 } };
  assert.deepEqual(verdictOf({ ...info, "polling/node/state": "offline" }, past).kinds, []);
  assert.deepEqual(verdictOf({ ...info, "polling/node/state": "online" }, past).kinds, [
    "other-node",
  ]);
});
