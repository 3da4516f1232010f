/** Facts about this process. */
import { readFileSync } from "node:fs";

/** The process id. */
export const pid = process.pid;

/** The version of Node, such as `20.19.0`. */
export const nodeVersion = process.versions.node;

/** The version of edgepoll, from its package.json. */
export function version(): string {
  // The file lies two folders up from src/system and from dist/system alike.
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const found: unknown = JSON.parse(text);
  const known = typeof found === "object" && found !== null && "version" in found;
  return known ? String(found.version) : "unknown";
}

/** Wall time at which this was built, ms; 0 for what runs from its sources. */
export function builtAt(): number {
  try {
    // Beside the folders of dist/, as scripts/build.js writes it.
    return Date.parse(readFileSync(new URL("../built", import.meta.url), "utf8").trim()) || 0;
  } catch {
    return 0;
  }
}

/** Resident memory of the process, bytes. */
export function residentMemory(): number {
  return process.memoryUsage.rss();
}
