/** Rows of the fault table: devices that cannot be connected to. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import { failureOf, holding, openLink, startPython, TIMEOUT, watchSockets } from "../modbus/rig.ts";
import { runAlone } from "../support/alone.ts";
import { faultRow } from "../support/fault-row.ts";

/** Listens, never accepts, and fills its own backlog: the kernel leaves further connects hanging. */
const BLACK_HOLE = `
import socket, sys
hole = socket.socket()
hole.bind(("127.0.0.1", 0))
hole.listen(0)
fill = [socket.socket() for _ in range(4)]
for one in fill:
    one.setblocking(False)
    one.connect_ex(hole.getsockname())
print(hole.getsockname()[1], flush=True)
sys.stdin.read()
`;

describe("in a network of its own", { concurrency: true }, () => {
  faultRow(
    {
      id: "D1",
      fault: "refuses connections",
      done: "nobody listens at the port, with slots of 100 ms and three retries configured, until eight connects were seen on the wire of a network of its own",
      must: "failed as connect_failed; connects are not retried within a slot, and at least 100, 200, 400 and then 500 ms apart",
    },
    (t) => runAlone(t, "refused.ts"),
  );

  faultRow(
    {
      id: "D16",
      fault: "a name does not resolve, and the resolver is silent",
      done: "eight gateways have names about which the only name server keeps silent, in a network of its own; the broker is restarted meanwhile",
      must: "gateways with other hosts keep every slot, and the link to the broker is made again",
    },
    (t) => runAlone(t, "silent-names.ts"),
  );
});

faultRow(
  {
    id: "D2",
    fault: "black hole on connect",
    done: "the kernel leaves the connect hanging: the accept backlog of the device is full",
    must: "the connect fails at its deadline, and there is never a second socket",
  },
  async (t) => {
    const hole = await startPython(t, ["-c", BLACK_HOLE]);
    const sockets = watchSockets(t);
    const { link, clock } = openLink(t, hole);
    const reading = link.read(holding(5), TIMEOUT);
    await clock.advance(TIMEOUT);
    const answer = await reading;
    const reason = "connect_failed";
    assert.deepEqual(failureOf(answer), { reason, detail: "no connection within 300 ms" });
    assert.equal(answer.sentAt, null);
    await sockets.closed();
    assert.equal(sockets.made(), 1);
    assert.equal(sockets.overlaps(), 0);
    return "failed after 300 ms of the link's clock; 1 socket made, and closed";
  },
);
