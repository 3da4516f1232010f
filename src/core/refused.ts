/** What stands in quarantine: a message that the broker refused, when and why. */
import { decodeSpooled, encodeSpooled, type Spooled } from "./records.ts";

/** A message that the broker refused. */
export interface RefusedMessage {
  /** Wall time of the refusal, ms. */
  readonly at: number;
  /** What the broker said, or was seen to do. */
  readonly reason: string;
  readonly spooled: Spooled;
}

/** Its text: when and why on a line, then the message as it was spooled. */
export function encodeRefused({ at, reason, spooled }: RefusedMessage): string {
  return `${String(at)} ${JSON.stringify(reason)}\n${encodeSpooled(spooled)}`;
}

/** The refused message of its text. */
export function decodeRefused(text: string): RefusedMessage {
  const end = text.indexOf("\n");
  const space = text.indexOf(" ");
  // As written by `encodeRefused`: the store has checked its checksum.
  const reason = JSON.parse(text.slice(space + 1, end)) as string;
  return {
    at: Number(text.slice(0, space)),
    reason,
    spooled: decodeSpooled(text.slice(end + 1)),
  };
}
