/** Tables of cron jobs (crontab(5)). */

/** A job. */
export interface CronJob {
  /** From 1. */
  readonly line: number;
  /** Undefined in the crontab of a user, which belongs to that one. */
  readonly user?: string;
  readonly command: string;
}

const TIMES = /^(?:@\w+|(?:[\d*][^\s=]*\s+){2}(?:[\w*][^\s=]*\s+){2}[\w*][^\s=]*)\s+(.*)$/;

/** The jobs of a table's text; those of the system name a user before the command. */
export function cronJobs(text: string, isOfSystem: boolean): CronJob[] {
  return text.split("\n").flatMap((line, index): CronJob[] => {
    const rest = TIMES.exec(line.trim())?.[1];
    if (rest === undefined) return [];
    if (!isOfSystem) return [{ line: index + 1, command: rest }];
    const [, user = "", command = ""] = /^(\S+)\s+(.*)$/.exec(rest) ?? [];
    return command === "" ? [] : [{ line: index + 1, user, command }];
  });
}
