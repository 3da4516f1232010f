/** What is said while a line is listened to before the first request. */
import { interval } from "./durations.ts";
import type { Output } from "./output.ts";

/** Says for how many ms, and why. */
export function listening(out: Output): (ms: number) => void {
  return (ms) => {
    out.note(
      `listening for ${interval(ms)}: an answer to somebody else may still come on this line`,
    );
  };
}
