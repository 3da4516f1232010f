/** What is wrong with a certificate, in words. */
import { textOf } from "./wire.ts";

const NO_TLS = "no TLS is spoken there; is it Modbus TCP without it (tcp://)?";

/** By the code of the error, which is OpenSSL's or Node's. */
const CAUSES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "the gateway's certificate is signed by itself; if it is the right one, name it as tls.ca",
  SELF_SIGNED_CERT_IN_CHAIN:
    "the authority of the gateway's certificate is not among those trusted here; name it as tls.ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the authority of the gateway's certificate is not known here; name it as tls.ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the authority of the gateway's certificate is not known here; name it as tls.ca",
  CERT_HAS_EXPIRED: "the gateway's certificate has expired, or the clock of this machine is wrong",
  CERT_NOT_YET_VALID:
    "the gateway's certificate is not valid yet, or the clock of this machine is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: "the gateway's certificate is for another name",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    "the gateway wants a certificate of this node; name it as tls.cert and tls.key",
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    "the gateway refuses; it may want a certificate of this node (tls.cert, tls.key)",
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    "the gateway does not know the authority of this node's certificate (tls.cert)",
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE:
    "the gateway does not take this node's certificate (tls.cert)",
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    "the gateway says that this node's certificate has expired (tls.cert)",
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: "tls.key is not the key of tls.cert",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "the gateway speaks no TLS as new as 1.2",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the gateway speaks no TLS as new as 1.2",
};

/** The error with its cause in words where it is known, for a connection to `tls://`. */
export function tlsError(error: NodeJS.ErrnoException): Error {
  if (/before secure TLS connection/.test(error.message)) return hungUp();
  const reason = reasonOf(error);
  const cause = CAUSES[error.code ?? ""];
  if (cause !== undefined)
    return new Error(`${cause} (${reason ?? textOf(error)})`, { cause: error });
  if (reason === undefined) return error;
  return new Error(`TLS can't be agreed upon: ${reason}`, { cause: error });
}

/** That the other side ends the connection before TLS stands. */
export function hungUp(): Error {
  return new Error("it hangs up at the first word of TLS; is it Modbus TCP without it (tcp://)?");
}

/** Why certificate and key can't be used, before anything was sent. */
export function fileError(error: unknown): Error {
  const known: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  if (CAUSES[known.code ?? ""] !== undefined) return tlsError(known);
  const text = `tls.ca, tls.cert or tls.key can't be used: ${reasonOf(known) ?? known.message}`;
  return new Error(text, { cause: error });
}

/** The few words in what OpenSSL says, which else has numbers, names of functions and of source files. */
function reasonOf(error: Error): string | undefined {
  if ("reason" in error && typeof error.reason === "string" && /:error:/.test(error.message)) {
    return error.reason;
  }
  const [, reason] = /error:[0-9A-F]{8}:[^:]*:[^:]*:([^:]+)/i.exec(error.message) ?? [];
  return reason;
}
