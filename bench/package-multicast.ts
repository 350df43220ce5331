import { distributePackage } from "#test/job/distribute-package.ts";

/*
 * One job installs a package of noise on the agents of one segment; the last agent hears no multicast. A real server and
 * real agents in network namespaces, installed from the command line.
 * usage: portolan bench package-multicast [COMPUTERS] [MIB]
 */
const [countText = "20", sizeText = "200"] = process.argv.slice(2);
const computerCount = Number(countText);
const sizeBytes = Number(sizeText) << 20;

const ends: (() => void | Promise<void>)[] = [];
try {
  const sent = await distributePackage(
    { after: (work) => void ends.push(work) },
    { sizeBytes, computerCount },
  );
  const moved = sent.moved.map(({ name, reason }) => `${name} (${reason})`).join(", ") || "none";
  const lines = [
    `${computerCount} agents, ${sizeText} MiB of noise, every hash right, ${sent.seconds.toFixed(1)} s from job to done`,
    `by multicast:          ${sent.multicastCopies.toFixed(3)} copies`,
    `left the server's card: ${sent.cardCopies.toFixed(3)} copies, with unicast to ${sent.deafName}, which drops multicast`,
    `moved to unicast:      ${moved}`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
} finally {
  for (const end of ends) {
    await end();
  }
}
