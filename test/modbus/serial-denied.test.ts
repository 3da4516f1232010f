/** A line that may not be opened: who may, and how to become one of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { denialText, type Denied } from "../../src/modbus/serial-error.ts";

const DIALOUT: Denied = {
  ...{ path: "/dev/ttyUSB0", mode: 0o20660, group: "dialout", members: ["pi"], user: "ann" },
};

test("a line that its group may use names the group, and how this user joins it", () => {
  assert.equal(
    denialText(DIALOUT),
    "no permission to open /dev/ttyUSB0, which belongs to group dialout. Next: sudo usermod -aG dialout ann and log in again; for a service SupplementaryGroups=dialout",
  );
  const member = denialText({ ...DIALOUT, user: "pi" });
  assert.match(member, /pi is in it, but was not at the login\. Next: log in again$/);
});

test("nobody joins a group that may not use the line, nor that of root, and root joins none", () => {
  const closed = denialText({ ...DIALOUT, mode: 0o20600 });
  assert.match(closed, /it has the mode 0600 and belongs to group dialout, so that no group /);
  assert.match(
    closed,
    / Next: sudo chgrp dialout \/dev\/ttyUSB0 && sudo chmod g\+rw \/dev\/ttyUSB0;/,
  );
  const half = denialText({ ...DIALOUT, mode: 0o20620 });
  const ofRoot = denialText({ ...DIALOUT, group: "root" });
  const root = denialText({ ...DIALOUT, user: "root" });
  assert.match(root, /not even for root: a container has to be given it, as with --device/);
  for (const text of [closed, half, ofRoot, root]) assert.doesNotMatch(text, /usermod/);
});
