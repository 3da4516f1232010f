/** What the slave saw: each planned request of a slot at most once, and each value from its own request. */
import { keyOf, type Message, type Told } from "./history-told.ts";
import type { History, WireRequest } from "./history.ts";

/** ms by which a timer may be early, and the slave late; far below half an interval. */
const SLACK = 40;

/** The slave's story. */
export interface Served {
  readonly violations: readonly string[];
  /** Slots of which a planned request was sent more than once. */
  readonly twice: number;
  /** Whether something was sent in a slot. */
  has(gateway: string, epoch: number, seq: number): boolean;
  /** The last seq in which something was sent, 0 when nothing was. */
  lastOf(gateway: string, epoch: number): number;
}

interface Placed extends WireRequest {
  readonly epoch: number;
  readonly seq: number;
}

/** Assigns each request to the slot it was sent in, and compares. */
export function followRequests(history: History, told: Told): Served {
  const violations: string[] = [];
  const grids = new Map<string, Message[]>();
  for (const message of told.messages) {
    const { gateway } = message;
    const own = grids.get(gateway);
    if (own === undefined) grids.set(gateway, [message]);
    else own.push(message);
  }
  const placed = history.requests.map((request) => {
    return place(request, grids.get(request.gateway) ?? [], intervalOf(history, request));
  });
  const sent = new Map<string, Placed[]>();
  const last = new Map<string, number>();
  for (const request of placed) {
    const { gateway, epoch, seq } = request;
    const slot = keyOf(gateway, epoch, seq);
    sent.set(slot, [...(sent.get(slot) ?? []), request]);
    const schedule = keyOf(gateway, epoch, 0);
    last.set(schedule, Math.max(last.get(schedule) ?? 0, seq));
  }
  let twice = 0;
  for (const [slot, requests] of sent) {
    if (new Set(requests.map(({ fc }) => fc)).size === requests.length) continue;
    twice += 1;
    violations.push(`I1 ${slot} was sent twice: ${requests.map(nameOf).join(", ")}`);
  }
  violations.push(...tooClose(placed, history), ...wrongOwners(placed, told));
  return {
    violations,
    twice,
    has: (gateway, epoch, seq) => sent.has(keyOf(gateway, epoch, seq)),
    lastOf: (gateway, epoch) => last.get(keyOf(gateway, epoch, 0)) ?? 0,
  };
}

/** The slot on whose time a request falls, on the grid that the gateway's messages show. */
function place(request: WireRequest, own: readonly Message[], interval: number): Placed {
  const anchor = own.findLast(({ slot }) => slot <= request.at + SLACK) ?? own[0];
  if (anchor === undefined) return { ...request, epoch: 0, seq: 0 };
  const steps = Math.floor((request.at + SLACK - anchor.slot) / interval);
  return { ...request, epoch: anchor.epoch, seq: anchor.from + steps };
}

/** Polls of one gateway that began less than half an interval after the one before. */
function tooClose(placed: readonly Placed[], history: History): string[] {
  const violations: string[] = [];
  const before = new Map<string, Placed>();
  for (const request of placed.toSorted((a, b) => a.at - b.at)) {
    const earlier = before.get(request.gateway);
    const isSameSlot = earlier?.epoch === request.epoch && earlier.seq === request.seq;
    if (earlier !== undefined && isSameSlot) continue;
    before.set(request.gateway, request);
    const least = intervalOf(history, request) / 2 - SLACK;
    if (earlier === undefined || request.at - earlier.at >= least) continue;
    violations.push(`I2 ${nameOf(earlier)} and ${nameOf(request)} are too close`);
  }
  return violations;
}

/** Readings with a serial number that no request of their slot got, or that another reading has too. */
function wrongOwners(placed: readonly Placed[], told: Told): string[] {
  const violations: string[] = [];
  const byAnswer = new Map(placed.map((request) => [answerOf(request, request.fc), request]));
  const used = new Map<string, Message>();
  for (const message of told.messages) {
    for (const [fc, serial] of message.serials) {
      const answer = answerOf({ gateway: message.gateway, serial }, fc);
      const name = keyOf(message.gateway, message.epoch, message.from);
      const request = byAnswer.get(answer);
      if (request === undefined) {
        violations.push(`I4 ${name} holds serial ${String(serial)}, which was never sent`);
      } else if (request.seq !== message.from || request.epoch !== message.epoch) {
        violations.push(`I4 ${name} holds the answer to ${nameOf(request)}`);
      }
      if (used.has(answer)) violations.push(`I4 ${name} holds serial ${String(serial)} again`);
      used.set(answer, message);
    }
  }
  return violations;
}

function intervalOf({ intervals }: History, { gateway }: WireRequest): number {
  const interval = intervals.get(gateway);
  if (interval === undefined) throw new Error(`a request of ${gateway}, which is unknown`);
  return interval;
}

function answerOf({ gateway, serial }: { gateway: string; serial: number }, fc: number): string {
  return `${gateway} ${String(fc)} ${String(serial)}`;
}

function nameOf({ gateway, seq, fc, serial, at }: Placed): string {
  return `${gateway} seq ${String(seq)} fc ${String(fc)} serial ${String(serial)} at ${at.toFixed(0)}`;
}
