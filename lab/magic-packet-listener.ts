import { type ChildProcess, spawn } from "node:child_process";
import { WireError } from "#wire/bytes/wire-error.ts";
import { decodeEthernetFrame, etherTypes } from "#wire/ethernet/ethernet-frame.ts";
import { decodeIpv4Packet, ipProtocols } from "#wire/ethernet/ipv4-packet.ts";
import { decodeUdpDatagram } from "#wire/ethernet/udp-datagram.ts";
import { decodeMagicPacket } from "#wire/magic-packet/magic-packet.ts";
import { switchName } from "./segment-network.ts";
import type { VirtualComputer } from "./virtual-computer.ts";

const fileHeaderBytes = 24;
const recordHeaderBytes = 16;

/** The card named by a frame that is a magic packet; `null` for any other frame. */
export function readMagicFrame(bytes: Uint8Array): string | null {
  try {
    const frame = decodeEthernetFrame(bytes);
    if (frame.etherType === etherTypes.wakeOnLan) {
      return decodeMagicPacket(frame.payload.subarray(0, 102)).mac;
    }
    const packet = decodeIpv4Packet(frame.payload);
    if (packet.protocol !== ipProtocols.udp) {
      return null;
    }
    return decodeMagicPacket(decodeUdpDatagram(packet.payload, packet).payload).mac;
  } catch (error) {
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}

/** What the standby part of a network card does: powers its computer on when a magic packet for it arrives. */
export class MagicPacketListener {
  readonly #child: ChildProcess;
  /** BOUNDED by one frame of 65 kB and what one read brings. */
  #pending: Buffer = Buffer.alloc(0);
  #isHeaderRead = false;

  /** @param onWake is told which computer was switched on, after it was. */
  constructor(
    segment: string,
    computers: readonly VirtualComputer[],
    onWake: (computer: VirtualComputer) => void,
  ) {
    const filter = "ether proto 0x0842 or (udp and not dst net 224.0.0.0/4)";
    const tcpdump = ["tcpdump", "-i", segment, "-n", "-U", "-Z", "root", "-w", "-", filter];
    this.#child = spawn("ip", ["netns", "exec", switchName, ...tcpdump], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#child.stdout?.on("data", (part: Buffer) => {
      for (const frame of this.#takeFrames(part)) {
        const mac = readMagicFrame(frame);
        const computer = computers.find(({ plan }) => plan.mac === mac);
        if (computer !== undefined && !computer.isOn) {
          computer.powerOn();
          onWake(computer);
        }
      }
    });
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }

  /** Cuts tcpdump's stream, a pcap file in this processor's byte order, into frames. */
  *#takeFrames(part: Buffer): Generator<Buffer, void> {
    this.#pending = Buffer.concat([this.#pending, part]);
    if (!this.#isHeaderRead && this.#pending.byteLength >= fileHeaderBytes) {
      this.#pending = this.#pending.subarray(fileHeaderBytes);
      this.#isHeaderRead = true;
    }
    while (this.#isHeaderRead && this.#pending.byteLength >= recordHeaderBytes) {
      const endBytes = recordHeaderBytes + this.#pending.readUInt32LE(8);
      if (this.#pending.byteLength < endBytes) {
        return;
      }
      const frame = this.#pending.subarray(recordHeaderBytes, endBytes);
      this.#pending = this.#pending.subarray(endBytes);
      yield frame;
    }
  }
}
