/** Tells the service manager that started the process, such as systemd, how it fares (sd_notify(3)). */
import { spawn } from "node:child_process";
import { messageOf } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import { pid } from "./facts.ts";

/** Sends for us: Node.js has no Unix datagram sockets. In Debian's package systemd. */
const PROGRAM = "systemd-notify";
/** ms it may take: it waits for the manager to have taken note, 5 s at most. */
const LIMIT = 8000;
/** Signs of life within the time after which the manager takes the process for dead. */
const SIGNS = 3;

/** Variables that a service manager sets. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** Who wants to know; nobody, where no service manager has started the process. */
export interface ServiceManager {
  /** Polling has begun; `status` is shown to people. */
  ready(status: string): void;
  /** The process does its work at this moment. Sent on as often as the manager's watchdog wants it. */
  alive(): void;
  /** The end has begun. */
  stopping(): void;
  /** Settles when what is to be said is said, within some seconds. */
  close(): Promise<void>;
}

const NOBODY: ServiceManager = {
  ready: () => undefined,
  alive: () => undefined,
  stopping: () => undefined,
  close: () => Promise.resolve(),
};

/** The service manager of this process. */
export function serviceManager(
  clock: Clock,
  log: Log,
  variables: Variables = process.env,
): ServiceManager {
  const isThere = (variables["NOTIFY_SOCKET"] ?? "") !== "";
  return isThere ? new Notifier(clock, log, variables) : NOBODY;
}

/** One program at a time; whatever it comes to, the node goes on. */
class Notifier implements ServiceManager {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #variables: Variables;
  /** ms between signs of life. */
  readonly #every: number;
  /** Elapsed time from which on a sign of life is due; none before the manager knows of the start. */
  #due = Infinity;
  #words: string[] = [];
  #sending: Promise<void> | undefined;
  #isMissing = false;
  #hasFailed = false;

  constructor(clock: Clock, log: Log, variables: Variables) {
    this.#clock = clock;
    this.#log = log;
    this.#variables = variables;
    this.#every = signsEvery(variables);
  }

  ready(status: string): void {
    this.#due = this.#clock.elapsed() + this.#every;
    this.#say("READY=1", `STATUS=${status}`);
  }

  alive(): void {
    const now = this.#clock.elapsed();
    if (now < this.#due || this.#sending !== undefined) return;
    this.#due = now + this.#every;
    this.#say("WATCHDOG=1");
  }

  stopping(): void {
    this.#due = Infinity;
    this.#say("STOPPING=1");
  }

  async close(): Promise<void> {
    await this.#sending;
  }

  #say(...words: string[]): void {
    if (this.#isMissing) return;
    this.#words.push(...words);
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined));
  }

  async #sendAll(): Promise<void> {
    while (this.#words.length > 0 && !this.#isMissing) {
      const failure = await this.#send(this.#words.splice(0)).catch(messageOf);
      if (failure !== undefined && !this.#hasFailed) this.#log.warn({ reason: failure }, FAILED);
      this.#hasFailed = failure !== undefined;
    }
  }

  /** Settles with what went wrong. */
  #send(words: readonly string[]): Promise<string | undefined> {
    return new Promise((resolve) => {
      const child = spawn(PROGRAM, words, { env: this.#variables, stdio: "ignore" });
      const cancel = this.#clock.timer(LIMIT, () => child.kill("SIGKILL"));
      const end = (failure?: string): void => {
        cancel();
        resolve(failure);
      };
      child.once("error", (error) => {
        this.#isMissing = "code" in error && error.code === "ENOENT";
        end(this.#isMissing ? MISSING : messageOf(error));
      });
      child.once("exit", (code, signal) => {
        end(code === 0 ? undefined : `${PROGRAM} ended with ${String(signal ?? code)}`);
      });
    });
  }
}

const FAILED = "the service manager could not be told how this node fares";
const MISSING =
  `there is no program ${PROGRAM}. Next: sudo apt-get install systemd; or, in the unit, ` +
  "Type=exec and no WatchdogSec";

/** ms, Infinity when the manager watches no one or another process (sd_watchdog_enabled(3)). */
function signsEvery(variables: Variables): number {
  const { WATCHDOG_USEC: period, WATCHDOG_PID: watched = String(pid) } = variables;
  const ms = Number(period) / 1000;
  return watched === String(pid) && ms > 0 ? ms / SIGNS : Infinity;
}
