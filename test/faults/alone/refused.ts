/** D1, in a network of its own: whoever listens to the wire there sees every connect, and nothing else. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PYTHON } from "../../modbus/rig.ts";
import { startField } from "../field.ts";
import { act } from "./ending.ts";

/** Prints port and time (the kernel's, ms) of every TCP segment that opens a connection. */
const WATCH = `
import socket, struct
SO_TIMESTAMPNS = 35
wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
print("listening", flush=True)
while True:
    packet, [(_, _, stamp)], _, _ = wire.recvmsg(128, 64)
    tcp = packet[4 * (packet[0] & 15):]
    if packet[9] == 6 and tcp[13] & 0x12 == 0x02:
        seconds, ns = struct.unpack("qq", stamp)
        print(struct.unpack(">H", tcp[2:4])[0], seconds * 1e3 + ns / 1e6, flush=True)
`;
const INTERVAL = 100;
const CONNECTS = 8;
/** Back-off begins with this (ms) and doubles, up to half of a second: the larger of interval and 1 s, less the jitter. */
const FIRST_WAIT = 100;
const LONGEST_LEAST = 500;

await act(async (context) => {
  const watch = spawn(PYTHON, ["-c", WATCH], { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => watch.kill("SIGKILL"));
  const lines = createInterface({ input: watch.stdout });
  await once(lines, "line");
  const field = await startField(context, {
    closed: { interval: INTERVAL, timeout: 50, retries: 3, unplaced: true },
  });
  const gateway = field.gateway("closed");
  const from = Date.now();
  const connects: number[] = [];
  let enough: () => void = () => undefined;
  const seen = new Promise<void>((resolve) => (enough = resolve));
  lines.on("line", (line) => {
    const [port, at] = line.split(" ").map(Number);
    if (port !== gateway.port || at === undefined || at < from) return;
    connects.push(at);
    if (connects.length === CONNECTS) enough();
  });
  await gateway.fault({ kind: "refuse" });
  await seen;
  const readings = (await gateway.next(2)).map(
    ({ quality, reason }) => `${quality} ${reason ?? ""}`,
  );
  assert.deepEqual(readings, Array(2).fill("bad connect_failed"));
  const waits = connects.slice(1, CONNECTS).map((at, n) => at - (connects[n] ?? 0));
  const least = waits.map((_, n) => Math.min(LONGEST_LEAST, FIRST_WAIT * 2 ** n));
  const words = waits.map((wait) => String(Math.round(wait))).join(", ");
  assert.ok(
    waits.every((wait, n) => wait >= (least[n] ?? Infinity)),
    `waits of ${words} ms`,
  );
  const back = await gateway.recovers();
  return `${String(CONNECTS)} connects seen on the wire, ${words} ms apart, with 3 requests a slot and 3 retries each; ${back}`;
});
