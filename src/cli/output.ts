/** Where a command writes. */

/** Standard output and standard error, line by line. */
export interface Output {
  /** Writes a line that was asked for. */
  line(text: string): void;
  /** Writes a line beside what was asked for: errors and notes. */
  note(text: string): void;
  /** Says how far it is, in a line of a terminal that the next text takes the place of; nothing elsewhere. */
  progress(text: string): void;
  /** Whether nobody reads what was asked for any more. */
  readonly closed: boolean;
}

/** To the first column, and nothing to the right of it. */
const START_OF_LINE = "\r\u001b[K";

/** Writes to the process's own streams; that a reader has gone (`| head`) is not an error. */
export function processOutput(): Output & { flush(): Promise<void> } {
  let closed = false;
  let isShown = false;
  const clear = () => {
    if (isShown) process.stderr.write(START_OF_LINE);
    isShown = false;
  };
  process.stdout.on("error", () => {
    closed = true;
  });
  process.stderr.on("error", () => undefined);
  return {
    line: (text) => {
      clear();
      if (!closed) process.stdout.write(`${text}\n`);
    },
    note: (text) => {
      clear();
      process.stderr.write(`${text}\n`);
    },
    progress: (text) => {
      clear();
      if (!process.stderr.isTTY || text === "") return;
      process.stderr.write(text.slice(0, process.stderr.columns - 1));
      isShown = true;
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
