/** The table of TCP connections as Linux shows it in `/proc/net/tcp` and `tcp6` (proc(5)). */

/** ESTABLISHED and SYN_SENT, as the table writes them. */
const OPEN_STATES = ["01", "02"];
/** Columns of a row. */
const REMOTE = 2;
const STATE = 3;
const UID = 7;
const INODE = 9;

/** What stands before an IPv4 address that is mapped to IPv6 (RFC 4291, 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

/** A connection that is open, or being opened. */
export interface TcpConnection {
  /** The other end, in the form of `remoteKey`. */
  readonly remote: string;
  readonly uid: number;
  /** By which the process that holds it is found. */
  readonly inode: string;
}

/** The open connections of a table's text; what is no row is passed over. */
export function tcpConnections(text: string): TcpConnection[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [remote, state, inode] = [fields[REMOTE], fields[STATE], fields[INODE]];
    if (remote === undefined || state === undefined || inode === undefined) return [];
    if (!OPEN_STATES.includes(state)) return [];
    return [{ remote, uid: Number(fields[UID]), inode }];
  });
}

/**
 * How the tables write an address and port: an IPv4 address stands in both, in `tcp6` mapped to IPv6.
 * Of an address that is none there is nothing. `order` is that of the machine's bytes: the tables show
 * an address as numbers of 32 bits.
 */
export function remoteKeys(address: string, port: number, order: "LE" | "BE"): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const four = ipv4Bytes(address);
  if (four !== undefined) {
    return [four, [...MAPPED, ...four]].map((bytes) => `${wordsOf(bytes, order)}${end}`);
  }
  const sixteen = ipv6Bytes(address);
  return sixteen === undefined ? [] : [`${wordsOf(sixteen, order)}${end}`];
}

/** Bytes in hexadecimal digits, each four turned round where the machine has them so. */
function wordsOf(bytes: readonly number[], order: "LE" | "BE"): string {
  const words: string[] = [];
  for (let i = 0; i < bytes.length; i += 4) {
    const part = bytes.slice(i, i + 4);
    const word = order === "LE" ? part.reverse() : part;
    words.push(word.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(""));
  }
  return words.join("");
}

function ipv4Bytes(address: string): number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(address)) return undefined;
  return address.split(".").map(Number);
}

function ipv6Bytes(address: string): number[] | undefined {
  const [text = ""] = address.split("%");
  if (!/^[0-9a-f:]*:[0-9a-f:]*$/i.test(text)) return undefined;
  const [head = "", tail] = text.split("::");
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...Array<string>(Math.max(0, zeros)).fill("0"), ...after];
  if (all.length !== 8) return undefined;
  return all.map((group) => parseInt(group, 16)).flatMap((word) => [word >> 8, word & 255]);
}
