import type { Settings } from "#plan/settings.ts";
import { isSameAttempt, type AttemptMoment, type BootAttempt } from "./boot-attempts.ts";
import type { UefiLoader } from "./boot-program.ts";

/**
 * The EFI program to give first. With `auto` that is iPXE, which is smaller and faster; firmware with Secure Boot
 * reads it, refuses to run it and comes back, and then gets the signed shim. The other way round a shim that
 * never runs makes room for iPXE again.
 *
 * A return counts as refusal when the file was seen read; without that evidence (the lease was not seen) after two
 * attempts.
 */
export function chooseUefiLoader(
  setting: Settings["boot.uefiLoader"],
  previous: BootAttempt | null,
  request: AttemptMoment,
): UefiLoader {
  if (setting !== "auto") {
    return setting;
  }
  const last = previous?.uefiLoader ?? null;
  if (previous === null || last === null) {
    return "ipxe";
  }
  if (previous.hasLoaderRun || isSameAttempt(previous, request)) {
    return last;
  }
  const wasRefused = previous.wasLoaderRead || previous.fruitlessCount >= 2;
  return wasRefused ? otherThan(last) : last;
}

function otherThan(loader: UefiLoader): UefiLoader {
  return loader === "ipxe" ? "shim" : "ipxe";
}
