/** The bytes of a value on disk: record version (1 byte), CRC-32 of all the rest (4, big end first), text. */
import { crc32 } from "node:zlib";
import { StoreError } from "../core/errors.ts";
import { damage } from "./damage.ts";

/** Version of the records this edgepoll writes; later versions keep the first five bytes as they are. */
export const RECORD_VERSION = 1;

const HEAD = 5;

/** The frame of a text under its key; a record that strays to another key does not pass for that one's. */
export function encodeFrame(key: string, text: string, version = RECORD_VERSION): Buffer {
  const frame = Buffer.allocUnsafe(HEAD + Buffer.byteLength(text));
  frame.writeUInt8(version, 0);
  frame.writeUInt32BE(crc32(text, crc32(`${key}\0${String.fromCharCode(version)}`)), 1);
  frame.write(text, HEAD);
  return frame;
}

/** The text in a frame. Throws `StoreError` STORE_DAMAGED or STORE_VERSION, with the key in its `cause`. */
export function decodeFrame(key: string, frame: Uint8Array): string {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (bytes.length < HEAD || bytes.readUInt32BE(1) !== checksum(key, bytes)) {
    throw damage(
      `The record ${JSON.stringify(key)} on disk has a wrong checksum; most likely the disk is ` +
        "failing or power was lost.",
      { key },
    );
  }
  const version = bytes.readUInt8(0);
  if (version > RECORD_VERSION) {
    throw new StoreError(
      "STORE_VERSION",
      `The record ${JSON.stringify(key)} has version ${String(version)}; this edgepoll knows ` +
        `versions up to ${String(RECORD_VERSION)}. Install the edgepoll that wrote it.`,
      { key, version },
    );
  }
  return bytes.toString("utf8", HEAD);
}

function checksum(key: string, frame: Buffer): number {
  const start = crc32(`${key}\0`);
  return crc32(frame.subarray(HEAD), crc32(frame.subarray(0, 1), start));
}
