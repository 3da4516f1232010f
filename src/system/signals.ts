/** The signals to a node: those that end it, and SIGHUP, which has it read its configuration again. */
import { isatty } from "node:tty";

/** A signal that asks to stop. */
export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

const STOPS: readonly StopSignal[] = ["SIGTERM", "SIGINT"];
const OUTPUTS = [1, 2];

/** What the signals do. */
export interface SignalActions {
  /** At the first signal to stop, and at each further one. */
  readonly stop: (signal: StopSignal) => void;
  readonly force: (signal: StopSignal) => void;
  readonly reload: () => void;
}

/**
 * Takes SIGHUP from the moment it is made, so that one that comes before a node can act does not end it.
 * It is handed on when there is somebody to take it, several as one.
 */
export class Hangups {
  readonly #hadTerminal = hasTerminal();
  #waiting = false;
  #take: (() => void) | undefined;

  constructor() {
    process.on("SIGHUP", this.#came);
  }

  /** Whether the terminal at which the process was started has been closed. */
  get terminalIsGone(): boolean {
    return this.#hadTerminal && !hasTerminal();
  }

  /** `take` is called at each SIGHUP from now on, and for those that came before. */
  handle(take: () => void): void {
    this.#take = take;
    if (this.#waiting) take();
    this.#waiting = false;
  }

  /** SIGHUP does from now on what it does to any process. */
  end(): void {
    process.off("SIGHUP", this.#came);
  }

  readonly #came = (): void => {
    if (this.#take === undefined) this.#waiting = true;
    else this.#take();
  };
}

/**
 * Acts on signals. SIGHUP reloads, but for the one that says that the terminal was closed: that stops,
 * as Ctrl-C there would. The returned function ends that.
 */
export function onSignals(actions: SignalActions, hangups: Hangups): () => void {
  let asked = false;
  const stop = (signal: StopSignal): void => {
    if (asked) {
      actions.force(signal);
    } else {
      asked = true;
      actions.stop(signal);
    }
  };
  const listener = (signal: NodeJS.Signals): void => {
    stop(STOPS.find((one) => one === signal) ?? "SIGTERM");
  };
  for (const signal of STOPS) process.on(signal, listener);
  hangups.handle(() => {
    // What ends already has nothing to read anew, and is not in more of a hurry than before.
    if (asked) return;
    if (hangups.terminalIsGone) stop("SIGHUP");
    else actions.reload();
  });
  return () => {
    for (const signal of STOPS) process.off(signal, listener);
    hangups.end();
  };
}

function hasTerminal(): boolean {
  return OUTPUTS.some((fd) => isatty(fd));
}
