/** The jobs of cron on this machine. */
import { cronJobs } from "../core/crontab.ts";
import type { SeenJob } from "../core/machine.ts";
import type { Tree } from "./tree.ts";

const SYSTEM_TABLE = "/etc/crontab";
const SYSTEM_TABLES = "/etc/cron.d";
/** Crontabs of users by their names: Debian, then Red Hat, then SUSE. */
const USER_TABLES = ["/var/spool/cron/crontabs", "/var/spool/cron", "/var/spool/cron/tabs"];
/** What package managers and editors leave behind; cron passes it over. */
const LEFT_BEHIND = /^\.|~$|\.(dpkg-\w+|rpm\w+|bak|swp)$/;

/** All jobs that may be seen. */
export async function jobsOf(tree: Tree): Promise<SeenJob[]> {
  const names = (await tree.names(SYSTEM_TABLES)).filter((name) => !LEFT_BEHIND.test(name));
  const jobs: SeenJob[] = [];
  for (const file of [SYSTEM_TABLE, ...names.map((name) => `${SYSTEM_TABLES}/${name}`)]) {
    for (const job of cronJobs((await tree.text(file)) ?? "", true)) {
      jobs.push({ file, line: job.line, user: job.user ?? "", command: job.command });
    }
  }
  for (const folder of USER_TABLES) {
    const users = (await tree.names(folder)).filter((name) => !LEFT_BEHIND.test(name));
    for (const user of users) {
      const file = `${folder}/${user}`;
      for (const { line, command } of cronJobs((await tree.text(file)) ?? "", false)) {
        jobs.push({ file, line, user, command });
      }
    }
  }
  return jobs;
}
