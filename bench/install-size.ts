/** What an installed edgepoll takes on disk: the packed files, and the packages it needs at run time. */
import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { ROOT } from "./machine.ts";

/** Size in MB (10⁶ bytes of allocated blocks for packages, of content for what is packed). */
export function installSize(): number {
  const npm = (...args: string[]): string =>
    execFileSync("npm", args, { cwd: ROOT, encoding: "utf8" });
  // One package was packed, and npm says so in this form.
  const [packed] = JSON.parse(npm("pack", "--dry-run", "--ignore-scripts", "--json")) as {
    unpackedSize: number;
  }[];
  const folders = npm("ls", "--omit=dev", "--omit=peer", "--all", "--parseable")
    .split("\n")
    .filter((folder) => folder.includes(`${sep}node_modules${sep}`));
  const sizes = folders.map(sizeOf);
  return ((packed?.unpackedSize ?? 0) + sizes.reduce((sum, size) => sum + size, 0)) / 1e6;
}

/** Of a package without those in it, which npm lists themselves. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    if (entry.name === "node_modules") return sum;
    const path = join(folder, entry.name);
    // Blocks are of 512 bytes, see stat(2).
    return sum + (entry.isDirectory() ? sizeOf(path) : lstatSync(path).blocks * 512);
  }, 0);
}
