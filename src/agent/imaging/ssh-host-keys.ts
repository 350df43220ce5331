import { createPublicKey, generateKeyPairSync, randomInt, type webcrypto } from "node:crypto";
import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  encodeEcdsaPublicKey,
  encodeEd25519PrivateKey,
  encodeEd25519PublicKey,
  encodeRsaPublicKey,
} from "#engine/identity/ssh-host-key.ts";

type KeyFiles = { readonly privateText: string; readonly publicText: string };

function field(jwk: webcrypto.JsonWebKey, name: "x" | "y" | "d" | "n" | "e"): Buffer {
  return Buffer.from(jwk[name] ?? "", "base64url");
}

function publicLine(type: string, blob: Uint8Array, comment: string): string {
  return `${type} ${Buffer.from(blob).toString("base64")} ${comment}\n`;
}

function makeEd25519(comment: string): KeyFiles {
  const { privateKey } = generateKeyPairSync("ed25519");
  const jwk = privateKey.export({ format: "jwk" });
  const publicKey = field(jwk, "x");
  const blob = encodeEd25519PrivateKey(field(jwk, "d"), publicKey, comment, randomInt(2 ** 32));
  const lines = Buffer.from(blob)
    .toString("base64")
    .match(/.{1,70}/g);
  const privateText = `-----BEGIN OPENSSH PRIVATE KEY-----\n${(lines ?? []).join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
  return { privateText, publicText: publicLine("ssh-ed25519", encodeEd25519PublicKey(publicKey), comment) };
}

function makeRsa(comment: string): KeyFiles {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    privateText: privateKey.export({ type: "pkcs1", format: "pem" }),
    publicText: publicLine("ssh-rsa", encodeRsaPublicKey(field(jwk, "e"), field(jwk, "n")), comment),
  };
}

function makeEcdsa(comment: string): KeyFiles {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = createPublicKey(privateKey).export({ format: "jwk" });
  return {
    privateText: privateKey.export({ type: "sec1", format: "pem" }),
    publicText: publicLine(
      "ecdsa-sha2-nistp256",
      encodeEcdsaPublicKey(field(jwk, "x"), field(jwk, "y")),
      comment,
    ),
  };
}

const makers: Readonly<Record<string, (comment: string) => KeyFiles>> = {
  ssh_host_ed25519_key: makeEd25519,
  ssh_host_rsa_key: makeRsa,
  ssh_host_ecdsa_key: makeEcdsa,
};

/**
 * Replaces the host keys that a system has by new ones of the same kind.
 *
 * @returns file names of keys of another kind, which stay
 */
export async function renewSshHostKeys(folder: string, hostName: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => /^ssh_host_[a-z0-9]+_key$/.test(name));
  for (const name of names) {
    const files = makers[name]?.(`root@${hostName}`);
    if (files !== undefined) {
      const path = join(folder, name);
      await writeFile(path, files.privateText);
      await chmod(path, 0o600);
      await writeFile(`${path}.pub`, files.publicText);
    }
  }
  return names.filter((name) => makers[name] === undefined);
}
