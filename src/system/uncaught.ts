/** The last resort for errors nobody caught. */

/** Calls `handler` for each exception and rejection nobody caught, instead of ending the process; the returned function ends that. */
export function onUncaught(handler: (error: unknown) => void): () => void {
  // A rejection without a handler arrives here too.
  process.on("uncaughtException", handler);
  return () => {
    process.off("uncaughtException", handler);
  };
}
