/** An answer in a form that goes over the control socket. */
import type { Answer } from "../core/ports.ts";

/** Why there is none. */
export type DirectFailure = Pick<
  Extract<Answer, { ok: false }>,
  "ok" | "reason" | "exception" | "detail"
>;

/** What a read got. */
export type DirectAnswer =
  | { readonly ok: true; readonly words: readonly number[]; readonly rtt: number }
  | DirectFailure;

/** The same of an answer of a link. */
export function answerOf(answer: Answer): DirectAnswer {
  if (!answer.ok) return failureOf(answer);
  const { words, sentAt, endedAt } = answer;
  return { ok: true, words: [...words], rtt: Math.round((endedAt - sentAt) * 10) / 10 };
}

/** A failure without its times. */
export function failureOf(answer: Extract<Answer, { ok: false }>): DirectFailure {
  const { ok, reason, exception, detail } = answer;
  return { ok, reason, detail, ...(exception === undefined ? {} : { exception }) };
}
