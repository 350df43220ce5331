import { createServer } from "node:http";
import { parseArgs } from "node:util";
import OpenIdProvider from "oidc-provider";

/** A real OpenID Connect provider on loopback, for tests: whoever logs in as `NAME` is the person below. */
const people: Readonly<Record<string, object>> = {
  ann: { email: "ann@example.org", email_verified: true, groups: ["deployers", "staff"] },
  bob: { email: "bob@example.org", email_verified: true, groups: ["staff"] },
  eve: { email: "eve@example.org", email_verified: false, groups: ["deployers"] },
  mal: { email: "mal@elsewhere.example", email_verified: true, groups: ["deployers"] },
};

const { values } = parseArgs({
  options: {
    port: { type: "string" },
    "client-id": { type: "string" },
    secret: { type: "string" },
    "redirect-uri": { type: "string" },
  },
});
const port = Number(values.port);
const provider = new OpenIdProvider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: values["client-id"],
      client_secret: values.secret,
      redirect_uris: [values["redirect-uri"]],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    },
  ],
  claims: {
    openid: ["sub"],
    profile: ["preferred_username", "groups"],
    email: ["email", "email_verified"],
  },
  findAccount: (_context: unknown, id: string) => ({
    accountId: id,
    claims: () => ({ sub: `person-${id}`, preferred_username: id, ...people[id] }),
  }),
  pkce: { required: () => true },
  cookies: { keys: ["only for tests"] },
});
createServer(provider.callback()).listen(port, "127.0.0.1", () => process.stdout.write("ready\n"));
