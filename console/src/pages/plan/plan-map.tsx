import type { ReactNode } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import type { PlanResource } from "#api/plan-api.ts";
import { text } from "../../text/text.ts";
import { Empty } from "../../ui/pieces.tsx";
import { isInside } from "../work/groups.ts";

type SegmentResource = PlanResource["segments"][number];

const rowHeight = 92;
const mapWidth = 980;
const serverX = 130;
const routerX = 400;
const segmentX = 560;

/** Worst verdict of a segment, when it was verified. */
export type SegmentVerdict = "pass" | "blocked" | "late" | "degraded" | "not-tested";

/** A chart of the site: the server, routers where there are some, and every segment with its computers. */
export function PlanMap(props: {
  readonly plan: PlanResource;
  readonly computers: readonly ComputerResource[];
  readonly verdicts?: ReadonlyMap<string, SegmentVerdict>;
}): ReactNode {
  const { plan, computers, verdicts } = props;
  const { segments } = plan;
  if (segments.length === 0) {
    return <Empty icon="plan" title={text.plan.noSegment} />;
  }
  const height = Math.max(220, segments.length * rowHeight + 40);
  const serverY = height / 2;
  return (
    <section className="card chart" tabIndex={0} aria-label={text.plan.mapLabel}>
      <svg viewBox={`0 0 ${mapWidth} ${height}`} role="img" aria-label={text.plan.mapLabel}>
        <Rhumbs height={height} x={serverX} y={serverY} />
        {segments.map((segment, index) => (
          <SegmentLine
            key={segment.cidr}
            segment={segment}
            serverY={serverY}
            y={20 + rowHeight * (index + 0.5) + (height - 40 - segments.length * rowHeight) / 2}
            count={
              computers.filter(({ address }) => address !== null && isInside(address, segment.cidr)).length
            }
            verdict={verdicts?.get(segment.name) ?? "not-tested"}
          />
        ))}
        <g className="chart-server">
          <circle cx={serverX} cy={serverY} r={44} />
          <text x={serverX} y={serverY - 4}>
            {text.plan.server}
          </text>
          <text x={serverX} y={serverY + 14} className="chart-small">
            {plan.server}
          </text>
        </g>
      </svg>
    </section>
  );
}

/** The lines of sixteen winds that cross old sea charts, from where the server lies. */
function Rhumbs({
  height,
  x,
  y,
}: {
  readonly height: number;
  readonly x: number;
  readonly y: number;
}): ReactNode {
  const lines = Array.from({ length: 16 }, (_, index) => {
    const angle = (index * Math.PI) / 8;
    return `M${x} ${y}L${(x + Math.cos(angle) * (mapWidth + height)).toFixed(0)} ${(y + Math.sin(angle) * (mapWidth + height)).toFixed(0)}`;
  });
  return <path className="chart-rhumbs" d={lines.join("")} />;
}

function SegmentLine(props: {
  readonly segment: SegmentResource;
  readonly serverY: number;
  readonly y: number;
  readonly count: number;
  readonly verdict: SegmentVerdict;
}): ReactNode {
  const { segment, serverY, y, count, verdict } = props;
  const isRouted = segment.interface === null;
  const middle = isRouted ? routerX : (serverX + segmentX) / 2;
  return (
    <g>
      <path
        className={`chart-edge chart-${verdict}`}
        d={`M${serverX + 44} ${serverY}C${middle} ${serverY} ${middle} ${y} ${isRouted ? routerX + 60 : segmentX} ${y}H${segmentX}`}
      />
      {isRouted ? (
        <g className="chart-router">
          <rect x={routerX + 16} y={y - 15} width={84} height={30} rx={15} />
          <text x={routerX + 58} y={y + 4}>
            {segment.gatewayAddress ?? text.plan.router}
          </text>
        </g>
      ) : null}
      <text className="chart-verdict" x={segmentX - 10} y={y - 8}>
        {verdict === "not-tested" ? "" : text.plan.verdicts[verdict]}
      </text>
      <g className={`chart-segment chart-intent-${segment.intent}`}>
        <rect x={segmentX} y={y - 34} width={400} height={68} rx={8} />
        <text x={segmentX + 16} y={y - 12} className="chart-name">
          {segment.name}
        </text>
        <text x={segmentX + 384} y={y - 12} className="chart-end">
          {text.plan.intents[segment.intent] ?? segment.intent}
        </text>
        <text x={segmentX + 16} y={y + 6} className="chart-small">
          {segment.cidr}
          {segment.interface === null ? "" : ` · ${segment.interface}`}
          {segment.serverAddress === null ? "" : ` · ${segment.serverAddress}`}
          {segment.relayAddress === null ? "" : ` · ${text.plan.relay(segment.relayAddress)}`}
        </text>
        <text x={segmentX + 16} y={y + 23} className="chart-small">
          {text.plan.computersIn(count)} · {text.plan.origins[segment.origin] ?? segment.origin}
        </text>
      </g>
    </g>
  );
}
