/** One run: starts slave, subscriber and poller, lets them warm up, and measures for a while. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { accountOf, latenessOf } from "./account.ts";
import { deliveryOf, matched, within, type SeenPoll } from "./delivery.ts";
import type { Machine } from "./machine.ts";
import { monotonic, startPoller, type Poller, type PollerName } from "./pollers.ts";
import { busyCores, memoryOf, usageOf, usedBetween, type Usage } from "./process-usage.ts";
import { quantilesOf } from "./quantiles.ts";
import type { LoggedRequest } from "./request-log.ts";
import type { Row } from "./row.ts";
import { seenSlots, type SeenSlots, type Span } from "./slots.ts";
import { createSyncCounter } from "./syncs.ts";
import { startSlave, startSubscriber, type Message } from "./witness.ts";
import type { Workload } from "./workloads.ts";

/** What stays the same in all runs. */
export interface Bench {
  readonly machine: Machine;
  readonly broker: { readonly port: number; readonly url: string; readonly pid: () => number };
  /** On a real file system; runs make directories of their own in it. */
  readonly directory: string;
  /** For sockets. */
  readonly runtime: string;
  readonly syncCounter: string | undefined;
}

/** How long, and what for. */
export interface Plan {
  readonly workload: Workload;
  readonly poller: PollerName;
  readonly run: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly nodeArguments?: readonly string[];
}

/** What was counted in the measured time. */
interface Counted {
  readonly span: Span;
  /** The wall clock less the monotonic one, in ms. */
  readonly offset: number;
  readonly used: Usage;
  readonly syncs: number | null;
  readonly memory: { readonly now: number; readonly peak: number };
  readonly foreign: Row["foreignPercent"];
}

/** After the measured time, until what was polled in it has arrived. */
const SETTLE = 1200;

/** Runs a poller with a workload. */
export async function measure(
  bench: Bench,
  plan: Plan,
): Promise<{ row: Row; span: Span; pid: number }> {
  const directory = mkdtempSync(join(bench.directory, `${plan.workload.name}-${plan.poller}-`));
  const syncs = createSyncCounter(bench.syncCounter, directory);
  const slave = await startSlave(plan.workload, directory);
  const subscriber = startSubscriber(bench.broker.port, directory);
  const poller = await startPoller(plan.poller, {
    workload: plan.workload,
    ports: slave.ports,
    broker: bench.broker.url,
    directory: join(directory, "poller"),
    runtime: bench.runtime,
    core: bench.machine.pollerCore,
    env: syncs.env,
    nodeArguments: plan.nodeArguments ?? [],
  });
  await Promise.race([subscriber.first().then(() => wait(plan.warmup * 1000)), poller.died]);
  const infra = [slave.pid, subscriber.pid, bench.broker.pid(), process.pid];
  const core = bench.machine.pollerCore ?? 0;
  const counted = await count(poller, plan.seconds, { infra, core, syncs: () => syncs.read() });
  await wait(SETTLE);
  await poller.stop();
  const messages = await subscriber.stop();
  const requests = await slave.stop();
  rmSync(directory, { recursive: true });
  return {
    row: rowOf(plan, poller, counted, requests, messages),
    span: counted.span,
    pid: poller.pid,
  };
}

async function count(
  { pid, died }: Poller,
  seconds: number,
  { infra, core, syncs }: { infra: readonly number[]; core: number; syncs: () => number | null },
): Promise<Counted> {
  const look = () => ({
    at: monotonic(),
    usage: usageOf(pid),
    infra: infra.reduce((sum, each) => sum + usageOf(each).cpu, 0),
    cores: busyCores(),
    syncs: syncs(),
  });
  const offset = wallLessMonotonic();
  const before = look();
  await Promise.race([wait(seconds * 1000), died]);
  const after = look();
  const used = usedBetween(before.usage, after.usage);
  const span = { from: before.at, to: after.at };
  const percent = (time: number): number => (100 * time) / (span.to - span.from);
  const busy = after.cores.map((time, n) => time - (before.cores[n] ?? 0));
  const pollerCore = busy[core] ?? 0;
  const others = busy.reduce((sum, time) => sum + time, 0) - pollerCore;
  return {
    span,
    offset,
    used,
    syncs: before.syncs === null || after.syncs === null ? null : after.syncs - before.syncs,
    memory: memoryOf(pid),
    foreign: {
      poller: percent(pollerCore - used.cpu),
      others: percent(others - (after.infra - before.infra)),
    },
  };
}

/** Measured at a tick of the wall clock, whose step is a millisecond. */
function wallLessMonotonic(): number {
  const before = Date.now();
  while (Date.now() === before);
  return Date.now() - monotonic();
}

function rowOf(
  { workload, poller, run, seconds }: Plan,
  { ready }: Poller,
  { span, offset, used, syncs, memory, foreign }: Counted,
  requests: readonly LoggedRequest[],
  messages: readonly Message[],
): Row {
  const elapsed = span.to - span.from;
  const all = matched(requests, messages);
  const polls = all.filter(({ at }) => within(at, span)).length;
  const sent = requests.filter(({ at }) => within(at, span)).length;
  const prompt = all.filter(({ device }) => workload.answers[device] === 0);
  const { errors, ...slots } = slotsOf(prompt, workload, span, (answer) => answer === 0);
  const { errors: _slow, ...slowSlots } = slotsOf(all, workload, span, (a) => (a ?? 0) > 0);
  const { errors: _dead, ...deadSlots } = slotsOf(all, workload, span, (a) => a === null);
  const {
    endToEnd: _all,
    messages: arrived,
    ...delivery
  } = deliveryOf(all, messages, span, offset);
  const { endToEnd } = deliveryOf(prompt, messages, span, offset);
  const late = latenessOf(prompt, span, offset);
  const own = poller === "edgepoll";
  return {
    workload: workload.name,
    poller,
    run,
    gateways: workload.answers.length,
    seconds,
    ready,
    polls,
    pollsPerSecond: (1000 * polls) / elapsed,
    requestsPerPoll: sent / polls,
    cpuPercent: (100 * used.cpu) / elapsed,
    cpuPerPoll: used.cpu / polls,
    rss: memory.now,
    rssPeak: memory.peak,
    switchesPerPoll: used.voluntarySwitches / polls,
    diskBytesPerPoll: used.diskBytes / polls,
    writtenBytesPerPoll: used.writtenBytes / polls,
    syncsPerPoll: syncs === null ? null : syncs / polls,
    slots,
    gridError: quantilesOf(errors),
    late: own ? { told: quantilesOf(late.told), seen: quantilesOf(late.seen) } : null,
    account: own ? accountOf(messages) : null,
    messagesPerSecond: (1000 * arrived) / elapsed,
    ...delivery,
    endToEnd: quantilesOf(endToEnd),
    slowSlots,
    deadSlots,
    foreignPercent: foreign,
    waitedPercent: (100 * used.waited) / elapsed,
  };
}

/** The slots of all devices of a kind together. */
function slotsOf(
  polls: readonly SeenPoll[],
  { answers, interval }: Workload,
  span: Span,
  kind: (answer: number | null) => boolean,
): SeenSlots {
  const wide = { from: span.from - interval, to: span.to + interval };
  const times = new Map<number, number[]>();
  answers.forEach((answer, device) => {
    if (kind(answer)) times.set(device, []);
  });
  for (const { device, at } of polls) if (within(at, wide)) times.get(device)?.push(at);
  const each = Array.from(times.values(), (list) => seenSlots(list, interval, span));
  const sum = (key: "due" | "missed" | "doubled"): number =>
    each.reduce((total, slots) => total + slots[key], 0);
  return {
    due: sum("due"),
    missed: sum("missed"),
    doubled: sum("doubled"),
    errors: each.flatMap(({ errors }) => errors),
  };
}
