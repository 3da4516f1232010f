/** Why a serial line can't be opened, in words a person can act on. */
import { access, constants, readFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { messageOf } from "../core/errors.ts";
import { shellWord } from "../core/shell.ts";

/** The bits by which a group reads and writes. */
const GROUP_USES = 0o060;

/** The error of an open, with its cause and what to do next where that can be found out. */
export async function openError(path: string, error: unknown): Promise<Error> {
  return new Error(await causeOf(path, messageOf(error)), { cause: error });
}

async function causeOf(path: string, message: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    return `${path} is not there: its adapter is not plugged in, or has another name. Next: ls -l /dev/serial/by-id`;
  }
  if (!found.isCharacterDevice()) return `${path} is no serial line`;
  const denial = await denialOf(path);
  if (denial !== undefined) return denial;
  if (/lock|busy/i.test(message)) {
    return `${path} is in use by another program. Next: fuser -v ${shellWord(path)}`;
  }
  return `${path} can't be opened: ${message.replace(/^Error:? /, "")}`;
}

/** Why this user may not open a line, and what to do next; undefined when he may, or there is no line. */
export async function denialOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isCharacterDevice()) return undefined;
  const isAllowed = await access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isAllowed) return undefined;
  return denialText({ path, mode: found.mode, user: userName(), ...(await groupOf(found.gid)) });
}

/** A line that may not be opened. */
export interface Denied {
  readonly path: string;
  /** As of `stat`. */
  readonly mode: number;
  readonly group: string;
  /** Who is written down as in that group. */
  readonly members: readonly string[];
  readonly user: string;
}

/** The same in words. A service gets its groups from systemd, a person from the next login. */
export function denialText({ path, mode, group, members, user }: Denied): string {
  const head = `no permission to open ${path}`;
  const name = shellWord(path);
  if (user === "root") {
    return `${head}, not even for root: a container has to be given it, as with --device ${name}`;
  }
  if ((mode & GROUP_USES) !== GROUP_USES || group === "root") {
    const bits = (mode & 0o777).toString(8).padStart(4, "0");
    return (
      `${head}: it has the mode ${bits} and belongs to group ${group}, so that no group for users may ` +
      `read and write it. Next: sudo chgrp dialout ${name} && sudo chmod g+rw ${name}; a udev rule ` +
      'makes it last (GROUP="dialout", MODE="0660")'
    );
  }
  const belongs = `${head}, which belongs to group ${group}`;
  if (members.includes(user)) {
    return `${belongs}; ${user} is in it, but was not at the login. Next: log in again`;
  }
  return (
    `${belongs}. Next: sudo usermod -aG ${shellWord(group)} ${shellWord(user)} and log in again; ` +
    `for a service SupplementaryGroups=${group}`
  );
}

/** A group without a name goes by its number. */
async function groupOf(gid: number): Promise<Pick<Denied, "group" | "members">> {
  const text = await readFile("/etc/group", "utf8").catch(() => "");
  const fields = text.split("\n").map((line) => line.split(":"));
  const [group = String(gid), , , members = ""] =
    fields.find(([, , id]) => id === String(gid)) ?? [];
  return { group, members: members.split(",") };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "USER";
  }
}
