/** D1, in a network of its own: the kernel counts the connects that were refused. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { startField } from "../field.ts";
import { act } from "./ending.ts";

/** Connects that failed since the network was made (RFC 4022 `tcpAttemptFails`). */
function attemptFails(): number {
  const [names = "", values = ""] = readFileSync("/proc/net/snmp", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"));
  return Number(values.split(" ")[names.split(" ").indexOf("AttemptFails")]);
}

await act(async (context) => {
  const field = await startField(context, { closed: { retries: 3, unplaced: true } });
  const gateway = field.gateway("closed");
  await gateway.fault({ kind: "refuse" });
  const [first] = await gateway.next(1);
  const before = attemptFails();
  const readings = await gateway.next(8);
  const refused = attemptFails() - before;
  const slots = (readings.at(-1)?.seq ?? 0) - (first?.seq ?? 0);
  for (const { quality, reason } of readings) {
    assert.deepEqual([quality, reason], ["bad", "connect_failed"]);
  }
  assert.ok(refused > 0 && refused <= slots, `${String(refused)} in ${String(slots)} slots`);
  const back = await gateway.recovers();
  return `${String(refused)} connects refused in ${String(slots)} slots with 3 requests and 3 retries each, all bad (connect_failed); ${back}`;
});
