import { type ReactNode, useState } from "react";
import type { SegmentResource } from "#api/segment-api.ts";
import { useAction } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { TextField } from "../../ui/field.tsx";
import { useSiteObstacle } from "../me.tsx";

const intents = ["imaging", "management", "none"] as const;

/** The segments as a list: what each is for can be changed here, and one that was not found can be named. */
export function SegmentTable({ segments }: { readonly segments: readonly SegmentResource[] }): ReactNode {
  const obstacle = useSiteObstacle("administrator");
  const [isAdding, setAdding] = useState(false);
  const set = useAction("setSegment", {
    done: ({ name, intent }) => `${name}: ${text.plan.intents[intent] ?? intent}`,
  });
  return (
    <section className="card">
      <div className="session-head">
        <h2>{text.plan.segments}</h2>
        <button
          type="button"
          className="button small"
          disabled={obstacle !== null}
          title={obstacle ?? undefined}
          onClick={() => setAdding(true)}
        >
          {text.plan.addSegment}
        </button>
      </div>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{text.plan.segment}</th>
            <th scope="col">CIDR</th>
            <th scope="col">{text.plan.intent}</th>
            <th scope="col">{text.plan.serverAddress}</th>
            <th scope="col">{text.plan.via}</th>
          </tr>
        </thead>
        <tbody>
          {segments.map((segment) => (
            <tr key={segment.cidr}>
              <th scope="row">
                {segment.name}
                <small>{text.plan.origins[segment.origin] ?? segment.origin}</small>
              </th>
              <td className="mono">{segment.cidr}</td>
              <td>
                <select
                  aria-label={`${text.plan.intent}: ${segment.name}`}
                  value={segment.intent}
                  disabled={obstacle !== null || set.isPending}
                  onChange={(event) =>
                    set.mutate({
                      id: segment.name,
                      body: { intent: intents.find((intent) => intent === event.target.value) ?? "none" },
                    })
                  }
                >
                  {intents.map((intent) => (
                    <option key={intent} value={intent}>
                      {text.plan.intents[intent]}
                    </option>
                  ))}
                </select>
              </td>
              <td className="mono">{segment.serverAddress ?? "–"}</td>
              <td className="mono">
                {segment.interface ?? segment.gatewayAddress ?? segment.relayAddress ?? "–"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {isAdding ? <AddSegmentDialog onClose={() => setAdding(false)} /> : null}
    </section>
  );
}

function AddSegmentDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [fields, setFields] = useState({ name: "", cidr: "", gatewayAddress: "" });
  const add = useAction("addSegment", { isQuiet: true });
  const { name, cidr, gatewayAddress } = fields;
  const labels = { name: text.plan.segment, cidr: "CIDR", gatewayAddress: text.plan.gatewayLabel };
  const hints = {
    name: text.plan.segmentHint,
    cidr: text.plan.cidrHint,
    gatewayAddress: text.plan.gatewayHint,
  };
  return (
    <Dialog
      title={text.plan.addSegment}
      onClose={onClose}
      action={{
        label: text.common.save,
        run: () =>
          add.mutate(
            { body: { name, cidr, ...(gatewayAddress === "" ? {} : { gatewayAddress }) } },
            { onSuccess: onClose },
          ),
        isOff: add.isPending,
      }}
    >
      {(["name", "cidr", "gatewayAddress"] as const).map((key) => (
        <TextField
          key={key}
          label={labels[key]}
          hint={hints[key]}
          error={key === "cidr" ? add.error : null}
          required={key !== "gatewayAddress"}
          value={fields[key]}
          onChange={(value) => setFields({ ...fields, [key]: value })}
        />
      ))}
    </Dialog>
  );
}
