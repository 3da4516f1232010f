/** Damage at random: what a failing disk, a careless hand or a half-finished copy does to a database. */
import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** How much of a log is damaged at most: its last record can't be told from one that a power cut has cut off. */
const OF_A_LOG = 0.95;
const SECTOR = 512;

/** Damages one file of the database in a state directory; gives back what was done to which. */
export function mutate(directory: string, random: () => number): string {
  const path = join(directory, "db");
  const names = readdirSync(path).filter((name) =>
    /^(CURRENT|MANIFEST.*|.*\.(ldb|log))$/.test(name),
  );
  const name = names[Math.floor(random() * names.length)] ?? "CURRENT";
  const file = join(path, name);
  const bytes = readFileSync(file);
  const isLog = name.endsWith(".log");
  const at = Math.floor(random() * bytes.length * (isLog ? OF_A_LOG : 1));
  const end = Math.min(at + SECTOR, Math.floor(bytes.length * (isLog ? OF_A_LOG : 1)));
  const kind = KINDS[Math.floor(random() * KINDS.length)] ?? "bit";
  if (kind === "gone" || (kind === "cut" && isLog)) {
    rmSync(file);
    return `${name} removed`;
  }
  if (kind === "cut") {
    truncateSync(file, at);
    return `${name} cut at ${String(at)} of ${String(bytes.length)}`;
  }
  if (kind === "zeros") bytes.fill(0, at, end);
  else if (kind === "noise")
    bytes.set(
      bytes.subarray(at, end).map(() => Math.floor(random() * 256)),
      at,
    );
  else bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
  writeFileSync(file, bytes);
  return `${name} ${kind} at ${String(at)} of ${String(bytes.length)}`;
}

/** One bit flipped, a sector of zeros or of anything, the rest cut off, the file gone. */
const KINDS = ["bit", "bit", "zeros", "noise", "cut", "gone"] as const;
