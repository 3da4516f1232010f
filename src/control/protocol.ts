/** The lines of the control socket: `{"verb","args"}` there, `{"ok","data"}` or `{"ok","error"}` back. */
import { ERROR_CODES, EdgepollError, type ErrorCode, UsageError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";

/** Does what a verb says and gives back the data of the answer. */
export type Handle = (verb: string, args: Record<string, unknown>) => Promise<unknown>;

/** An answer that goes on with lines after its data; none of them holds a line break. */
export class Lines {
  readonly data: unknown;
  readonly lines: AsyncIterable<string>;

  constructor(data: unknown, lines: AsyncIterable<string>) {
    this.data = data;
    this.lines = lines;
  }
}

/** An answer as text: its line, and the lines that follow. */
export interface AnswerText {
  readonly line: string;
  readonly more?: AsyncIterable<string>;
}

/** The request as a line. */
export function requestLine(verb: string, args: Record<string, unknown>): string {
  return `${JSON.stringify({ verb, args })}\n`;
}

/** The answer to a request's line; undefined is a request that was too long. */
export async function answerTo(
  line: string | undefined,
  handle: Handle,
  log: Log,
): Promise<AnswerText> {
  try {
    const { verb, args } = parseRequest(line);
    const answer = await handle(verb, args);
    if (!(answer instanceof Lines)) return { line: okLine(answer) };
    return { line: okLine(answer.data), more: untilError(answer.lines, log) };
  } catch (error) {
    return { line: errorLine(error, log) };
  }
}

function okLine(data: unknown): string {
  return `${JSON.stringify({ ok: true, data })}\n`;
}

function errorLine(error: unknown, log: Log): string {
  const known = error instanceof EdgepollError;
  if (!known) log.error({ error }, "a command met a bug");
  const message = known ? error.message : "A bug in edgepoll; the log of the node says where.";
  const code: ErrorCode = known ? error.code : "INTERNAL";
  return `${JSON.stringify({ ok: false, error: { code, message } })}\n`;
}

/** The lines; one that can't be had is told as an answer of its own, and is the last. */
async function* untilError(lines: AsyncIterable<string>, log: Log): AsyncGenerator<string> {
  try {
    for await (const line of lines) yield `${line}\n`;
  } catch (error) {
    yield errorLine(error, log);
  }
}

/** The data of an answer's line. Throws the error that the answer tells, or INTERNAL when it makes no sense. */
export function readAnswer(line: string): unknown {
  const answer = parseObject(line);
  if (answer?.["ok"] === true) return answer["data"];
  const error = answer?.["ok"] === false ? asObject(answer["error"]) : undefined;
  if (!error) throw new EdgepollError("INTERNAL", "The node's answer makes no sense.");
  const message = String(error["message"]);
  if (isErrorCode(error["code"])) throw new EdgepollError(error["code"], message);
  throw new EdgepollError("INTERNAL", `${String(error["code"])}: ${message}`);
}

function parseRequest(line: string | undefined): { verb: string; args: Record<string, unknown> } {
  if (line === undefined) throw new UsageError("USAGE", "A request has at most 64 KiB.");
  const request = parseObject(line);
  const args = asObject(request?.["args"] ?? {});
  const verb = request?.["verb"];
  if (typeof verb === "string" && args) return { verb, args };
  throw new UsageError("USAGE", 'A request is a line like {"verb":"status","args":{}}.');
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  const is = typeof value === "object" && value !== null && !Array.isArray(value);
  return is ? (value as Record<string, unknown>) : undefined; // any object may be read so
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code);
}
