import { createSocket } from "node:dgram";
import { decodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";

/* What a sleeping computer's network card hears. usage: listen-for-magic.ts PORT… */
for (const port of process.argv.slice(2).map(Number)) {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, from) => {
    const { mac, secureOnPassword } = decodeMagicPacket(bytes);
    const password = secureOnPassword === undefined ? "none" : Buffer.from(secureOnPassword).toString("hex");
    console.log(`magic ${mac} to ${port} from ${from.address}:${from.port} password ${password}`);
  });
  await new Promise<void>((resolve) => {
    socket.bind(port, "0.0.0.0", resolve);
  });
}
console.log("listening");
