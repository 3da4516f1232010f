/** Asks a running node. */
import { connect } from "node:net";
import {
  EdgepollError,
  NoNodeError,
  PermissionError,
  UnavailableError,
  messageOf,
} from "../core/errors.ts";
import { sudoFor } from "./owner.ts";
import { readAnswer, requestLine } from "./protocol.ts";

/** Characters of an answer. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

/**
 * The data a node answers at its control socket; `timeout` in ms without a sign of life.
 * Throws `NoNodeError` NODE_ABSENT, `PermissionError`, `UnavailableError` NODE_UNRESPONSIVE, or what the node answers.
 */
export async function askControl(
  path: string,
  verb: string,
  args: Record<string, unknown>,
  timeout = 10_000,
): Promise<unknown> {
  return readAnswer(await exchange(path, requestLine(verb, args), timeout));
}

/**
 * The data a node answers and, one by one, the lines that follow it; `take` sets the pace. That the last line
 * was there is for the caller to see. Throws as `askControl`.
 */
export async function readControl(
  path: string,
  verb: string,
  args: Record<string, unknown>,
  take: (line: string) => Promise<void>,
  timeout = 60_000,
): Promise<unknown> {
  const socket = connect({ path });
  socket.setEncoding("utf8");
  socket.setTimeout(timeout, () => {
    const text = `The node at ${path} did not go on in ${String(timeout)} ms.`;
    socket.destroy(unresponsive(text));
  });
  socket.write(requestLine(verb, args));
  let answer: { readonly data: unknown } | undefined;
  let rest = "";
  try {
    for await (const part of socket) {
      // Text, by the encoding set above.
      const lines = (rest + String(part)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (answer === undefined) answer = { data: readAnswer(line) };
        else await take(line);
      }
    }
  } catch (error) {
    throw error instanceof EdgepollError ? error : asFailure(error, path);
  } finally {
    socket.destroy();
  }
  if (answer !== undefined) return answer.data;
  throw unresponsive(`The node at ${path} closed the connection without an answer.`);
}

/** Errors of a socket carry its address; others are of those who take the lines. */
function asFailure(error: unknown, path: string): unknown {
  const isSocket = error instanceof Error && "address" in error && error.address === path;
  return isSocket ? failureOf(error, path) : error;
}

function exchange(path: string, request: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    let failure: EdgepollError = unresponsive(
      `The node at ${path} closed the connection without an answer.`,
    );
    const parts: string[] = [];
    let length = 0;
    socket.setEncoding("utf8");
    socket.setTimeout(timeout, () => {
      failure = unresponsive(`The node at ${path} did not answer in ${String(timeout)} ms.`);
      socket.destroy();
    });
    socket.on("data", (part: string) => {
      parts.push(part);
      length += part.length;
      if (part.includes("\n") || length > LONGEST_ANSWER) socket.destroy();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      failure = failureOf(error, path);
    });
    socket.on("close", () => {
      const [line, rest] = parts.join("").split("\n", 2);
      if (line !== undefined && rest !== undefined) resolve(line);
      else reject(failure);
    });
    socket.write(request);
  });
}

function failureOf(error: NodeJS.ErrnoException, path: string): EdgepollError {
  switch (error.code) {
    case "ENOENT":
    case "ECONNREFUSED": {
      const text = `No node runs: nothing listens at ${path}. edgepoll start starts one.`;
      return new NoNodeError("NODE_ABSENT", text, error);
    }
    case "EACCES":
    case "EPERM": {
      const sudo = sudoFor(path);
      const hint = sudo === undefined ? "Ask as that user." : `Ask with: ${sudo} edgepoll …`;
      const text = `The node at ${path} belongs to another user. ${hint}`;
      return new PermissionError("PERMISSION", text, error);
    }
    default:
      return unresponsive(`The node at ${path} can't be reached: ${messageOf(error)}.`, error);
  }
}

function unresponsive(text: string, cause?: Error): UnavailableError {
  const hint = "It may be busy or stuck, and may still do what was asked; its log says more.";
  return new UnavailableError("NODE_UNRESPONSIVE", `${text} ${hint}`, cause);
}
