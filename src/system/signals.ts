/** The signals that end the process. */

/** A signal that asks to stop. */
export type StopSignal = "SIGTERM" | "SIGINT";

/** Calls `stop` at the first SIGTERM or SIGINT and `force` at each further one; the returned function ends that. */
export function onStopSignals(
  stop: (signal: StopSignal) => void,
  force: (signal: StopSignal) => void,
): () => void {
  let asked = false;
  const listener = (signal: NodeJS.Signals): void => {
    const known = signal === "SIGINT" ? "SIGINT" : "SIGTERM";
    if (asked) {
      force(known);
    } else {
      asked = true;
      stop(known);
    }
  };
  process.on("SIGTERM", listener);
  process.on("SIGINT", listener);
  return () => {
    process.off("SIGTERM", listener);
    process.off("SIGINT", listener);
  };
}
