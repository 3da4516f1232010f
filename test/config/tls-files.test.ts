import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../src/config/load.ts";
import { createTempDir } from "../support/temp-dir.ts";

const host = { hostName: "box", defaultStateDir: () => "/state" };
const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../support/certificates/${name}`, import.meta.url));

/** Reads a site of one gateway with these certificates. */
function read(t: TestContext, tls: (directory: string) => object) {
  const directory = createTempDir(t);
  const path = join(directory, "plant.yaml");
  const points = [{ id: "power", table: "holding", address: 0, type: "float32" }];
  const devices = [{ id: "plc", unitId: 1, points }];
  const gateway = { id: "hall", connection: "tls://box", tls: tls(directory), devices };
  writeFileSync(path, JSON.stringify({ gateways: [gateway] }));
  return () => loadConfig(path, () => undefined, host).site;
}

test("certificates are found from where the configuration is", (t) => {
  const files = { ca: pathOf("authority.pem"), cert: pathOf("node.pem"), key: pathOf("node.key") };
  const site = read(t, (directory) =>
    Object.fromEntries(
      Object.entries(files).map(([key, path]) => [key, relative(directory, path)]),
    ),
  );
  assert.deepEqual(site().gateways[0]?.tls, files);
});

test("a key that does not fit its certificate, and files that are none, are refused", (t) => {
  const other = { cert: pathOf("node.pem"), key: pathOf("gateway.key") };
  assert.throws(
    read(t, () => other),
    /tls\.key is not the key of the certificate in tls\.cert/,
  );
  const turned = { cert: pathOf("node.key"), key: pathOf("node.pem") };
  assert.throws(
    read(t, () => turned),
    /node\.key, which holds no certificate in PEM[^]*node\.pem, which holds no private key/,
  );
});
