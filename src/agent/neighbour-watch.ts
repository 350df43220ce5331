import { NetworkError } from "#platform/network-error.ts";
import { type FrameTap, watchNeighbour } from "#platform/watch-frames.ts";
import { WireError } from "#wire/bytes/wire-error.ts";
import type { LinkNeighbour } from "#wire/control/network-card.ts";
import { decodeEthernetFrame } from "#wire/ethernet/ethernet-frame.ts";
import { decodeLldp, type LldpMessage } from "#wire/ethernet/lldp.ts";
import { listCardNames, readCardIndex } from "./network-cards.ts";

const lookDelayMs = 10_000;
/** Anybody on the segment can say something else every second; no server has to hear it as often. */
const tellDelayMs = 15_000;

function decode(frame: Uint8Array): LldpMessage | null {
  try {
    return decodeLldp(decodeEthernetFrame(frame).payload);
  } catch (error) {
    // A frame may be cut, or no switch's.
    if (error instanceof WireError) {
      return null;
    }
    throw error;
  }
}

/** Keyed by card. BOUNDED by the cards of this computer. */
const seen = new Map<string, { readonly neighbour: LinkNeighbour; readonly untilMs: number }>();

/** What switches have said of the ports that this computer's cards are plugged into, by card, as long as it counts. */
export function knownNeighbours(): ReadonlyMap<string, LinkNeighbour> {
  const nowMs = performance.now();
  const fresh = [...seen].filter(([, { untilMs }]) => untilMs > nowMs);
  return new Map(fresh.map(([card, { neighbour }]) => [card, neighbour]));
}

function receive(card: string, frame: Uint8Array): { readonly hasChanged: boolean } {
  const message = decode(frame);
  if (message === null) {
    return { hasChanged: false };
  }
  const shown = (): string => JSON.stringify(knownNeighbours().get(card) ?? null);
  const before = shown();
  const untilMs = performance.now() + message.timeToLiveSeconds * 1000;
  seen.set(card, { neighbour: message.neighbour, untilMs });
  return { hasChanged: shown() !== before };
}

/**
 * Listens on all cards, where the system allows it; on those that come later, or go and come back, as well.
 *
 * @returns what ends it
 */
export function watchNeighbours(given: {
  readonly onChange: () => void;
  readonly say: (text: string) => void;
}): () => void {
  let toldAtMs = -tellDelayMs;
  let telling: NodeJS.Timeout | undefined;
  const tell = (): void => {
    telling ??= setTimeout(
      () => {
        telling = undefined;
        toldAtMs = performance.now();
        given.onChange();
      },
      Math.max(0, toldAtMs + tellDelayMs - performance.now()),
    );
  };
  /** Keyed by card. BOUNDED by the cards of this computer. */
  const taps = new Map<string, { readonly index: number | null; readonly tap: Promise<FrameTap | null> }>();
  const open = async (card: string): Promise<FrameTap | null> => {
    try {
      return await watchNeighbour(card, (frame) => {
        if (receive(card, frame).hasChanged) {
          tell();
        }
      });
    } catch (error) {
      if (!(error instanceof NetworkError)) {
        given.say(`the neighbour of ${card}: ${String(error)}`);
      }
      // It has gone meanwhile, or this is no system for it: an inventory without neighbours.
      return null;
    }
  };
  const look = (): void => {
    const cards = new Map(listCardNames().names.map((name) => [name, readCardIndex(name)]));
    for (const [card, { index, tap }] of taps) {
      // A tap stays with the card it was opened on, and hears nothing of another that takes its name.
      if (cards.get(card) !== index) {
        taps.delete(card);
        seen.delete(card);
        void tap.then((opened) => opened?.close());
      }
    }
    for (const [card, index] of cards) {
      if (!taps.has(card)) {
        taps.set(card, { index, tap: open(card) });
      }
    }
  };
  look();
  const timer = setInterval(look, lookDelayMs);
  return () => {
    clearInterval(timer);
    clearTimeout(telling);
    for (const { tap } of taps.values()) {
      void tap.then((opened) => opened?.close());
    }
  };
}
