/** Errors, by what the catcher does with them. */

/** Every code an error of edgepoll can carry, with what it means; `docs/errors.md` lists the same. */
export const ERROR_CODES = {
  USAGE: "The command line has an unknown command, an unknown option or a missing value.",
  CONFIG_MISSING: "No configuration file was found.",
  CONFIG_UNREADABLE: "The configuration file can't be read.",
  CONFIG_INVALID: "The configuration has mistakes; each is named with its place.",
  NODE_ABSENT: "No node runs on this state directory.",
  NODE_UNRESPONSIVE: "A node runs, but did not answer in time.",
  ALREADY_RUNNING: "Another edgepoll holds the state directory.",
  ENDPOINT_HELD: "Another edgepoll polls the same endpoint.",
  PORT_TAKEN: "The port to listen on is taken.",
  ADDRESS_UNAVAILABLE: "The address to listen on does not exist here or may not be used.",
  PERMISSION: "The operating system refused.",
  STATE_DIRECTORY: "The state directory can't be made or used.",
  STORE_FAILED: "The store could not read or write.",
  STORE_DAMAGED:
    "A record on disk has a wrong checksum, or a file of the database is damaged or gone.",
  STORE_VERSION: "The store was written by a newer edgepoll.",
  PUBLISH_LOST: "The connection to the broker ended before the acknowledgement.",
  PUBLISH_CUT: "The broker ended the connection while a message was on its way.",
  PUBLISH_REFUSED: "The broker refused a message.",
  MODEL_UNKNOWN: "There is no simulated device of that name.",
  VALUE_UNFIT: "A value does not fit the type, the range or the labels of its point.",
  NO_ANSWER: "A device could not be reached, did not answer, or refused.",
  WRITE_UNKNOWN: "It is not known whether a write to a device was carried out.",
  FILE_FAILED: "A file that was named can't be read or written, or is there already.",
  BACKUP_DAMAGED: "A backup is damaged or cut short, or the file is none.",
  BACKUP_VERSION: "A backup was made by a newer edgepoll.",
  INTERNAL: "A bug in edgepoll.",
} as const;

/** One of the codes of `ERROR_CODES`. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Root of all errors that edgepoll raises on purpose; the message is meant for a person. */
export class EdgepollError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
  }
}

/** The command line is wrong. Exit 64. */
export class UsageError extends EdgepollError {}

/** The configuration is wrong or missing. Exit 78. */
export class ConfigError extends EdgepollError {}

/** Something else holds what is needed. Exit 75. */
export class LockedError extends EdgepollError {}

/** A port or a peer is not to be had. Exit 69. */
export class UnavailableError extends EdgepollError {}

/** No node runs. Exit 3. */
export class NoNodeError extends EdgepollError {}

/** The operating system refused. Exit 77. */
export class PermissionError extends EdgepollError {}

/** The state directory can't be used. Exit 73. */
export class StateDirectoryError extends EdgepollError {}

/** The store failed: exit 74; its files are damaged or of another version: exit 73. */
export class StoreError extends EdgepollError {}

/** A message was not acknowledged; `code` says whether it is to be sent again (`PUBLISH_LOST`, `PUBLISH_CUT`). */
export class PublishError extends EdgepollError {}

/** A value does not fit its point. Exit 65. */
export class ValueError extends EdgepollError {}

/** A file that a person named can't be used. Exit 74. */
export class FileError extends EdgepollError {}

/** A backup can't be restored. Exit 65. */
export class BackupError extends EdgepollError {}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
