import { JsonFields } from "./json-fields.ts";

/** What is installed on a computer and who has an account there. Claims, as the inventory is. */
export type Software = {
  /** `name version`, each once, in order. */
  readonly packages: readonly string[];
  /** Names of accounts of people, and root. */
  readonly users: readonly string[];
};

export type SoftwareMessage = { readonly type: "software"; readonly software: Software };

/** Together they fit one frame. */
export const softwareLimits = {
  packageCount: 8192,
  userCount: 512,
  packageCharacters: 100,
  userCharacters: 64,
};

/** @throws WireError `bad-value` */
export function decodeSoftware(fields: JsonFields): SoftwareMessage {
  const software = new JsonFields(fields.raw("software"), "software");
  const { packageCount, userCount, packageCharacters, userCharacters } = softwareLimits;
  return {
    type: "software",
    software: {
      packages: software.texts("packages", packageCount, packageCharacters),
      users: software.texts("users", userCount, userCharacters),
    },
  };
}
