import { createSecureContext, type SecureContext } from "node:tls";
import type { PortolanServer } from "./server.ts";

/** The console's certificate, and the one for the name that was set for it since the start; `undefined`: the first will do. */
export type ConsoleTls = {
  readonly key: string;
  readonly cert: string;
  readonly ofName: (name: string) => Promise<SecureContext | undefined>;
};

export function createConsoleTls(
  server: Pick<PortolanServer, "tls" | "settings" | "authority" | "interfaces" | "clock">,
): ConsoleTls {
  const { tls, settings, authority, interfaces, clock } = server;
  let issued: { readonly name: string; readonly context: Promise<SecureContext> } | null = null;
  const issue = async (name: string): Promise<SecureContext> => {
    const addresses = interfaces.map((nic) => nic.address);
    return createSecureContext(await authority.issueServer(name, addresses, clock.epochMs()));
  };
  return {
    key: tls.key,
    cert: tls.cert,
    async ofName(name) {
      // What a stranger names is issued nothing.
      if (name !== settings.current()["console.name"]) {
        return undefined;
      }
      if (issued?.name !== name) {
        issued = { name, context: issue(name) };
      }
      return issued.context;
    },
  };
}
