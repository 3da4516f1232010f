/** A broker, devices and a process clock for the engine's tests; all of them obey the test. */
import { PublishError } from "../../src/core/errors.ts";
import type {
  Answer,
  Bus,
  BusState,
  Clock,
  Incoming,
  Link,
  Message,
  ReadRequest,
} from "../../src/core/ports.ts";
import { retainedTopicOf } from "../../src/core/retained-topics.ts";
import type { BrokerLook, RetainedTopic } from "../../src/core/retained-topics.ts";
import type { FakeClock } from "../support/fake-clock.ts";

/** A message as the broker got it, with the elapsed time of the test's clock. */
export interface Delivered extends Message {
  readonly at: number;
}

/** What outlives the processes that publish to it. */
export class FakeBroker {
  readonly delivered: Delivered[] = [];
  connected = true;
  /** Messages arrive, their acknowledgement waits. */
  held = false;
  /** Messages are lost on the way: they neither arrive nor are acknowledged. */
  swallows = false;
  refuses: (topic: string) => boolean = () => false;
  /** What the connection does itself instead of its work. */
  throws: (topic: string) => boolean = () => false;
  #bus: FakeBus | undefined;
  readonly #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** The one connection of a new process; that of the one before is forgotten. */
  bus(clock: Clock): FakeBus {
    this.#bus = new FakeBus(this, clock);
    return this.#bus;
  }

  /** The connection ends; what is not acknowledged is lost for the sender. */
  away(): void {
    this.connected = false;
    this.#bus?.change(false);
  }

  back(): void {
    this.connected = true;
    this.#bus?.change(true);
  }

  /** Acknowledges what was held; where messages were lost, the connection is made anew. */
  release(): void {
    this.held = false;
    if (this.swallows && this.connected) this.#bus?.change(false);
    this.swallows = false;
    if (this.connected) this.#bus?.change(true);
    this.#bus?.acknowledge();
  }

  /** Someone publishes a command. */
  command(message: Partial<Incoming> & { topic: string; payload: string }): void {
    this.#bus?.receive({ retain: false, ...message });
  }

  take(message: Message): void {
    this.delivered.push({ ...message, at: this.#clock.elapsed() });
  }

  /** Payloads of a topic, as JSON where they are. */
  on(topic: string): string[] {
    return this.delivered.filter((one) => one.topic === topic).map(({ payload }) => payload);
  }

  /** All that is retained. */
  get allRetained(): RetainedTopic[] {
    const topics = new Set(this.delivered.filter(({ retain }) => retain).map(({ topic }) => topic));
    return [...topics].flatMap((topic) => {
      const payload = this.retained(topic);
      return payload === undefined ? [] : [retainedTopicOf(topic, payload)];
    });
  }

  /** The retained payload of a topic, undefined when it was never set or is cleared. */
  retained(topic: string): string | undefined {
    const last = this.delivered.findLast((one) => one.topic === topic && one.retain);
    return last === undefined || last.payload === "" ? undefined : last.payload;
  }
}

interface InFlight {
  readonly resolve: () => void;
  readonly reject: (error: PublishError) => void;
}

/** One process's way to the broker. */
export class FakeBus implements Bus {
  readonly window = 8;
  state: BusState;
  /** Most that were in flight at once. */
  most = 0;
  readonly #broker: FakeBroker;
  readonly #clock: Clock;
  #listeners: ((state: BusState) => void)[] = [];
  #receivers: ((message: Incoming) => void)[] = [];
  #inFlight: InFlight[] = [];

  constructor(broker: FakeBroker, clock: Clock) {
    this.#broker = broker;
    this.#clock = clock;
    this.state = this.#stateOf(false);
  }

  publish(message: Message): Promise<void> {
    if (this.#broker.throws(message.topic)) throw new Error("a bug in publishing, as told");
    if (!this.state.connected) return Promise.reject(lost());
    if (this.#broker.refuses(message.topic)) {
      return Promise.reject(new PublishError("PUBLISH_REFUSED", "refused, as told"));
    }
    return new Promise((resolve, reject) => {
      if (!this.#broker.swallows) this.#broker.take(message);
      this.#inFlight.push({ resolve, reject });
      this.most = Math.max(this.most, this.#inFlight.length);
      if (!this.#broker.held && !this.#broker.swallows)
        queueMicrotask(() => {
          this.acknowledge();
        });
    });
  }

  retained(): Promise<BrokerLook> {
    if (!this.state.connected) return Promise.reject(lost());
    return Promise.resolve({ topics: this.#broker.allRetained, unseen: [] });
  }

  acknowledge(): void {
    if (this.#broker.held || this.#broker.swallows) return;
    for (const one of this.#inFlight.splice(0)) one.resolve();
  }

  change(connected: boolean): void {
    if (this.state.connected === connected) return;
    this.state = this.#stateOf(connected);
    if (!connected) for (const one of this.#inFlight.splice(0)) one.reject(lost());
    for (const listener of this.#listeners) listener(this.state);
  }

  receive(message: Incoming): void {
    for (const receiver of this.#receivers) receiver(message);
  }

  onState(listener: (state: BusState) => void): void {
    this.#listeners.push(listener);
  }

  onMessage(listener: (message: Incoming) => void): void {
    this.#receivers.push(listener);
  }

  open(): Promise<void> {
    if (this.#broker.connected) this.change(true);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.change(false);
    return Promise.resolve();
  }

  /** The process died: nobody hears anything any more. */
  die(): void {
    this.#listeners = [];
    this.#receivers = [];
    this.#inFlight = [];
    this.state = this.#stateOf(false);
  }

  #stateOf(connected: boolean): BusState {
    const since = this.#clock.elapsed();
    return { connected, version: 5, durable: true, commands: connected, since };
  }
}

function lost(): PublishError {
  return new PublishError("PUBLISH_LOST", "lost, as told");
}

/** How an endpoint answers; `ms` after the request. */
export type Behaviour =
  | { readonly kind: "value"; readonly ms?: number; readonly value?: number }
  | { readonly kind: "silent" }
  | { readonly kind: "refuse"; readonly ms?: number }
  | { readonly kind: "bad-frame" }
  | { readonly kind: "exception"; readonly code: number }
  /** The link itself has a bug: it throws, or gives back no words. */
  | { readonly kind: "throws" }
  | { readonly kind: "wordless" };

/** One request as an endpoint got it; `at` in elapsed time of the process that sent it. */
export interface Seen {
  readonly gateway: string;
  readonly endpoint: string;
  readonly request: ReadRequest;
  readonly at: number;
  /** Elapsed time of the test's clock, which goes on over reboots. */
  readonly time: number;
  readonly life: number;
}

/** What a fake link works with. */
export interface FakeLinkParts {
  readonly clock: Clock;
  readonly alive: () => boolean;
  readonly behaviour: (request: ReadRequest) => Behaviour;
  readonly seen: (request: ReadRequest) => void;
  readonly released: () => void;
  /** Told when two requests are in flight at once. */
  readonly broken: (what: string) => void;
}

/** What an endpoint is asked through; all its gateways share the flag that one request is in flight. */
export class FakeLink implements Link {
  readonly #parts: FakeLinkParts;
  readonly #lane: { busy: boolean };

  constructor(parts: FakeLinkParts, lane: { busy: boolean }) {
    this.#parts = parts;
    this.#lane = lane;
  }

  write(): Promise<Answer> {
    return Promise.reject(new Error("nothing is written here"));
  }

  async read(request: ReadRequest, timeout: number): Promise<Answer> {
    const { clock, alive, behaviour, seen, broken } = this.#parts;
    if (!alive()) return new Promise<never>(() => undefined);
    if (this.#lane.busy) broken("two requests in flight on one endpoint");
    this.#lane.busy = true;
    const does = behaviour(request);
    const sentAt = does.kind === "refuse" ? null : clock.elapsed();
    if (sentAt !== null) seen(request);
    await wait(clock, Math.min(timeOf(does, timeout), timeout));
    this.#lane.busy = false;
    if (does.kind === "throws") throw new Error("a bug in the link, as told");
    const endedAt = clock.elapsed();
    if (does.kind === "value" && (does.ms ?? 1) < timeout) {
      const words = new Uint16Array(request.count).fill(does.value ?? 7);
      return { ok: true, words, sentAt: sentAt ?? endedAt, endedAt };
    }
    if (does.kind === "wordless") {
      // What the types forbid is what a bug does.
      const words = undefined as unknown as Uint16Array;
      return { ok: true, words, sentAt: sentAt ?? endedAt, endedAt };
    }
    const failed = { ok: false, sentAt, endedAt, detail: `${does.kind}, as told` } as const;
    if (does.kind === "exception") {
      return { ...failed, reason: "exception", exception: does.code };
    }
    if (does.kind === "refuse") return { ...failed, reason: "connect_failed" };
    return { ...failed, reason: does.kind === "bad-frame" ? "bad_frame" : "timeout" };
  }

  release(): void {
    if (this.#lane.busy) this.#parts.broken("released while a request was in flight");
    this.#parts.released();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function timeOf(does: Behaviour, timeout: number): number {
  if (does.kind === "silent") return timeout;
  return "ms" in does ? (does.ms ?? 1) : 1;
}

function wait(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.timer(ms, resolve));
}

/** The clocks as one process sees them: they stop for it when it dies, and begin anew with a boot. */
export class ProcessClock implements Clock {
  readonly bootId: string;
  readonly #base: FakeClock;
  readonly #shift: number;
  /** Told of what a timer threw. */
  readonly #uncaught: (error: unknown) => void;
  /** What becomes of the next timer of so many ms that runs out, instead of what it was set for. */
  breaks:
    | { readonly how: "lost" | "throws"; readonly least: number; readonly most: number }
    | undefined;
  #dead = false;

  constructor(
    base: FakeClock,
    boot: { readonly id: string; readonly shift: number },
    uncaught: (error: unknown) => void = () => undefined,
  ) {
    this.#uncaught = uncaught;
    this.bootId = boot.id;
    this.#base = base;
    this.#shift = boot.shift;
    // Elapsed time as read at the start holds all suspends so far.
    base.noticeSuspend();
  }

  wall(): number {
    return this.#base.wall();
  }

  elapsed(): number {
    return this.#base.elapsed() + this.#shift;
  }

  noticeSuspend(): number {
    return this.#base.noticeSuspend();
  }

  timer(delay: number, wake: () => void): () => void {
    return this.#base.timer(delay, () => {
      if (this.#dead) return;
      const { breaks } = this;
      if (breaks === undefined || delay < breaks.least || delay > breaks.most) {
        wake();
        return;
      }
      this.breaks = undefined;
      if (breaks.how === "throws") this.#uncaught(new Error("a bug in a timer, as told"));
    });
  }

  die(): void {
    this.#dead = true;
  }
}
