/** Where a command writes. */

/** Standard output and standard error, line by line. */
export interface Output {
  /** Writes a line that was asked for. */
  line(text: string): void;
  /** Writes a line beside what was asked for: errors and notes. */
  note(text: string): void;
  /** Whether nobody reads what was asked for any more. */
  readonly closed: boolean;
}

/** Writes to the process's own streams; that a reader has gone (`| head`) is not an error. */
export function processOutput(): Output & { flush(): Promise<void> } {
  let closed = false;
  process.stdout.on("error", () => {
    closed = true;
  });
  process.stderr.on("error", () => undefined);
  return {
    line: (text) => {
      if (!closed) process.stdout.write(`${text}\n`);
    },
    note: (text) => {
      process.stderr.write(`${text}\n`);
    },
    get closed() {
      return closed;
    },
    flush: async () => {
      await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
    },
  };
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => {
      resolve();
    });
  });
}
