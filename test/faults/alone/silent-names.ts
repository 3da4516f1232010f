/** D16, in a network of its own: the only name server takes every question and answers none. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { startField } from "../field.ts";
import { act } from "./ending.ts";

const SILENT = 8;
const SLOTS = 20;

await act(async (context) => {
  const server = createSocket("udp4").bind(53, "127.0.0.1");
  context.after(() => {
    server.close();
  });
  await once(server, "listening");
  const questions: string[] = [];
  server.on("message", (message) => questions.push(nameIn(message)));

  const names = Array.from({ length: SILENT }, (_, n) => `plc-${String(n)}.silent`);
  const field = await startField(
    context,
    { one: {}, two: {}, three: {}, "by-name": { host: "localhost" } },
    { silent: names, broker: "localhost" },
  );
  const ids = ["one", "two", "three", "by-name"];
  const [one] = ids.map((id) => field.gateway(id));
  await one?.next(4);
  // The broker's own name must be found while all these questions are open.
  await field.restartBroker();
  await one?.next(SLOTS);
  const accounts = (await field.ledger()).filter(({ gateway }) => ids.includes(gateway));
  assert.equal(accounts.length, ids.length);
  const entries = accounts.flatMap((account) => account.entries);
  assert.deepEqual(
    entries.filter(({ outcome }) => outcome !== "good"),
    [],
    "no slot is missed, none fails",
  );
  const asked = new Set(questions.filter((name) => name.endsWith(".silent")));
  assert.ok(asked.size > 0, "the name server was asked");
  const slots = String(entries.length);
  return `${String(SILENT)} gateways with names nobody resolves, ${String(asked.size)} of them asked for so far; ${slots} of ${slots} slots of the other four good (one of them known by its name), and the broker, known by its name, was found again after a restart`;
});

/** The name of the first question of a DNS message (RFC 1035 4.1). */
function nameIn(message: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; (message[at] ?? 0) > 0; at += 1 + (message[at] ?? 0)) {
    labels.push(message.toString("latin1", at + 1, at + 1 + (message[at] ?? 0)));
  }
  return labels.join(".");
}
