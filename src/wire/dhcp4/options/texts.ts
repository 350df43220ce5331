import { type DhcpOption, type DhcpOptions, findOption } from "../dhcp-options.ts";
import { optionCodes } from "../option-codes.ts";
import { readTextValue, textValue } from "../option-values.ts";

/** Option 60: `PXEClient:Arch:00007:UNDI:003016`, `HTTPClient:…` or anything. RFC 2132 §9.13 */
export function vendorClass(options: DhcpOptions): string | undefined {
  return readText(options, optionCodes.vendorClass);
}

export function vendorClassOption(text: string): DhcpOption {
  return { code: optionCodes.vendorClass, bytes: textValue(text) };
}

/** Option 66. RFC 2132 §9.4 */
export function tftpServerName(options: DhcpOptions): string | undefined {
  return readText(options, optionCodes.tftpServerName);
}

export function tftpServerNameOption(text: string): DhcpOption {
  return { code: optionCodes.tftpServerName, bytes: textValue(text) };
}

/** Option 67, for names the `file` field has no room for. RFC 2132 §9.5 */
export function bootFileName(options: DhcpOptions): string | undefined {
  return readText(options, optionCodes.bootFileName);
}

export function bootFileNameOption(text: string): DhcpOption {
  return { code: optionCodes.bootFileName, bytes: textValue(text) };
}

/** Option 12. RFC 2132 §3.14 */
export function hostName(options: DhcpOptions): string | undefined {
  return readText(options, optionCodes.hostName);
}

export function hostNameOption(text: string): DhcpOption {
  return { code: optionCodes.hostName, bytes: textValue(text) };
}

/** Option 15. RFC 2132 §3.17 */
export function domainName(options: DhcpOptions): string | undefined {
  return readText(options, optionCodes.domainName);
}

export function domainNameOption(text: string): DhcpOption {
  return { code: optionCodes.domainName, bytes: textValue(text) };
}

/** Option 56, why a server said no. RFC 2132 §9.9 */
export function errorMessage(options: DhcpOptions): string | undefined {
  return readText(options, optionCodes.message);
}

export function errorMessageOption(text: string): DhcpOption {
  return { code: optionCodes.message, bytes: textValue(text) };
}

function readText(options: DhcpOptions, code: number): string | undefined {
  const bytes = findOption(options, code);
  return bytes === undefined ? undefined : readTextValue(bytes, `option ${code}`);
}
