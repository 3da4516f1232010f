import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { isScalar, parseDocument, visit } from "yaml";
import { ConfigError } from "../../src/core/errors.ts";
import { loadConfig } from "../../src/config/load.ts";

const folder = mkdtempSync(join(tmpdir(), "edgepoll-secrets-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const SECRET = "Planted:7411/secret";
const host = { hostName: "box", defaultStateDir: () => "/state" };
const env = (name: string) => ({ SECRET, CREDENTIALS_DIRECTORY: folder })[name];
const demo = withPoints(textOf("edgepoll.yaml"), textOf("profiles/edgepoll/energy-meter.yaml"));

function textOf(name: string): string {
  return readFileSync(new URL(`../../config/${name}`, import.meta.url), "utf8");
}

/** A configuration whose first device has the points of a profile written out besides. */
function withPoints(config: string, profile: string): string {
  const points = profile.slice(profile.indexOf("\npoints:")).replaceAll("\n", "\n        ");
  return config.replace(/profile: .*/, (line) => line + points);
}

/** What a load says to a person: errors and warnings. */
function said(text: string): string {
  const path = join(folder, "edgepoll.yaml");
  writeFileSync(path, text);
  try {
    return loadConfig(path, env, host).warnings.join("\n");
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
}

/** The demo with its n-th value replaced, undefined when there are not so many. */
function replaced(n: number, value: string): string | undefined {
  const document = parseDocument(demo);
  let seen = 0;
  visit(document, {
    Scalar(key, node) {
      if (key !== "key" && seen++ === n) node.value = value;
    },
  });
  return n < seen && isScalar(document.get("node", true)) ? document.toString() : undefined;
}

for (const reference of ["${ENV:SECRET}", "${FILE:secret}", "${CRED:secret}", "x${ENV:SECRET}"]) {
  test(`no message shows what ${reference} stands for, wherever it stands`, () => {
    writeFileSync(join(folder, "secret"), SECRET);
    let refused = 0;
    let n = 0;
    for (let text = replaced(n, reference); text !== undefined; text = replaced(++n, reference)) {
      const message = said(text);
      assert.ok(!/planted|7411/i.test(message), message);
      if (message !== "") refused++;
    }
    assert.ok(n > 60 && refused > 40, `${String(refused)} of ${String(n)} were refused`);
  });
}

test("no message shows a password that stands in the file, or one in a URL", () => {
  const lines = [
    `mqtt: { password: ${SECRET}, colour: red }`,
    `mqtt: { password: "${SECRET}", colour: red, broker: x }`,
    `mqtt: { colour: red, 'password': '${SECRET}' }`,
    `mqtt:\n  password: [${SECRET}]`,
    `mqtt:\n  password: "${SECRET}\\q"`,
    `mqtt:\n  password: @${SECRET}`,
    `mqtt:\n  password: *${SECRET}`,
    `mqtt:\n  password: !${SECRET} x`,
    `mqtt:\n  password: ${SECRET}: x`,
    `mqtt: { broker: mqtt://broker, username: u, pasword: ${SECRET} }`,
    `mqtt: { broker: x, Passwort: ${SECRET} }`,
    `mqtt: { colour: ${SECRET}, broker: x }`,
    `mqtt: { pwd: x ${SECRET}, 7: [${SECRET}] }`,
    `mqtt:\n  auth: { user: u, word: ${SECRET} }`,
    `mqtt: { password=${SECRET} }`,
    `mqtt:\n  password=${SECRET}`,
    `mqtt:\n  password ${SECRET}`,
    `mqtt:\n  username: u\n   pasword: ${SECRET}`,
    `mqtt:\n  username: u\n   colour: ${SECRET}`,
    `mqtt:\n  pasword: "${SECRET}`,
    `mqtt: { password ${SECRET} }`,
    `mqtt: { embedded: { users: [{ name: a, word: ${SECRET} }] } }`,
    `users: [{ name: a, word: ${SECRET} }]`,
    `log: { token: ${SECRET}, level: x }`,
    `mqtt: { broker: "mqtts://user:${SECRET.replace("/", "")}@broker" }`,
  ];
  for (const line of lines) {
    const message = said(`${line}\n${demo.replace(/^mqtt:[^]*?\nlog:/m, "log:")}`);
    assert.match(message, /mistakes?$/);
    assert.ok(!/planted|7411/i.test(message), message);
  }
});
