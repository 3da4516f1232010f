/** The certificates of gateways: files that are there, are what they should be, and fit each other. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { messageOf } from "../core/errors.ts";
import type { TlsFiles } from "../core/model.ts";
import { parseConnection } from "./connection.ts";
import { mistakeAt } from "./mistakes.ts";
import { readText } from "./read-text.ts";
import type { Path } from "./places.ts";
import type { Settings } from "./schema.ts";
import type { YamlFile } from "./yaml-document.ts";
import type { Fault } from "./yaml-faults.ts";

/** More than any chain of certificates. */
const MOST_BYTES = 2 ** 20;

type TlsSettings = NonNullable<Settings["gateways"][number]["tls"]>;

/** What is wrong with the sections `tls` of gateways; `directory` is that of the configuration file. */
export function tlsFaults(file: YamlFile, directory: string, { gateways }: Settings): Fault[] {
  return gateways.flatMap(({ connection, tls }, index) => {
    if (tls === undefined) return [];
    const path: Path = ["gateways", index, "tls"];
    const parsed = parseConnection(connection);
    if ("connection" in parsed && parsed.connection.kind !== "tls") {
      const text = `is for tls:// and would not protect ${parsed.connection.kind}://`;
      return [mistakeAt(file, path, text, "key")];
    }
    return filesFaults(file, path, absoluteFiles(tls, directory));
  });
}

/** The files with their whole paths; those of the configuration are relative to its own. */
export function absoluteFiles(tls: TlsSettings, directory: string): TlsFiles {
  const paths = Object.entries(tls).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, resolve(directory, path)]],
  );
  // The keys are those of the section.
  return Object.fromEntries(paths) as TlsFiles;
}

function filesFaults(file: YamlFile, path: Path, files: TlsFiles): Fault[] {
  if ((files.cert === undefined) !== (files.key === undefined)) {
    const [there, missing] = files.cert === undefined ? ["key", "cert"] : ["cert", "key"];
    return [mistakeAt(file, path, `must have ${missing} beside ${there}: they belong together`)];
  }
  const faults: Fault[] = [];
  const read = <T>(name: keyof TlsFiles, parse: (text: string) => T, what: string) => {
    const source = files[name];
    if (source === undefined) return undefined;
    const fault = (why: string) =>
      void faults.push(mistakeAt(file, [...path, name], `names ${source}, which ${why}`));
    return contentOf(source, parse, `holds no ${what} in PEM`, fault);
  };
  read("ca", toCertificate, "certificate");
  const certificate = read("cert", toCertificate, "certificate");
  const key = read("key", createPrivateKey, "private key without a password");
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key)) {
    faults.push(mistakeAt(file, [...path, "key"], "is not the key of the certificate in tls.cert"));
  }
  return faults;
}

function toCertificate(text: string): X509Certificate {
  return new X509Certificate(text);
}

function contentOf<T>(
  path: string,
  parse: (text: string) => T,
  otherwise: string,
  fault: (why: string) => void,
): T | undefined {
  let text: string;
  try {
    text = readText(path, MOST_BYTES);
  } catch (error) {
    fault(messageOf(error));
    return undefined;
  }
  try {
    return parse(text);
  } catch {
    fault(otherwise);
    return undefined;
  }
}
