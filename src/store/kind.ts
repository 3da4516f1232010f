/** What lies at a path, without opening it: to open a named pipe would wait for ever. */
import { statSync } from "node:fs";

/** What lies at a path; symbolic links are followed. */
export function kindOf(path: string): "directory" | "file" | "other" | "absent" {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return "absent";
  if (found.isDirectory()) return "directory";
  return found.isFile() ? "file" : "other";
}
