import type { ReactNode } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { Empty, Facts } from "../../ui/pieces.tsx";

type Named = Readonly<Record<string, unknown>>;

const words = text.inventory;
const shownSizeMax = 500;

/** A claim of the machine as text: bounded, and never markup. */
function showClaim(value: unknown): string {
  if (Array.isArray(value)) {
    return value.map(showClaim).join(", ").slice(0, shownSizeMax);
  }
  return (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).slice(0, shownSizeMax);
}

function showField(name: string, value: unknown): string | null {
  if (value === null || value === undefined) {
    return null;
  }
  if (name.endsWith("Bytes") && typeof value === "number") {
    return formatBytes(value);
  }
  if (typeof value === "boolean") {
    return value ? words.yes : words.no;
  }
  return name === "neighbour" ? showNeighbour(value as Named) : showClaim(value);
}

/** The switch that a card is plugged into. */
function showNeighbour({ systemName, chassisId, portId }: Named): string {
  return words.pluggedInto(showClaim(systemName ?? chassisId), showClaim(portId));
}

/** A field that this console has no word for is shown by the agent's own. */
function ClaimFacts({ claims }: { readonly claims: Named }): ReactNode {
  const names: Readonly<Record<string, string>> = words.fields;
  return (
    <Facts
      facts={Object.entries(claims).map(([name, value]) => [names[name] ?? name, showField(name, value)])}
    />
  );
}

function ListCard(props: { readonly title: string; readonly items: unknown }): ReactNode {
  const items = Array.isArray(props.items) ? (props.items as Named[]) : [];
  return (
    <section className="card">
      <h2>{props.title}</h2>
      {items.length === 0 ? <p className="muted">{text.common.none}</p> : null}
      {items.map((item) => (
        <ClaimFacts key={showClaim(item["name"])} claims={item} />
      ))}
    </section>
  );
}

/** What the agent claims about its computer: shown as text, whatever it says. */
export function InventoryTab({ computer }: { readonly computer: ComputerResource }): ReactNode {
  const { inventory } = computer;
  if (typeof inventory !== "object" || inventory === null) {
    return <Empty icon="computer" title={text.computer.noInventory} />;
  }
  const { disks, cards, ...plain } = inventory as Named & { disks?: unknown; cards?: unknown };
  return (
    <div className="columns">
      <section className="card">
        <h2>{words.machine}</h2>
        <ClaimFacts claims={plain} />
      </section>
      <div className="stack">
        <ListCard title={text.computer.disks} items={disks} />
        <ListCard title={words.cards} items={cards} />
      </div>
    </div>
  );
}
