/** Holds what a rig went through to the promises: reads the disk and the broker as a reader would. */
import { decodeClaim, decodeLedger, decodeSpooled, numberOf } from "../../src/core/records.ts";
import type { LedgerRecord } from "../../src/core/records.ts";
import type { Rig } from "./rig.ts";
import type { Seen } from "./fakes.ts";

/** A message of the readings or gaps topics. */
export interface Told {
  readonly gateway: string;
  readonly device?: string;
  readonly interval: number;
  readonly epoch: number;
  readonly seq?: number;
  readonly from?: number;
  readonly to?: number;
  readonly outcome?: string;
  readonly quality?: string;
  /** ms; null without an answer. */
  readonly rtt?: number | null;
  readonly reason?: string;
}

/** Requests of one schedule by the slot whose claim stood on disk when they came. */
export class Watch {
  readonly #rig: Rig;
  readonly #attempts: number;
  /** Attempts by schedule, epoch and seq. */
  readonly #bySlot = new Map<string, { count: number; life: number }>();
  readonly #lastStart = new Map<string, { time: number; slot: string }>();

  /** `attempts`: most requests of one slot to one endpoint whose schedules have one request each. */
  constructor(rig: Rig, attempts: number) {
    this.#rig = rig;
    this.#attempts = attempts;
  }

  /** `suspended`: ms of suspend that the process has not noticed. */
  request(seen: Seen, schedule: { id: string; interval: number }): void {
    const { id, interval } = schedule;
    const text = this.#rig.disk(`claim/${id}`).get(`claim/${id}`);
    if (text === undefined) {
      this.#rig.broken.push(`${id} was polled before anything was claimed`);
      return;
    }
    const claim = decodeClaim(text);
    const ahead = Math.max(0, Math.ceil((claim.due - seen.at) / interval));
    const slot = `${id}/${String(claim.epoch)}/${String(claim.claimed - ahead)}`;
    const known = this.#bySlot.get(slot) ?? { count: 0, life: seen.life };
    known.count++;
    this.#bySlot.set(slot, known);
    if (known.count > this.#attempts || known.life !== seen.life) {
      const times = `${String(known.count)} times, lives ${String(known.life)} and ${String(seen.life)}`;
      this.#rig.broken.push(`slot ${slot} was asked for ${times}, at ${String(seen.time)}`);
    }
    const last = this.#lastStart.get(id);
    if (last?.slot === slot) return;
    this.#lastStart.set(id, { time: seen.time, slot });
    if (last !== undefined && seen.time - last.time < interval / 2 - 2) {
      const apart = String(seen.time - last.time);
      this.#rig.broken.push(`${last.slot} and ${slot} were polled ${apart} ms apart`);
    }
  }
}

/** Everything that is wrong, empty when nothing is; to be called when no process runs. */
export function faultsOf(rig: Rig): string[] {
  const schedules = new Map<string, LedgerRecord[]>();
  const faults = [...rig.broken];
  for (const [key, value] of rig.disk("outcome/")) {
    const [, schedule = "", epoch = ""] = key.split("/");
    const name = `${schedule}/${String(Number(epoch))}`;
    const records = schedules.get(name) ?? [];
    schedules.set(name, records);
    records.push(decodeLedger(key, value));
  }
  for (const [key, value] of rig.disk("claim/")) {
    const claim = decodeClaim(value);
    const name = `${key.slice("claim/".length)}/${String(claim.epoch)}`;
    const last = schedules.get(name)?.at(-1);
    const end = last === undefined ? 0 : lastOf(last);
    if (end !== claim.claimed && last !== undefined)
      faults.push(`${name}: claimed to ${String(claim.claimed)}, accounted to ${String(end)}`);
  }
  const told = messagesOf(rig, faults);
  for (const [name, records] of schedules) {
    faults.push(...holesOf(name, records), ...untoldOf(name, records, told.get(name) ?? []));
    told.delete(name);
  }
  for (const name of told.keys()) faults.push(`${name}: told, but not in the ledger`);
  faults.push(...disorderOf(rig));
  return faults;
}

/** Every seq from 1 on stands in exactly one record. */
function holesOf(name: string, records: readonly LedgerRecord[]): string[] {
  const faults: string[] = [];
  let next = 1;
  for (const record of records) {
    const first = record.kind === "poll" ? record.seq : record.run.from;
    if (first !== next)
      faults.push(`${name}: record of ${String(first)} where ${String(next)} is due`);
    next = lastOf(record) + 1;
  }
  return faults;
}

/** Every seq that was polled has readings, every one of a run that is told has a gap, and no other. */
function untoldOf(name: string, records: readonly LedgerRecord[], told: readonly Told[]): string[] {
  const faults: string[] = [];
  const read = new Set(told.flatMap(({ seq }) => seq ?? []));
  const gaps = new Map<number, Told>();
  for (const gap of told) {
    if (gap.from === undefined || gap.to === undefined) continue;
    for (let seq = gap.from; seq <= gap.to; seq++) {
      if (gaps.has(seq)) faults.push(`${name}: ${String(seq)} stands in two gaps`);
      gaps.set(seq, gap);
    }
  }
  for (const record of records) {
    faults.push(...leftOutOf(name, record, told));
    const [from, to] =
      record.kind === "poll" ? [record.seq, record.seq] : [record.run.from, record.run.to];
    for (let seq = from; seq <= to; seq++) {
      const gap = gaps.get(seq);
      const isPolled = record.kind === "poll";
      if (isPolled !== read.has(seq))
        faults.push(`${name}: ${String(seq)} ${isPolled ? "has no" : "has a"} reading`);
      if (isPolled ? gap !== undefined : (gap !== undefined) !== seq <= record.run.told)
        faults.push(`${name}: ${String(seq)} ${gap === undefined ? "has no" : "has a"} gap`);
      if (!isPolled && gap !== undefined && gap.reason !== record.run.absence.reason)
        faults.push(`${name}: ${String(seq)} is told as ${String(gap.reason)}`);
    }
  }
  return faults;
}

/** The devices that a record names as left out are those whose reading says so. */
function leftOutOf(name: string, record: LedgerRecord, told: readonly Told[]): string[] {
  if (record.kind !== "poll") return [];
  const { seq, outcome, leftOut = [] } = record;
  const open = told.filter((one) => one.seq === seq && one.reason === "breaker_open");
  const named = open.map(({ device }) => device).join();
  if (named === leftOut.join() && (leftOut.length === 0 || outcome !== "good")) return [];
  return [`${name}: ${String(seq)} is ${outcome} without "${leftOut.join()}", told "${named}"`];
}

/** Readings and gaps by schedule and epoch, as told or waiting on disk; one identity is one text. */
export function messagesOf(rig: Rig, faults: string[]): Map<string, Told[]> {
  const spooled = [...rig.disk("spool/")].map(([, value]) => decodeSpooled(value));
  const sent = rig.broker.delivered.map(({ topic, payload }) => ({
    topic: topic.slice("polling/".length),
    payload,
  }));
  const texts = new Map<string, string>();
  const told = new Map<string, Told[]>();
  for (const { topic, payload } of [...sent, ...spooled]) {
    if (!topic.startsWith("readings/") && !topic.startsWith("gaps/")) continue;
    const text = payload.replace(',"replayed":true}', "}");
    const message = JSON.parse(text) as Told;
    const { gateway, device = "", interval, epoch, seq = 0, from = 0 } = message;
    const identity = [gateway, interval, epoch, device, seq, from].join(" ");
    const before = texts.get(identity);
    if (before !== undefined && before !== text)
      faults.push(`${identity} came as ${before} and as ${text}`);
    if (before !== undefined) continue;
    texts.set(identity, text);
    const name = `${gateway}@${String(interval)}/${String(epoch)}`;
    told.set(name, [...(told.get(name) ?? []), message]);
  }
  return told;
}

/** First deliveries of a schedule come in rising order of epoch and seq. */
function disorderOf(rig: Rig): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  const last = new Map<string, number>();
  for (const { topic, payload } of rig.broker.delivered) {
    if (!topic.startsWith("polling/readings/") && !topic.startsWith("polling/gaps/")) continue;
    const text = payload.replace(',"replayed":true}', "}");
    if (seen.has(text)) continue;
    seen.add(text);
    const { gateway, interval, epoch, seq, from = 0 } = JSON.parse(text) as Told;
    const name = `${gateway}@${String(interval)}`;
    const place = epoch * 1e6 + (seq ?? from);
    if (place < (last.get(name) ?? 0)) faults.push(`${name}: out of order: ${text}`);
    last.set(name, place);
  }
  return faults;
}

function lastOf(record: LedgerRecord): number {
  return record.kind === "poll" ? record.seq : record.run.to;
}

/** Numbers of the spool's messages of a stream. */
export function numbersOf(rig: Rig, stream: string): number[] {
  return [...rig.disk(`spool/${stream}/`).keys()].map(numberOf);
}
