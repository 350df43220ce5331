import { createSocket } from "node:dgram";

/*
 * What a router does that forwards UDP broadcasts and knows nothing of DHCP: the payload goes on unchanged.
 * usage: plain-forwarder.ts SERVER
 */
const [server = ""] = process.argv.slice(2);
const socket = createSocket({ type: "udp4", reuseAddr: true });
socket.on("message", (bytes, { address }) => {
  if (address !== server) {
    socket.send(bytes, 67, server);
  }
});
socket.bind(67, "0.0.0.0", () => process.stdout.write("forwarding\n"));
