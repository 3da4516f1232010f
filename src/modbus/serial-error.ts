/** Why a serial line can't be opened, in words a person can act on. */
import { access, constants, readFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { messageOf } from "../core/errors.ts";
import { shellWord } from "../core/shell.ts";

/** The error of an open, with its cause and what to do next where that can be found out. */
export async function openError(path: string, error: unknown): Promise<Error> {
  return new Error(await causeOf(path, messageOf(error)), { cause: error });
}

async function causeOf(path: string, message: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  const name = shellWord(path);
  if (found === undefined) {
    return `${path} is not there: its adapter is not plugged in, or has another name. Next: ls -l /dev/serial/by-id`;
  }
  if (!found.isCharacterDevice()) return `${path} is no serial line`;
  const isAllowed = await access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isAllowed) return denied(path, await groupName(found.gid));
  if (/lock|busy/i.test(message)) {
    return `${path} is in use by another program. Next: fuser -v ${name}`;
  }
  return `${path} can't be opened: ${message.replace(/^Error:? /, "")}`;
}

/** A service gets its groups from systemd, a person from the next login. */
function denied(path: string, group: string): string {
  return (
    `no permission to open ${path}, which belongs to group ${group}. ` +
    `Next: sudo usermod -aG ${shellWord(group)} ${shellWord(userName())} and log in again; ` +
    `for a service SupplementaryGroups=${group}`
  );
}

/** Its number, when there is no name for it. */
async function groupName(gid: number): Promise<string> {
  const text = await readFile("/etc/group", "utf8").catch(() => "");
  const fields = text.split("\n").map((line) => line.split(":"));
  return fields.find(([, , id]) => id === String(gid))?.[0] ?? String(gid);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return "USER";
  }
}
