const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function formatTime(atMs: number): string {
  return absolute.format(atMs);
}

export function formatAge(atMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - atMs) / 1000);
  if (seconds < 10) {
    return "now";
  }
  if (seconds < 90) {
    return relative.format(-seconds, "second");
  }
  if (seconds < 90 * 60) {
    return relative.format(-Math.round(seconds / 60), "minute");
  }
  if (seconds < 36 * 3600) {
    return relative.format(-Math.round(seconds / 3600), "hour");
  }
  return relative.format(-Math.round(seconds / 86_400), "day");
}

const units = ["B", "kB", "MB", "GB", "TB"] as const;

export function formatBytes(sizeBytes: number): string {
  let value = sizeBytes;
  let index = 0;
  while (value >= 1000 && index < units.length - 1) {
    value /= 1000;
    index += 1;
  }
  return `${value >= 100 || index === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[index] ?? ""}`;
}

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

export function formatDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
