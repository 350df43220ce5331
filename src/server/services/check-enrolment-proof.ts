import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { EnrollMessage } from "#wire/control/message.ts";

const exporterLabel = "EXPORTER-portolan-enroll";

/**
 * The key an enrolment speaks for, once it has signed this very connection (RFC 5705 §4): an enrolment that was recorded,
 * or is passed on by a server in the middle, proves nothing. `null` for another kind of key or a wrong signature.
 */
export function checkEnrolmentProof(
  socket: Pick<TLSSocket, "exportKeyingMaterial">,
  message: Pick<EnrollMessage, "publicKey" | "proof">,
): KeyObject | null {
  try {
    const key = createPublicKey({
      key: Buffer.from(message.publicKey, "base64"),
      format: "der",
      type: "spki",
    });
    const challenge = socket.exportKeyingMaterial(32, exporterLabel, Buffer.alloc(0));
    const isP256 = key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1";
    return isP256 && verify("sha256", challenge, key, Buffer.from(message.proof, "base64")) ? key : null;
  } catch {
    // Bytes that are no key: OpenSSL throws, and the answer is the same.
    return null;
  }
}
