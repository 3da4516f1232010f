/** What is wrong with a certificate, in words. */
import { textOf } from "./wire.ts";

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
  ERR_SSL_WRONG_VERSION_NUMBER: "no TLS is spoken there; is it Modbus TCP without it (tcp://)?",
};

/** The error with its cause in words where it is known, for a connection to `tls://`. */
export function tlsError(error: NodeJS.ErrnoException): Error {
  const cause = CAUSES[error.code ?? ""];
  return cause === undefined ? error : new Error(`${cause} (${textOf(error)})`, { cause: error });
}
