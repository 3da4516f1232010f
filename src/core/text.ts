/** Text in registers, two bytes each. */

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text before the first NUL, without spaces around it: UTF-8 where the bytes are, else Latin-1,
 * in which every byte is a character. Other control characters stay.
 */
export function textOf(bytes: DataView): string {
  const all = new Uint8Array(bytes.buffer);
  const end = all.indexOf(0);
  const part = end < 0 ? all : all.subarray(0, end);
  return trimmed(utf8Of(part) ?? String.fromCharCode(...part));
}

/**
 * Puts text into the bytes and NUL after it: UTF-8, or Latin-1 where only that has room.
 * What does not fit either way is cut off.
 */
export function putText(bytes: DataView, text: string): void {
  const all = new Uint8Array(bytes.buffer);
  const utf8 = new TextEncoder().encode(text);
  const codes = Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
  const isLatin1 = utf8.length > all.length && codes.every((code) => code <= 0xff);
  all.fill(0);
  all.set((isLatin1 ? Uint8Array.from(codes) : utf8).subarray(0, all.length));
}

/** The bytes as lower-case hexadecimal digits, two for each. */
export function hexOf(bytes: DataView): string {
  const all = new Uint8Array(bytes.buffer);
  return Array.from(all, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Puts hexadecimal digits into the bytes; what is no digit, or missing, is 0. */
export function putHex(bytes: DataView, hex: string): void {
  for (let i = 0; i < bytes.byteLength; i++) {
    bytes.setUint8(i, parseInt(hex.slice(2 * i, 2 * i + 2), 16) || 0);
  }
}

function utf8Of(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    // The decoder throws for bytes that are not UTF-8.
    return undefined;
  }
}

function trimmed(text: string): string {
  return text.replace(/^ +| +$/g, "");
}
