import { connect, createServer } from "node:tls";
import { createSiteKey, SiteAuthority } from "#server/site-authority.ts";

/*
 * A server of another site, that counts what agents say to it. usage: rogue-server.ts
 * With a certificate of its own site it is as good a server as any; only the pinned key tells the difference.
 */
const authority = new SiteAuthority(await createSiteKey(Date.now()));
const tls = await authority.issueServer("rogue", [], Date.now());
const server = createServer({ ...tls, minVersion: "TLSv1.3", requestCert: true, rejectUnauthorized: false });
server.on("secureConnection", (socket) => {
  let sizeBytes = 0;
  socket.on("data", (bytes: Buffer) => {
    sizeBytes += bytes.byteLength;
  });
  socket.on("error", () => undefined);
  socket.on("close", () => console.log(`closed after ${sizeBytes} bytes of application data`));
});
server.on("tlsClientError", (error) => console.log(`handshake: ${error.message}`));
server.listen(402, "0.0.0.0", () => {
  // That the counter counts is shown first, by a client that does talk.
  const client = connect({ port: 402, host: "127.0.0.1", ca: authority.certificatePem });
  client.on("error", () => undefined);
  client.end("hello");
  client.on("close", () => console.log("ready"));
});
