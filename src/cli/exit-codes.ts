/** The exit codes of the command line. */
import { Refused, type Refusal } from "../core/command.ts";
import { EdgepollError, type ErrorCode } from "../core/errors.ts";

/** Every exit code, by what it says. */
export const EXIT = {
  ok: 0,
  degraded: 1,
  noNode: 3,
  usage: 64,
  badData: 65,
  unavailable: 69,
  bug: 70,
  stateDirectory: 73,
  io: 74,
  alreadyRunning: 75,
  permission: 77,
  configuration: 78,
} as const;

const OF_ERROR: Readonly<Record<ErrorCode, number>> = {
  USAGE: EXIT.usage,
  CONFIG_MISSING: EXIT.configuration,
  CONFIG_UNREADABLE: EXIT.configuration,
  CONFIG_INVALID: EXIT.configuration,
  NODE_ABSENT: EXIT.noNode,
  NODE_UNRESPONSIVE: EXIT.unavailable,
  ALREADY_RUNNING: EXIT.alreadyRunning,
  ENDPOINT_HELD: EXIT.alreadyRunning,
  PORT_TAKEN: EXIT.unavailable,
  ADDRESS_UNAVAILABLE: EXIT.unavailable,
  PERMISSION: EXIT.permission,
  STATE_DIRECTORY: EXIT.stateDirectory,
  STORE_FAILED: EXIT.io,
  STORE_DAMAGED: EXIT.stateDirectory,
  STORE_VERSION: EXIT.stateDirectory,
  PUBLISH_LOST: EXIT.unavailable,
  PUBLISH_CUT: EXIT.unavailable,
  PUBLISH_REFUSED: EXIT.unavailable,
  MODEL_UNKNOWN: EXIT.unavailable,
  VALUE_UNFIT: EXIT.badData,
  NO_ANSWER: EXIT.unavailable,
  WRITE_UNKNOWN: EXIT.unavailable,
  FILE_FAILED: EXIT.io,
  BACKUP_DAMAGED: EXIT.badData,
  BACKUP_VERSION: EXIT.badData,
  INTERNAL: EXIT.bug,
};

const OF_REFUSAL: Readonly<Record<Refusal, number>> = {
  malformed: EXIT.badData,
  unknown_key: EXIT.badData,
  unknown_verb: EXIT.badData,
  not_supported: EXIT.badData,
  gateway_required: EXIT.badData,
  gateway_unknown: EXIT.badData,
  gateway_disabled: EXIT.badData,
  device_unknown: EXIT.badData,
  expired: EXIT.badData,
  busy: EXIT.unavailable,
  config_refused: EXIT.configuration,
  store_failed: EXIT.io,
  internal: EXIT.bug,
};

/** The exit code for anything thrown; what is not known is a bug. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof EdgepollError) return OF_ERROR[error.code];
  return error instanceof Refused ? OF_REFUSAL[error.code] : EXIT.bug;
}
