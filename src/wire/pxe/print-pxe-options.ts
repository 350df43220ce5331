import { formatHex, type PrintedField, quoteText } from "../printing/printed-field.ts";
import { decodePxeOptions, type PxeDiscoveryControl, pxeSubOptionCodes } from "./vendor-options.ts";

/** PXE's option 43 as people read it, in order of codes. @throws WireError as `decodePxeOptions` */
export function printPxeOptions(bytes: Uint8Array): PrintedField[] {
  const options = decodePxeOptions(bytes);
  const codes = pxeSubOptionCodes;
  const fields: PrintedField[] = [];
  const add = (code: number, name: string, value: PrintedField["value"] | undefined): void => {
    if (value !== undefined) {
      fields.push({ label: `${code} ${name}`, value });
    }
  };
  add(codes.mtftpAddress, "MTFTP address", options.mtftpAddress);
  add(codes.mtftpClientPort, "MTFTP client port", options.mtftpClientPort?.toString());
  add(codes.mtftpServerPort, "MTFTP server port", options.mtftpServerPort?.toString());
  add(codes.mtftpTimeout, "MTFTP time-out", formatSeconds(options.mtftpTimeoutSeconds));
  add(codes.mtftpDelay, "MTFTP delay", formatSeconds(options.mtftpDelaySeconds));
  add(codes.discoveryControl, "discovery control", formatDiscoveryControl(options.discoveryControl));
  add(codes.discoveryAddress, "discovery address", options.discoveryAddress);
  add(
    codes.bootServers,
    "boot servers",
    options.bootServers?.map((server) => ({
      label: `type ${server.type}`,
      value: server.addresses.join(", "),
    })),
  );
  add(
    codes.bootMenu,
    "boot menu",
    options.bootMenu?.map((entry) => ({ label: `type ${entry.type}`, value: quoteText(entry.text) })),
  );
  const prompt = options.menuPrompt;
  add(codes.menuPrompt, "menu prompt", prompt && `${quoteText(prompt.text)}, ${prompt.seconds} s`);
  const item = options.bootItem;
  add(codes.bootItem, "boot item", item && `type ${item.type}, layer ${item.layer}`);
  for (const { code, bytes: value } of options.unknown ?? []) {
    add(code, "unknown", formatHex(value));
  }
  return fields;
}

function formatSeconds(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : `${seconds} s`;
}

function formatDiscoveryControl(control: PxeDiscoveryControl | undefined): string | undefined {
  if (control === undefined) {
    return undefined;
  }
  const words = [
    control.noBroadcast ? "no broadcast" : "",
    control.noMulticast ? "no multicast" : "",
    control.onlyListedServers ? "only listed servers" : "",
    control.bootFileInOffer ? "boot file in this offer" : "",
  ].filter((word) => word !== "");
  return words.length === 0 ? "anything" : words.join(", ");
}
