/** The users of the machine. */
import type { Tree } from "./tree.ts";

/** A user. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

/** The users of `/etc/passwd`. */
export async function usersOf(tree: Tree): Promise<User[]> {
  const text = (await tree.text("/etc/passwd")) ?? "";
  return text.split("\n").flatMap((line): User[] => {
    const [name, , uid, , , home] = line.split(":");
    if (name === undefined || uid === undefined || home === undefined) return [];
    return [{ name, uid: Number(uid), home }];
  });
}
