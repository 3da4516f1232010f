import assert from "node:assert/strict";
import test from "node:test";
import { plain } from "../../src/cli/paint.ts";
import { validationLines } from "../../src/cli/validation-text.ts";
import { MISS_REASONS, type MissReason } from "../../src/core/outcome.ts";
import type { ScheduleRow } from "../../src/core/validation.ts";

function linesOf(missed: Partial<Record<MissReason, number>>, unknown: number): string[] {
  const row: ScheduleRow = {
    ...{ gateway: "a", interval: 1000, epochs: 1, due: 20, good: 10, partial: 0, failed: 0 },
    ...{ missed, unknown, lost: 0, open: 0, worstGap: null, late: { p50: 1, p99: 2 } },
  };
  const validation = { records: 1, schedules: [row], findings: [], more: 0 };
  return validationLines(validation, {
    paint: plain,
    caller: "edgepoll",
    sameNode: "",
    live: true,
  });
}

test("the words of the table are explained where they stand, and no others", () => {
  const lines = linesOf({ down: 4, disabled: 5 }, 1);
  assert.deepEqual(lines.slice(2, -1), [
    "missed   down: no node ran; disabled: all devices were left out, as they gave no answer",
    "unknown  claimed, and the process died before the outcome was on disk; perhaps polled, never polled again",
  ]);
  assert.equal(linesOf({}, 0).length, 3);
});

test("a finding names its commands in the words of this command line", () => {
  const text = "It is damaged. Go on: edgepoll start --repair keeps it.";
  const finding = { kind: "damaged", text, next: "edgepoll start --repair" } as const;
  const validation = { records: 1, schedules: [], findings: [finding], more: 0 };
  const drawing = { paint: plain, caller: "./ep", sameNode: " --state-dir s", live: false };
  assert.deepEqual(validationLines(validation, drawing).slice(0, 2), [
    "finding  It is damaged. Go on: ./ep start --config FILE --state-dir s --repair keeps it.",
    "         next: ./ep start --repair --config FILE --state-dir s",
  ]);
});

test("every reason of a missed slot has its words", () => {
  for (const reason of MISS_REASONS) assert.match(linesOf({ [reason]: 1 }, 0)[2] ?? "", /: .{8}/);
});
