import type { ReactNode } from "react";
import { encode } from "uqr";

/** Text as a picture for a camera: dark on white whatever the theme, as cameras need it. */
export function QrCode({ value, label }: { readonly value: string; readonly label: string }): ReactNode {
  const { data, size } = encode(value, { ecc: "M", border: 4 });
  const path = data
    .flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join("");
  return (
    <svg role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} width="200" height="200">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}
