/** The execution of one slot: all requests of the plan, each at most once but for configured retries. */
import type { DevicePlan, PlannedRequest } from "../core/plan.ts";
import type { Answer } from "../core/ports.ts";
import { deviceAnswered, type NotAsked, type RequestResult } from "../core/reading.ts";
import type { Ticket } from "./lane.ts";
import { Nap } from "./pace.ts";
import type { DeviceResult, PollResult, PollTask } from "./poll-task.ts";
import { firstRepeat, type Repeat } from "./repeats.ts";

/** A poll that runs. */
export class Poll {
  readonly #task: PollTask;
  readonly #hardEnd: number;
  readonly #nap: Nap;
  #ticket: Ticket | undefined;
  #sentAt: number | null = null;
  #stopped = false;
  #connectFailed = false;
  #thrown: unknown;

  constructor(task: PollTask) {
    this.#task = task;
    this.#nap = new Nap(task.clock);
    this.#hardEnd = task.due + Math.max(3 * task.interval, 10_000);
  }

  /** Lets the request in flight end and sends no other. */
  stop(): void {
    this.#stopped = true;
    this.#nap.end();
  }

  /** Sends the plan's requests; `ticket` is the turn on the lane for the first of them. */
  async run(ticket: Ticket): Promise<PollResult> {
    this.#ticket = ticket;
    const { plan } = this.#task;
    const order = this.#order();
    const asked: DeviceResult[] = [];
    try {
      for (const planned of order) asked.push(await this.#device(planned));
      if (this.#toRepeat(asked) !== undefined) await this.#repeat(asked);
    } finally {
      this.#leave();
      this.#close();
    }
    const rest = { sentAt: this.#sentAt, thrown: this.#thrown };
    if (order === plan.devices) return { devices: asked, ...rest };
    const found = new Map(asked.map((result) => [result.device, result]));
    const devices = plan.devices.flatMap(({ device }) => found.get(device) ?? []);
    return { devices, ...rest };
  }

  /** Those that answer first, so that the others take no time from them; the probe last. */
  #order(): readonly DevicePlan[] {
    const { plan, silent, choice } = this.#task;
    if (silent.size === 0 && choice.probe === undefined) return plan.devices;
    const rank = ({ device: { id } }: DevicePlan) =>
      id === choice.probe ? 2 : silent.has(id) ? 1 : 0;
    return [...plan.devices].sort((a, b) => rank(a) - rank(b));
  }

  async #device(planned: DevicePlan): Promise<DeviceResult> {
    const { choice } = this.#task;
    const { device, requests } = planned;
    const probe = choice.probe === device.id;
    // A probe that could not even connect would tell nothing of its device: it waits for another slot.
    if (choice.leftOut.has(device.id) || (probe && this.#connectFailed)) {
      return this.#leftOut(planned);
    }
    const retries = this.#retriesOf(device.id);
    const results: RequestResult[] = [];
    for (const request of requests) {
      const barred = this.#barred(results[0]);
      results.push(
        barred === undefined
          ? await this.#request(request, retries)
          : { request, last: barred, earlier: [] },
      );
    }
    const role = probe ? "probed" : "polled";
    return { device, role, results, settledAt: this.#task.clock.elapsed() };
  }

  /** A probe is sent once as well: whoever is left out has been silent ever since. */
  #retriesOf(device: string): number {
    return this.#task.silent.has(device) ? 0 : this.#task.retries;
  }

  /** Asks again, after all others, devices that asked for time, while a retry is left and fits before the next slot. */
  async #repeat(asked: DeviceResult[]): Promise<void> {
    let next = this.#toRepeat(asked);
    for (; next !== undefined; next = this.#toRepeat(asked)) {
      const { result, index, at } = next;
      const { request, last, earlier } = result;
      const { clock } = this.#task;
      if (at > clock.elapsed()) await this.#nap.take(at - clock.elapsed());
      await this.#turn(request);
      if (typeof last === "string" || clock.elapsed() > this.#latest) return;
      if (this.#stopped || this.#connectFailed) return;
      const again = { request, last: await this.#send(request), earlier: [...earlier, last] };
      const device = asked[index];
      if (device === undefined) return;
      const results = device.results.map((each) => (each === result ? again : each));
      asked[index] = { ...device, results, settledAt: clock.elapsed() };
    }
  }

  #toRepeat(asked: readonly DeviceResult[]): Repeat | undefined {
    return firstRepeat(asked, (device) => this.#retriesOf(device), this.#latest);
  }

  /** The last moment at which a retry fits before the next slot. */
  get #latest(): number {
    const { due, interval, timeout } = this.#task;
    return due + interval - timeout;
  }

  #leftOut({ device, requests }: DevicePlan): DeviceResult {
    const last = "breaker_open" as const;
    const results = requests.map((request) => ({ request, last, earlier: [] }));
    return { device, role: "left-out", results, settledAt: this.#task.clock.elapsed() };
  }

  /** Why no further request of a device is sent, given what came of its first one. */
  #barred(first: RequestResult | undefined): Answer | NotAsked | undefined {
    if (this.#stopped) return "stopped";
    if (this.#connectFailed) return "connect_failed";
    if (first === undefined || deviceAnswered([first])) return undefined;
    return first.last;
  }

  async #request(request: PlannedRequest, retries: number): Promise<RequestResult> {
    const earlier: Answer[] = [];
    for (let left = retries; ; left--) {
      if (!this.#mayGo) await this.#turn(request);
      const before = earlier.at(-1);
      // The turn may have come late: a retry that no longer fits is not sent.
      if (before !== undefined && !this.#isWorthRetrying(before)) {
        return { request, last: before, earlier: earlier.slice(0, -1) };
      }
      const barred = this.#stopped ? "stopped" : this.#isOver() ? "deadline" : undefined;
      if (barred !== undefined) return { request, last: barred, earlier };
      const answer = await this.#send(request);
      if (answer === "stopped") return { request, last: answer, earlier };
      this.#sentAt ??= answer.sentAt;
      if (left === 0 || !this.#isWorthRetrying(answer)) return { request, last: answer, earlier };
      earlier.push(answer);
    }
  }

  /** A link that throws stops the poll. */
  async #send(request: PlannedRequest): Promise<Answer | "stopped"> {
    const { link, lane, timeout } = this.#task;
    try {
      const answer = await link.read(request, timeout);
      if (answer.sentAt !== null) lane.pace.ended(request.unitId, answer.endedAt);
      if (!answer.ok && answer.reason === "connect_failed") this.#connectFailed = true;
      return answer;
    } catch (error) {
      this.#thrown = error;
      this.#stopped = true;
      return "stopped";
    } finally {
      this.#leave();
    }
  }

  /** A retry must fit before the next slot; a failed connect is not tried again in the same slot. */
  #isWorthRetrying(answer: Answer): boolean {
    if (answer.ok || answer.reason === "exception" || answer.reason === "connect_failed")
      return false;
    return !this.#stopped && this.#task.clock.elapsed() <= this.#latest;
  }

  #isOver(): boolean {
    return this.#task.clock.elapsed() >= this.#hardEnd;
  }

  /** Whether the lane is ours and nothing pauses between requests. */
  get #mayGo(): boolean {
    return this.#ticket !== undefined && this.#task.pause === undefined;
  }

  /** Has the lane, and the pause that comes before this request. */
  async #turn({ unitId }: PlannedRequest): Promise<void> {
    const { lane, due, interval, pause } = this.#task;
    if (this.#ticket === undefined) {
      await new Promise<void>((resolve) => {
        this.#ticket = lane.enter(due + interval, interval, resolve);
      });
    }
    if (pause !== undefined) await lane.pace.keep(unitId, pause, this.#nap);
  }

  /** Others may be on the lane by now: the last of them closes. */
  #close(): void {
    const { closeAfterPoll, lane, link } = this.#task;
    if (closeAfterPoll && lane.isFree) link.release();
  }

  #leave(): void {
    this.#ticket?.leave();
    this.#ticket = undefined;
  }
}
