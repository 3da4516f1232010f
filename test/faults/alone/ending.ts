/** Runs a program as a test would, and ends what it started. */

/** Does the work, writes what it gives back to stdout, and ends everything, also when it throws. */
export async function act(
  work: (context: { after(end: () => unknown): void }) => Promise<string>,
): Promise<void> {
  const endings: (() => unknown)[] = [];
  try {
    const seen = await work({
      after: (end) => {
        endings.push(end);
      },
    });
    process.stdout.write(seen);
  } finally {
    for (const end of endings) await end();
  }
}
