import type { ReactNode } from "react";
import type { PlanResource } from "#api/plan-api.ts";
import { text } from "../../text/text.ts";
import { Badge } from "../../ui/pieces.tsx";
import { formatPorts } from "./plan-changes.ts";

type FlowResource = PlanResource["flows"][number];

const roleName = (role: string): string => text.plan.roles[role] ?? role;

/** Every flow with its reason. */
export function FlowTable({ flows }: { readonly flows: readonly FlowResource[] }): ReactNode {
  return (
    <section className="card">
      <table className="table flows">
        <thead>
          <tr>
            <th scope="col">{text.plan.flow}</th>
            <th scope="col">{text.plan.direction}</th>
            <th scope="col">{text.plan.ports}</th>
            <th scope="col">{text.plan.groups}</th>
            <th scope="col">{text.plan.setting}</th>
            <th scope="col">{text.plan.sockets}</th>
          </tr>
        </thead>
        <tbody>
          {flows.map((flow) => (
            <FlowRow key={flow.id} flow={flow} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function FlowRow({ flow }: { readonly flow: FlowResource }): ReactNode {
  return (
    <tr className={flow.state === "off" ? "off" : ""}>
      <th scope="row">
        <strong>{flow.title}</strong>
        <small className="mono">{flow.id}</small>
        <small>{flow.purpose}</small>
      </th>
      <td>
        {roleName(flow.from)} → {flow.to.map(roleName).join(", ")}
        <small>{flow.needed}</small>
      </td>
      <td>
        <span className="mono">
          {flow.transport.toUpperCase()} {formatPorts(flow.ports)}
        </span>
        {flow.dynamic ? <Badge tone="warn">{text.plan.dynamic}</Badge> : null}
        {flow.state === "off" ? <Badge tone="calm">{text.options.off}</Badge> : null}
      </td>
      <td>
        <span className="mono">
          {flow.groups.length > 4
            ? `${flow.groups[0] ?? ""}–${flow.groups.at(-1) ?? ""}`
            : flow.groups.join(", ")}
        </span>
        {flow.ttl === null ? null : <small>TTL {flow.ttl}</small>}
      </td>
      <td>
        <span className="mono">{flow.setting ?? ""}</span>
        <small>{flow.origin === "paper" ? text.plan.paper : text.plan.ours}</small>
      </td>
      <td className="mono">
        {flow.sockets.slice(0, 6).map(({ interface: name, address, port, groups }) => (
          <div key={`${name ?? ""} ${address}:${port} ${groups.join()}`}>
            {address}:{port}
            {name === null ? "" : ` (${name})`}
          </div>
        ))}
        {flow.sockets.length > 6 ? <div>{text.work.andMore(flow.sockets.length - 6)}</div> : null}
      </td>
    </tr>
  );
}
