/** Asks the holder of a lock who it is. */
import { connect } from "node:net";

/** What the holder of a lock says of itself. */
export interface HolderInfo {
  readonly pid: number;
  readonly node: string;
  readonly stateDir: string;
  /** Path of its control socket. */
  readonly control: string;
}

/** ms to wait for the answer; a holder that starts on a busy machine needs a while. */
const DEADLINE = 3000;
const LONGEST_ANSWER = 16 * 1024;

/** The answer on a lock socket; undefined when there is none in time or it is no holder's. */
export function askSocket(path: string): Promise<HolderInfo | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    let text = "";
    const deadline = setTimeout(() => socket.destroy(), DEADLINE);
    socket.setEncoding("utf8");
    socket.on("data", (part: string) => {
      text += part;
      if (text.length > LONGEST_ANSWER) socket.destroy();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(deadline);
      resolve(parse(text));
    });
  });
}

/** Any process of the machine could listen there, so nothing is taken for granted. */
function parse(text: string): HolderInfo | undefined {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== "object" || found === null) return undefined;
    const { pid, node, stateDir, control } = found as Partial<Record<string, unknown>>; // any object may be read so
    if (typeof pid !== "number" || typeof node !== "string") return undefined;
    if (typeof stateDir !== "string" || typeof control !== "string") return undefined;
    return { pid, node, stateDir, control };
  } catch {
    return undefined;
  }
}
