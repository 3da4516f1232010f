// The baseline: the loop that a user would write with modbus-serial and mqtt. JavaScript, so that nothing
// but what it needs is loaded. It has no grid, no account and no memory of what the broker did not take.
// Argument: a file with what to poll.
import { readFileSync } from "node:fs";
import modbusSerial from "modbus-serial";
import mqtt from "mqtt";

/**
 * @typedef {object} Task
 * @property {string} broker
 * @property {number} interval in ms
 * @property {number} timeout in ms
 * @property {{ id: string, port: number }[]} gateways
 * @property {{ address: number, count: number }[]} reads a point each, or float32 in a row
 */

const ModbusRTU = modbusSerial.default;

/** @type {Task} */
const { broker, interval, timeout, gateways, reads } = JSON.parse(
  readFileSync(process.argv[2] ?? "", "utf8"),
);
const client = await mqtt.connectAsync(broker);

/** @param {Buffer} data */
function numbersIn(data) {
  if (data.length === 2) return [data.readUInt16BE(0)];
  return Array.from({ length: data.length / 4 }, (_, n) => data.readFloatBE(4 * n));
}

/** @param {{ id: string, port: number }} gateway */
async function pollForever({ id, port }) {
  const device = new ModbusRTU();
  await device.connectTCP("127.0.0.1", { port });
  device.setID(1);
  device.setTimeout(timeout);
  setInterval(() => {
    poll().catch((/** @type {Error} */ error) => {
      console.error(`${id}: ${error.message}`);
    });
  }, interval);

  async function poll() {
    /** @type {Record<string, number>} */
    const values = {};
    for (const { address, count } of reads) {
      const { buffer } = await device.readHoldingRegisters(address, count);
      numbersIn(buffer).forEach((value, n) => {
        values[`p${String(address + 2 * n)}`] = value;
      });
    }
    const reading = { gateway: id, device: "unit", ts: Date.now(), values };
    client.publish(`polling/readings/${id}/unit`, JSON.stringify(reading), { qos: 1 });
  }
}

await Promise.all(gateways.map(pollForever));
console.log("{}");
process.once("SIGTERM", () => {
  client.end(() => process.exit());
});
