import type { ReactNode } from "react";

export type PlotPoint = { readonly x: number; readonly y: number };

const width = 360;
const height = 96;

/** A line over time with its largest value named. */
export function Plot(props: {
  readonly label: string;
  readonly points: readonly PlotPoint[];
  readonly format: (value: number) => string;
  readonly tone?: "busy" | "bad";
}): ReactNode {
  const { label, points, format, tone = "busy" } = props;
  const first = points[0]?.x ?? 0;
  const spanX = Math.max(1, (points.at(-1)?.x ?? 0) - first);
  const highest = Math.max(0, ...points.map(({ y }) => y));
  const top = highest === 0 ? 1 : highest;
  const place = ({ x, y }: PlotPoint): string =>
    `${(((x - first) / spanX) * width).toFixed(1)},${(height - (y / top) * (height - 4)).toFixed(1)}`;
  const line = points.map(place).join(" ");
  return (
    <figure className={`plot plot-${tone}`}>
      <figcaption>
        {label} <small>{format(highest)}</small>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${format(points.at(-1)?.y ?? 0)}`}
      >
        <path
          className="plot-grid"
          d={`M0 ${height / 4}H${width}M0 ${height / 2}H${width}M0 ${(3 * height) / 4}H${width}`}
        />
        <polygon className="plot-area" points={`0,${height} ${line} ${width},${height}`} />
        <polyline className="plot-line" points={line} />
      </svg>
    </figure>
  );
}
