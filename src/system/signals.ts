/** The signals that end the process. */

/** A signal that asks to stop. */
export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

const SIGNALS: readonly StopSignal[] = ["SIGTERM", "SIGINT", "SIGHUP"];

/** Calls `stop` at the first SIGTERM, SIGINT or SIGHUP (the terminal was closed) and `force` at each further one; the returned function ends that. */
export function onStopSignals(
  stop: (signal: StopSignal) => void,
  force: (signal: StopSignal) => void,
): () => void {
  let asked = false;
  const listener = (signal: NodeJS.Signals): void => {
    const known = SIGNALS.find((one) => one === signal) ?? "SIGTERM";
    if (asked) {
      force(known);
    } else {
      asked = true;
      stop(known);
    }
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}
