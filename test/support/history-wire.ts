/**
 * What the slave saw: at most one poll a slot, no two polls close together, and each value from its own
 * request. Values carry serial numbers, so most polls are known by their readings. A poll without a
 * reading must be explained by a slot of its own, between its neighbours, that may have been sent.
 */
import { slotsOf, type SeenSlot } from "./history-slots.ts";
import { keyOf, type Told } from "./history-told.ts";
import type { History, Violation, WireRequest } from "./history.ts";

/** ms by which a timer may be early, and clocks of two processes apart. */
const SLACK = 40;
/** ms that a request may take from the decision to send it to the slave: a connect, and a machine that is busy. */
const ON_THE_WAY = 1000;
/** Function code of the first request of a plan. */
const FIRST = 3;

/** The slave's story. */
export interface Served {
  readonly violations: readonly Violation[];
  /** Polls for which there is no slot that they may be of. */
  readonly twice: number;
  /** All slots of each gateway, in order. */
  readonly slots: ReadonlyMap<string, readonly SeenSlot[]>;
  /** The polls that have a slot. */
  readonly polls: ReadonlyMap<SeenSlot, WirePoll>;
}

/** The requests of one poll as the slave saw them. */
export interface WirePoll {
  readonly gateway: string;
  readonly requests: readonly WireRequest[];
  /** Wall time of the first of them, ms. */
  readonly at: number;
  /** From when on that one may have waited for the slave to look. */
  readonly since: number;
}

/** Assigns each poll to its slot, and compares. */
export function followRequests(history: History, told: Told): Served {
  const violations: Violation[] = [];
  const polls = new Map<SeenSlot, WirePoll>();
  const strangers = [...new Set(history.requests.map(({ gateway }) => gateway))];
  const unknown = strangers.find((gateway) => !history.intervals.has(gateway));
  if (unknown !== undefined) throw new Error(`a request of ${unknown}, which is unknown`);
  let twice = 0;
  const all = slotsOf(history, told.messages);
  for (const [gateway, slots] of all) {
    const interval = history.intervals.get(gateway) ?? 0;
    const sent = pollsIn(history.requests.filter((request) => request.gateway === gateway));
    const owners = ownersOf(sent, slots);
    const placed = new Placement(slots, sent, owners.slots, interval);
    violations.push(...owners.violations, ...placed.violations);
    violations.push(...tooClose(placed.polls, interval));
    twice += placed.twice;
    for (const [slot, poll] of placed.polls) polls.set(slot, poll);
  }
  return { violations, twice, slots: all, polls };
}

/**
 * Requests by poll: a plan begins with its first request and holds no register of a table twice. It may
 * hold a function code twice: a device that refuses a request is asked for it in parts.
 */
function pollsIn(requests: readonly WireRequest[]): WirePoll[] {
  const polls: (WirePoll & { requests: WireRequest[] })[] = [];
  for (const request of requests.toSorted((a, b) => a.at - b.at)) {
    const last = polls.at(-1);
    const isFirst = request.fc === FIRST && (request.address ?? 0) === 0;
    const isNew = isFirst || last?.requests.some((other) => overlaps(request, other));
    if (last === undefined || isNew === true) {
      const { gateway, at, lag = 0 } = request;
      polls.push({ gateway, requests: [request], at, since: at - lag });
    } else last.requests.push(request);
  }
  return polls;
}

/** The slots of polls whose answers stand in a reading; a value of another slot's poll is a violation. */
function ownersOf(
  polls: readonly WirePoll[],
  slots: readonly SeenSlot[],
): { slots: Map<WirePoll, SeenSlot>; violations: Violation[] } {
  const violations: Violation[] = [];
  const owners = new Map<WirePoll, SeenSlot>();
  const byAnswer = new Map(polls.flatMap((poll) => answersOf(poll).map((name) => [name, poll])));
  const used = new Set<string>();
  for (const slot of slots) {
    for (const [fc, serial] of slot.message?.serials ?? []) {
      const answer = `${String(fc)} ${String(serial)}`;
      const wrong = wrongOwner(slot, byAnswer.get(answer), owners);
      if (wrong !== undefined) violations.push(objection("I4", slot, wrong(serial)));
      if (used.has(answer)) {
        violations.push(objection("I4", slot, `holds serial ${String(serial)} again`));
      }
      used.add(answer);
      const poll = byAnswer.get(answer);
      if (poll !== undefined && wrong === undefined) owners.set(poll, slot);
    }
  }
  return { slots: owners, violations };
}

/** What is wrong with a value of a poll in the reading of a slot. */
function wrongOwner(
  slot: SeenSlot,
  poll: WirePoll | undefined,
  owners: ReadonlyMap<WirePoll, SeenSlot>,
): ((serial: number) => string) | undefined {
  if (poll === undefined) return (serial) => `holds serial ${String(serial)}, which was never sent`;
  const owner = owners.get(poll);
  if (owner !== undefined && owner !== slot) return () => `holds the answer to ${slotName(owner)}`;
  const before = (slot.due ?? -Infinity) - SLACK - poll.at;
  if (before <= 0) return undefined;
  return () => `holds the answer to a request of ${before.toFixed(0)} ms before it was due`;
}

/** Which poll was of which slot. */
class Placement {
  readonly polls = new Map<SeenSlot, WirePoll>();
  readonly violations: Violation[] = [];
  twice = 0;
  readonly #slots: readonly SeenSlot[];
  readonly #interval: number;

  constructor(
    slots: readonly SeenSlot[],
    sent: readonly WirePoll[],
    owners: ReadonlyMap<WirePoll, SeenSlot>,
    interval: number,
  ) {
    this.#slots = slots;
    this.#interval = interval;
    const places = new Map(slots.map((slot, place) => [slot, place]));
    const known = sent.map((poll) => places.get(owners.get(poll) ?? NOWHERE));
    const ends = endsOf(known, slots.length);
    let last = -1;
    sent.forEach((poll, n) => {
      const place = known[n] ?? this.#explained(poll, last + 1, ends[n] ?? 0);
      if (place === undefined) this.#unexplained(poll);
      else this.#settle(poll, place);
      last = Math.max(last, place ?? last);
    });
  }

  #settle(poll: WirePoll, place: number): void {
    const slot = this.#slots[place];
    if (slot === undefined) return;
    this.polls.set(slot, poll);
    const late = poll.since - (slot.due ?? poll.since) - graceOf(this.#interval);
    if (late <= ON_THE_WAY) return;
    const text = `was sent ${late.toFixed(0)} ms after the end of its grace`;
    this.violations.push(objection("I2", slot, text));
  }

  /** The first slot between two neighbours that a poll without a reading may have been of. */
  #explained(poll: WirePoll, from: number, end: number): number | undefined {
    const least = poll.since - graceOf(this.#interval) - ON_THE_WAY;
    for (let place = from; place < end; place += 1) {
      const slot = this.#slots[place];
      const { due = poll.at } = slot ?? {};
      if (slot !== undefined && mayBeSent(slot) && due >= least && due <= poll.at + SLACK)
        return place;
    }
    return undefined;
  }

  /** It was sent in a slot that has another poll, or in one that was not to be polled. */
  #unexplained(poll: WirePoll): void {
    this.twice += 1;
    const slot = this.#slots.findLast(({ due = Infinity }) => due <= poll.at + SLACK);
    const requests = poll.requests.map(requestName).join(", ");
    const { gateway } = poll;
    if (slot === undefined) {
      const text = `I1 ${gateway} sent before its first slot: ${requests}`;
      this.violations.push({ text, gateway, epoch: 0, from: 0, to: 0 });
      return;
    }
    const steps = Math.floor((poll.at + SLACK - (slot.due ?? 0)) / this.#interval);
    const { epoch, seq } = slot;
    if (steps > 0) {
      const text = `I1 ${gateway} sent seq ${String(seq + steps)} without a claim: ${requests}`;
      this.violations.push({ text, gateway, epoch, from: seq, to: seq + steps });
      return;
    }
    const outcome = slot.kept ?? slot.message?.outcome ?? "";
    const isMissed = outcome.startsWith("missed");
    const text = isMissed
      ? `is ${outcome}, and seq ${String(seq)} was sent: ${requests}`
      : `was sent twice: ${requests}`;
    this.violations.push(objection("I1", slot, text));
  }
}

/** In no list. */
const NOWHERE: SeenSlot = {
  ...{ gateway: "", epoch: 0, seq: 0, due: undefined, kept: undefined, message: undefined },
};

/** For each poll the place of the next one that is known. */
function endsOf(known: readonly (number | undefined)[], end: number): number[] {
  let next = end;
  const ends = known.toReversed().map((place) => {
    const own = next;
    next = place ?? next;
    return own;
  });
  return ends.reverse();
}

/** Whether a slot may have been polled without a value that names the request. */
function mayBeSent({ kept, message }: SeenSlot): boolean {
  if (message !== undefined && message.serials.size > 0) return false;
  return !(kept ?? message?.outcome ?? "missed").startsWith("missed");
}

/** Polls that began less than half an interval after the one before; that one began within its grace, whenever its bytes came. */
function tooClose(polls: ReadonlyMap<SeenSlot, WirePoll>, interval: number): Violation[] {
  const violations: Violation[] = [];
  const sorted = [...polls].sort(([, a], [, b]) => a.at - b.at);
  for (const [n, [slot, poll]] of sorted.entries()) {
    const [before, earlier] = sorted[n - 1] ?? [];
    if (before === undefined || earlier === undefined) continue;
    const began = Math.min(earlier.at, (before.due ?? earlier.at) + graceOf(interval));
    if (poll.at - began >= interval / 2 - SLACK) continue;
    const text = `came ${(poll.at - began).toFixed(0)} ms after seq ${String(before.seq)} began, too close`;
    violations.push({ ...objection("I2", slot, text), from: Math.min(before.seq, slot.seq) });
  }
  return violations;
}

function objection(rule: string, { gateway, epoch, seq }: SeenSlot, text: string): Violation {
  return {
    text: `${rule} ${keyOf(gateway, epoch, seq)} ${text}`,
    gateway,
    epoch,
    from: seq,
    to: seq,
  };
}

/** Whether two requests read a register of a table twice. */
function overlaps(one: WireRequest, other: WireRequest): boolean {
  const [from, to] = rangeOf(one);
  const [start, end] = rangeOf(other);
  return one.fc === other.fc && start < to && from < end;
}

function rangeOf({ address = 0, count = Infinity }: WireRequest): readonly [number, number] {
  return [address, address + count];
}

/** Half an interval, at most 5 s. */
function graceOf(interval: number): number {
  return Math.min(interval / 2, 5000);
}

function answersOf({ requests }: WirePoll): string[] {
  return requests.map(({ fc, serial }) => `${String(fc)} ${String(serial)}`);
}

function slotName({ gateway, seq }: SeenSlot): string {
  return `${gateway} seq ${String(seq)}`;
}

/** A request in words. */
export function requestName({ fc, serial, at }: WireRequest): string {
  return `fc ${String(fc)} serial ${String(serial)} at ${at.toFixed(0)}`;
}
