/** Why a simulator can't listen, and what to do about it. */
import { messageOf, PermissionError, UnavailableError } from "../core/errors.ts";

/** `PORT_TAKEN`, `PERMISSION` or `ADDRESS_UNAVAILABLE`. */
export function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const place = `port ${String(port)} on ${host}`;
  if (error.code === "EADDRINUSE") {
    const text = `The simulator can't listen: ${place} is taken. Choose another with --port, or --port 0 for any free one.`;
    return new UnavailableError("PORT_TAKEN", text, error);
  }
  if (error.code === "EACCES") {
    const text = `The simulator may not listen to ${place}. Choose one above 1023 with --port.`;
    return new PermissionError("PERMISSION", text, error);
  }
  const text = `The simulator can't listen to ${place}: ${messageOf(error)}. Choose another address with --host.`;
  return new UnavailableError("ADDRESS_UNAVAILABLE", text, error);
}
