import type { ReactNode } from "react";

/** Stroke paths on a 16 × 16 grid. */
const paths = {
  computer: "M2 3h12v8H2zM6 14h4M8 11v3",
  running: "M2 3h12v8H2zM6 14h4M8 11v3M5.5 7l2 2 3.5-4",
  waiting: "M8 2a6 6 0 100 12A6 6 0 008 2zM8 5v3l2 2",
  conflict: "M8 2l6.5 12h-13zM8 6v4M8 12v.5",
  job: "M3 3h10v10H3zM5.5 6h5M5.5 8h5M5.5 10h3",
  image:
    "M2.5 4.5C2.5 3 5 2.5 8 2.5s5.5.5 5.5 2-2.5 2-5.5 2-5.5-.5-5.5-2zM2.5 4.5v7c0 1.500 2.500 2 5.500 2s5.500-.5 5.500-2v-7M2.500 8c0 1.500 2.500 2 5.500 2s5.500-.5 5.500-2",
  session: "M8 13V8M4.500 10.500a4.500 4.500 0 117 0M2.500 12.500a7 7 0 1111 0",
  plan: "M2 4l4-1.500 4 1.500 4-1.500v9.500l-4 1.500-4-1.500-4 1.500zM6 2.500v9.500M10 4v9.500",
  boot: "M8 2v6M4.500 4.500a5 5 0 107 0",
  options: "M2 5h7M12 5h2M2 11h2M7 11h7M10.500 3.500v3M5.500 9.500v3",
  people:
    "M6 8a2.500 2.500 0 100-5 2.500 2.500 0 000 5zM1.500 13.500c0-3 2-4 4.500-4s4.500 1 4.500 4M10.500 3.500a2.500 2.500 0 010 4.500M12 9.800c1.600.5 2.500 1.700 2.500 3.700",
  audit: "M4 2h6l3 3v9H4zM6 7h5M6 9.500h5M6 12h3",
  guide:
    "M8 14V4.500C6.500 3 4.500 2.500 2 2.500v9.500c2.500 0 4.500.5 6 2 1.500-1.500 3.500-2 6-2V2.500c-2.500 0-4.500.5-6 2",
  search: "M7 2.500a4.500 4.500 0 100 9 4.500 4.500 0 000-9zM10.500 10.500l3.500 3.500",
  check: "M3 8.500l3.500 3.500L13 4.500",
  cross: "M4 4l8 8M12 4l-8 8",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  right: "M6 4l4 4-4 4",
  folder: "M2 4h4l1.500 2H14v7H2z",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  download: "M8 2v8M4.500 7L8 10.500 11.500 7M2.500 13.500h11",
  plus: "M8 3v10M3 8h10",
  more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  power: "M8 2v6M4.500 4.500a5 5 0 107 0",
  wake: "M8 1.500v2M8 12.500v2M1.500 8h2M12.500 8h2M3.400 3.400l1.400 1.400M11.200 11.200l1.400 1.400M3.400 12.600l1.400-1.400M11.200 4.800l1.400-1.400M8 5.500a2.500 2.500 0 100 5 2.500 2.500 0 000-5z",
  terminal: "M2 3h12v10H2zM4.500 6l2 2-2 2M8 10.500h3",
  package: "M2.500 5L8 2l5.500 3v6L8 14l-5.500-3zM2.500 5L8 8l5.500-3M8 8v6",
  shield: "M8 1.500l5.500 2v4c0 3.500-2.300 5.800-5.500 7-3.200-1.200-5.500-3.500-5.500-7v-4z",
  sun: "M8 5a3 3 0 100 6 3 3 0 000-6zM8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M3.400 12.600l1-1M11.600 4.400l1-1",
  moon: "M13 9.500A5.500 5.500 0 116.500 3a4.500 4.500 0 006.500 6.500z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, label }: { readonly name: IconName; readonly label?: string }): ReactNode {
  return (
    <svg
      className="icon"
      viewBox="0 0 16 16"
      role={label === undefined ? undefined : "img"}
      aria-label={label}
      aria-hidden={label === undefined}
    >
      <path d={paths[name]} />
    </svg>
  );
}
