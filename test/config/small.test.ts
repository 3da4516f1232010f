import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { baseTopicFault, brokerFault, isLoopback } from "../../src/config/broker.ts";
import { parseConnection } from "../../src/config/connection.ts";
import { beyondReferences, parseReference } from "../../src/config/reference.ts";
import { distance, similar } from "../../src/config/similar.ts";
import { typeMeant } from "../../src/config/type-names.ts";
import { parseDuration, parseSize } from "../../src/config/units.ts";

test("a duration is its number times its unit, and nothing else is a duration", () => {
  const units = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, y: 3.1536e10 };
  const unit = fc.constantFrom(...Object.entries(units));
  fc.assert(
    fc.property(fc.nat(), unit, (number, [name, factor]) => {
      assert.equal(parseDuration(`${String(number)}${name}`), number * factor);
    }),
  );
  for (const text of ["", "10", "s", "-1s", "1.5s", "1 s", "1S", "1h30m", "1s\n", "1w", "٣s"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test("sizes count in powers of 1024", () => {
  assert.equal(parseSize("256MiB"), 268_435_456);
  assert.equal(parseSize("1GiB"), 1_073_741_824);
  for (const text of ["256MB", "1", "1B", "1mib"]) assert.equal(parseSize(text), undefined, text);
});

test("a reference is a table and a 1-based number, in five digits or six", () => {
  const tables = { "0": "coil", "1": "discrete", "3": "input", "4": "holding" };
  const table = fc.constantFrom(...Object.entries(tables));
  fc.assert(
    fc.property(table, fc.integer({ min: 0, max: 65_535 }), ([digit, name], address) => {
      const expected = { table: name, address };
      const number = String(address + 1);
      assert.deepEqual(parseReference(digit + number.padStart(5, "0")), expected);
      if (number.length <= 4) {
        assert.deepEqual(parseReference(digit + number.padStart(4, "0")), expected);
      }
    }),
  );
  for (const text of ["40000", "465537", "20001", "4001", "4000001", "0x9C41", "-40001", "4000a"]) {
    assert.equal(parseReference(text), undefined, text);
  }
});

test("a number behind the last reference of a table is told as the address it would be", () => {
  const said = "would be address 65536 of holding; the last is 465536, address 65535";
  assert.equal(beyondReferences("465537"), said);
  assert.match(String(beyondReferences("099999")), /^would be address 99998 of coil;/);
  for (const text of ["465536", "400000", "265537", "4065537", "40000"]) {
    assert.equal(beyondReferences(text), undefined, text);
  }
});

test("the distance of words is a metric, and one for each change", () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      assert.equal(distance(a, a), 0);
      assert.equal(distance(a, b), distance(b, a));
      assert.ok(distance(a, c) <= distance(a, b) + distance(b, c));
      assert.ok(distance(a, b) >= Math.abs(a.length - b.length));
      assert.equal(distance(a, `${a}x`), 1);
    }),
  );
  assert.equal(distance("kitten", "sitting"), 3);
});

test("only near words are meant", () => {
  assert.equal(similar("hots", ["port", "host"]), "host");
  assert.equal(similar("stauts", ["start", "status"]), "status");
  assert.equal(similar("UNITID", ["id", "unitId"]), "unitId");
  assert.equal(similar("colour", ["id", "unitId", "retain"]), undefined);
  assert.equal(similar("xy", ["id"]), undefined);
  assert.equal(similar("x".repeat(100_000), ["id"]), undefined);
});

test("a connection is a host and a port, or a simulated device", () => {
  const tcp = (host: string, port: number, url: string, kind = "tcp") => ({
    connection: { kind, url, host, port },
  });
  assert.deepEqual(parseConnection("tls://plc"), tcp("plc", 802, "tls://plc:802", "tls"));
  assert.deepEqual(
    parseConnection("rtu+tcp://plc"),
    tcp("plc", 502, "rtu+tcp://plc:502", "rtu+tcp"),
  );
  assert.deepEqual(parseConnection("tcp://plc"), tcp("plc", 502, "tcp://plc:502"));
  assert.deepEqual(
    parseConnection("tcp://10.0.0.5:1502"),
    tcp("10.0.0.5", 1502, "tcp://10.0.0.5:1502"),
  );
  assert.deepEqual(
    parseConnection("tcp://[fe80::1]:503"),
    tcp("fe80::1", 503, "tcp://[fe80::1]:503"),
  );
  assert.deepEqual(parseConnection("simulator://energy-meter"), {
    connection: { kind: "simulator", url: "simulator://energy-meter", model: "energy-meter" },
  });
  const wrong = [
    "",
    "tcp://",
    "tcp://a b",
    "tcp://a:0",
    "tcp://a:65536",
    "tcp://a:",
    "tcp://[a]",
    "tcp://a/",
    "tcp://u@a",
    "tcp://1.2.3",
    "simulator://",
    "TCP://a",
  ];
  for (const text of wrong) assert.ok("fault" in parseConnection(text), text);
});

test("a serial line is 19200 8E1 unless its query says otherwise, with two stop bits without parity", () => {
  const line = (text: string) => {
    const parsed = parseConnection(`serial:///dev/serial/by-path/pci-0000:00:14.0-usb-0:1${text}`);
    if ("fault" in parsed || parsed.connection.kind !== "serial") return parsed;
    const { baud, parity, stopBits } = parsed.connection;
    return [baud, parity, stopBits];
  };
  assert.deepEqual(line(""), [19_200, "even", 1]);
  assert.deepEqual(line("?baud=9600&parity=none"), [9600, "none", 2]);
  assert.deepEqual(line("?stop=1&parity=none&data=8&baud=115200"), [115_200, "none", 1]);
  assert.deepEqual(line("?parity=odd&stop=2"), [19_200, "odd", 2]);
  assert.deepEqual(parseConnection("serial:///dev/ttyUSB0?baud=9600"), {
    connection: {
      ...{ kind: "serial", url: "serial:///dev/ttyUSB0?baud=9600&parity=even&stop=1" },
      ...{ path: "/dev/ttyUSB0", baud: 9600, parity: "even", stopBits: 1 },
    },
  });
  for (const query of [
    "?",
    "?baud=9600&",
    "?baud=1e4",
    "?baud= 9600",
    "?Baud=9600",
    "?baud=0x2580",
  ])
    assert.ok("fault" in parseConnection(`serial:///dev/ttyUSB0${query}`), query);
});

test("a broker is embedded, or at a URL without secrets, and never silently in plain text", () => {
  const good = ["embedded", "mqtt://b", "mqtt://b:1884", "mqtt://[::1]:1883", "ws://b:9001/mqtt"];
  for (const text of good) assert.equal(brokerFault(text), undefined, text);
  const wrong = [
    "",
    "b",
    "b:1883",
    "mqtt://",
    "mqtt://u:p@b",
    "mqtt://b/x",
    "mqtt://b?x=1",
    "mqtts://b",
    "wss://b",
    "ws://b:0",
    "ws://b#x",
  ];
  for (const text of wrong) assert.notEqual(brokerFault(text), undefined, text);
});

test("only addresses that no other machine can reach are loopback", () => {
  for (const host of ["127.0.0.1", "127.8.0.1", "::1", "localhost"]) assert.ok(isLoopback(host));
  const others = [
    "0.0.0.0",
    "::",
    "10.0.0.1",
    "127.1",
    "127.0.0.1.evil.example",
    "128.0.0.1",
    "",
    "::ffff:10.0.0.1",
  ];
  for (const host of others) assert.ok(!isLoopback(host), host);
});

test("a base topic has no wildcards and no empty levels", () => {
  for (const topic of ["polling", "polling/plant-a", "Ü/1"])
    assert.equal(baseTopicFault(topic), undefined);
  for (const topic of ["", "/a", "a/", "a//b", "$a", "a/+", "#", "a\0b", "x".repeat(201)]) {
    assert.notEqual(baseTopicFault(topic), undefined, topic);
  }
});

test("a type of another program is known by its name there", () => {
  const meant = [
    "float",
    "double",
    "int",
    "UINT",
    "boolean",
    "word",
    "flaot32",
    "constructor",
    "x",
  ];
  assert.deepEqual(meant.map(typeMeant), [
    ...["float32", "float64", "int16", "uint16", "bool", "uint16", "float32"],
    ...[undefined, undefined],
  ]);
});
