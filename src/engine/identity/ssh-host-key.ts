/*
 * OpenSSH's own formats. PROTOCOL.key: "openssh-key-v1", then cipher, KDF and its options (none), the number of keys,
 * the public key, and a padded private part. Public keys: RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4.
 */
const textEncoder = new TextEncoder();

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.byteLength;
  }
  return joined;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function sshString(value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? textEncoder.encode(value) : value;
  return concat([uint32(bytes.byteLength), bytes]);
}

/** A positive number: a leading zero where the first bit would make it negative. */
function sshNumber(bytes: Uint8Array): Uint8Array {
  const isHigh = ((bytes[0] ?? 0) & 0x80) !== 0;
  return sshString(isHigh ? concat([Uint8Array.of(0), bytes]) : bytes);
}

/** @param publicKey 32 bytes */
export function encodeEd25519PublicKey(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat([sshString("ssh-ed25519"), sshString(publicKey)]);
}

/** @param modulus big-endian, without leading zeros */
export function encodeRsaPublicKey(exponent: Uint8Array, modulus: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat([sshString("ssh-rsa"), sshNumber(exponent), sshNumber(modulus)]);
}

/** @param x @param y 32 bytes each, of a point on P-256 */
export function encodeEcdsaPublicKey(x: Uint8Array, y: Uint8Array): Uint8Array<ArrayBuffer> {
  const curve = "nistp256";
  return concat([
    sshString(`ecdsa-sha2-${curve}`),
    sshString(curve),
    sshString(concat([Uint8Array.of(4), x, y])),
  ]);
}

/**
 * The private key file of an Ed25519 key, not encrypted, before base64 and its PEM lines.
 *
 * @param checkNumber any number; it stands twice, so that a wrong passphrase is noticed
 */
export function encodeEd25519PrivateKey(
  privateKey: Uint8Array,
  publicKey: Uint8Array,
  comment: string,
  checkNumber: number,
): Uint8Array<ArrayBuffer> {
  const secret = concat([
    ...[uint32(checkNumber), uint32(checkNumber), sshString("ssh-ed25519"), sshString(publicKey)],
    ...[sshString(concat([privateKey, publicKey])), sshString(comment)],
  ]);
  const blockSizeBytes = 8;
  const padding = (blockSizeBytes - (secret.byteLength % blockSizeBytes)) % blockSizeBytes;
  const padded = concat([secret, Uint8Array.from({ length: padding }, (_, index) => index + 1)]);
  return concat([
    textEncoder.encode("openssh-key-v1\0"),
    ...[sshString("none"), sshString("none"), sshString(""), uint32(1)],
    ...[sshString(encodeEd25519PublicKey(publicKey)), sshString(padded)],
  ]);
}
