const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

export function formatTime(atMs: number): string {
  return absolute.format(atMs);
}

export function formatAge(atMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - atMs) / 1000);
  if (seconds < 10) {
    return "now";
  }
  const [count, unit] =
    seconds < 90
      ? [seconds, "s"]
      : seconds < 90 * 60
        ? [Math.round(seconds / 60), "min"]
        : seconds < 36 * 3600
          ? [Math.round(seconds / 3600), "h"]
          : [Math.round(seconds / 86_400), "d"];
  return `${count} ${unit} ago`;
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

export function formatPercent(percent: number): string {
  return `${percent === 0 || percent >= 10 ? percent.toFixed(0) : percent.toFixed(percent < 0.1 ? 3 : 1)} %`;
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
