/** What a site writes to disk in a day, from the records its polls will write. */
import type { Gateway, Site } from "./model.ts";
import type { Plan, PlannedRequest } from "./plan.ts";
import { readingOf, readingText } from "./reading.ts";
import { encodeClaim, encodePoll, encodeSpooled, keys } from "./records.ts";
import { isBitTable } from "./types.ts";

const DAY = 86_400_000;
/** What the store puts around a record: version and checksum, kind, lengths. */
const AROUND_RECORD = 10;
/** What the store puts around a batch. */
const AROUND_BATCH = 19;
/** A sync writes the last, partly filled page of the log anew. */
const PAGE = 4096;
/** ms between two writes of an account, and the bytes of one. */
const ACCOUNT_EVERY = 60_000;
const ACCOUNT_BYTES = 500;
/** Two words that are a likely value in every type: 62.4 as float32. */
const LIKELY = [0x4279, 0x999a] as const;

/** What a schedule writes. */
export interface ScheduleDisk {
  readonly gateway: string;
  readonly interval: number;
  readonly pollsPerDay: number;
  /** Bytes of all records of one poll. */
  readonly bytesPerPoll: number;
  /** Of those the readings, as they wait in the spool. */
  readonly readingBytes: number;
}

/** What the site writes. */
export interface DiskPlan {
  readonly schedules: readonly ScheduleDisk[];
  /** Upper bound: one for the claim and one for the outcome of each poll, less what schedules of a gateway share. */
  readonly syncsPerDay: number;
  /** Given to the store's log. */
  readonly logBytesPerDay: number;
  /** Reaching the disk: log, tables made of it, and the page that every sync writes anew. */
  readonly diskBytesPerDay: number;
  readonly spoolBytes: number;
  /** Hours of an absent broker that the spool holds; null when nothing is polled. */
  readonly hoursUntilFull: number | null;
}

interface Scheduled {
  readonly gateway: Gateway;
  readonly interval: number;
  readonly plan: Plan;
}

/** Estimates what is written; every poll is taken as good. */
export function diskPlan(site: Site, scheduled: readonly Scheduled[]): DiskPlan {
  const schedules = scheduled.map((each) => scheduleDisk(site.node, each));
  const polls = sum(schedules.map(({ pollsPerDay }) => pollsPerDay));
  const claims = Math.min(claimBatches(scheduled), DAY / Math.max(1, site.claimAhead ?? 1));
  const syncsPerDay = Math.round(claims + polls);
  const records = schedules.map(
    ({ pollsPerDay, bytesPerPoll, interval }) =>
      pollsPerDay * bytesPerPoll + (DAY / Math.max(interval, ACCOUNT_EVERY)) * ACCOUNT_BYTES,
  );
  const logBytesPerDay = Math.round(sum(records) + syncsPerDay * AROUND_BATCH);
  const spooled = sum(schedules.map((each) => (each.pollsPerDay * each.readingBytes) / 24));
  const { maxBytes } = site.spool;
  return {
    ...{ schedules, syncsPerDay, logBytesPerDay },
    diskBytesPerDay: 2 * logBytesPerDay + syncsPerDay * PAGE,
    spoolBytes: maxBytes,
    hoursUntilFull: spooled === 0 ? null : Math.round((maxBytes / spooled) * 10) / 10,
  };
}

/** Slots of one gateway lie on one grid: where an interval divides another, both share a claim. */
function claimBatches(scheduled: readonly Scheduled[]): number {
  const alone = scheduled.filter(({ gateway, interval }) =>
    scheduled.every(
      (other) =>
        other.gateway !== gateway || other.interval >= interval || interval % other.interval !== 0,
    ),
  );
  return sum(alone.map(({ interval }) => DAY / interval));
}

function scheduleDisk(node: string, { gateway, interval, plan }: Scheduled): ScheduleDisk {
  const id = `${gateway.id}@${String(interval)}`;
  const slot = 1_790_000_000_000;
  const place = { epoch: 1_790_000_000, claimed: 1e6, settled: 1e6, slot, due: 123_456_789.012 };
  const boot = "00000000-0000-0000-0000-000000000000";
  const messages = plan.devices.map(({ device, requests }) => {
    const results = requests.map((request) => {
      const last = { ok: true, words: likelyWords(request), sentAt: 0, endedAt: 20 } as const;
      return { request, last, earlier: [] };
    });
    const reading = readingOf({
      ...{ node, gateway: gateway.id, device: device.id, interval, epoch: place.epoch },
      ...{ seq: 1e6, slot, results, late: 1.2, settledAt: 0, wallOffset: slot, clockUnsure: false },
    });
    const topic = `readings/${gateway.id}/${device.id}`;
    return encodeSpooled({ topic, retain: false, interval, slot, payload: readingText(reading) });
  });
  const spoolKey = keys.spool(gateway.id, 1).length;
  const readingBytes = sum(messages.map((text) => text.length));
  // Each message is written, and deleted when it is acknowledged.
  const spool = readingBytes + messages.length * (2 * spoolKey + 2 * AROUND_RECORD);
  const claim = keys.claim(id).length + encodeClaim({ ...place, boot }).length + AROUND_RECORD;
  const outcome = keys.outcome(id, place.epoch, 1).length + encodePoll("good", 1.2).length;
  return {
    ...{ gateway: gateway.id, interval, pollsPerDay: DAY / interval },
    ...{ bytesPerPoll: claim + outcome + AROUND_RECORD + spool, readingBytes },
  };
}

function likelyWords({ table, count, points }: PlannedRequest): Uint16Array {
  const words = new Uint16Array(count).fill(isBitTable(table) ? 1 : LIKELY[0]);
  if (isBitTable(table)) return words;
  for (const { at } of points) if (at + 1 < count) words[at + 1] = LIKELY[1];
  return words;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
