import { MacAddress } from "#wire/address/mac-address.ts";
import { JsonFields } from "#wire/control/json-fields.ts";
import type { CardFacts, SystemFacts } from "./system-facts.ts";

/**
 * Physical cards alone: those of virtual machines and tunnels have the same address on many computers. SecureBoot's key is there
 * with UEFI only. As Base64, because the console's code page would spoil names in other languages.
 */
const script = `
$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'
$product = Get-CimInstance Win32_ComputerSystemProduct
$system = Get-CimInstance Win32_OperatingSystem
$boot = 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecureBoot\\State'
$isUefi = Test-Path $boot
$facts = @{
  uuid = $product.UUID
  serial = (Get-CimInstance Win32_BIOS).SerialNumber
  product = ($product.Vendor + ' ' + $product.Name).Trim()
  operatingSystem = $system.Caption + ' ' + $system.Version
  isUefi = $isUefi
  isSecureBoot = $isUefi -and ((Get-ItemProperty $boot).UEFISecureBootEnabled -eq 1)
  cards = @(Get-NetAdapter -Physical | ForEach-Object { @{
    name = $_.Name; mac = $_.MacAddress; isUp = ($_.Status -eq 'Up'); medium = [int]$_.NdisPhysicalMedium
    speedBps = [string]$_.TransmitLinkSpeed; driver = $_.DriverFileName } })
  disks = @(Get-Disk | ForEach-Object { @{
    name = 'PhysicalDrive' + $_.Number; sizeBytes = [string]$_.Size; model = $_.FriendlyName; serial = $_.SerialNumber
    wwn = $_.UniqueId; byPath = $_.Location; bus = [string]$_.BusType } })
}
[Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $facts -Depth 3 -Compress)))`;

/** NDIS_PHYSICAL_MEDIUM: wireless LAN, wireless WAN, 802.11, Bluetooth. */
const wirelessMedia: readonly number[] = [1, 8, 9, 10];
const textMax = 128;
const bitsPerMegabit = 1_000_000;

export function windowsFactsCommand(): { readonly program: string; readonly args: readonly string[] } {
  const folder = process.env["SystemRoot"] ?? "C:\\Windows";
  return {
    program: `${folder}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`,
    args: [
      ...["-NoProfile", "-NonInteractive", "-EncodedCommand"],
      Buffer.from(script, "utf16le").toString("base64"),
    ],
  };
}

/** What firmware and drivers leave empty or fill with spaces is not known. */
function label(fields: JsonFields, key: string): string | null {
  const value = fields.raw(key);
  const text =
    typeof value === "string"
      ? value
          .replaceAll(/\p{Cc}/gu, "")
          .trim()
          .slice(0, textMax)
      : "";
  return text === "" ? null : text;
}

function readCard(value: unknown): CardFacts[] {
  const fields = new JsonFields(value, "card");
  const mac = (label(fields, "mac") ?? "").replaceAll("-", ":").toLowerCase();
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) || mac === "00:00:00:00:00:00") {
    return [];
  }
  // A card without a link says the largest number there is.
  const speedMbps = Math.floor(Number(label(fields, "speedBps") ?? "0") / bitsPerMegabit);
  return [
    {
      name: label(fields, "name") ?? mac,
      mac: MacAddress.parse(mac),
      isWired: !wirelessMedia.includes(Number(fields.raw("medium"))),
      isUp: fields.raw("isUp") === true,
      speedMbps: speedMbps > 0 && speedMbps < 1_000_000 ? speedMbps : null,
      driver: label(fields, "driver"),
    },
  ];
}

function readDisk(value: unknown): SystemFacts["disks"][number] {
  const fields = new JsonFields(value, "disk");
  return {
    name: label(fields, "name") ?? "",
    sizeBytes: Number(label(fields, "sizeBytes") ?? "0"),
    model: label(fields, "model"),
    serial: label(fields, "serial"),
    wwn: label(fields, "wwn"),
    byPath: label(fields, "byPath"),
    isRemovable: label(fields, "bus") === "USB",
  };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Nothing is known when the output is empty: PowerShell did not run. @throws WireError when it is something else */
export function parseWindowsFacts(output: string): SystemFacts {
  const text = Buffer.from(output.trim(), "base64").toString("utf8");
  const fields = new JsonFields(text === "" ? {} : JSON.parse(text), "facts");
  return {
    uuid: label(fields, "uuid")?.toLowerCase() ?? null,
    serial: label(fields, "serial"),
    product: label(fields, "product"),
    operatingSystem: label(fields, "operatingSystem"),
    firmware: fields.raw("isUefi") === true ? "uefi" : "bios",
    isSecureBoot: fields.raw("isSecureBoot") === true,
    cards: listOf(fields.raw("cards")).flatMap(readCard),
    disks: listOf(fields.raw("disks")).map(readDisk),
  };
}
