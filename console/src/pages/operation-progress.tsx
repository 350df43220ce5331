import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import type { OperationResource } from "#api/server-api.ts";
import { call } from "../api/client.ts";
import { text } from "../text/text.ts";
import { Badge, Progress, type Tone } from "../ui/pieces.tsx";

const pollDelayMs = 500;

/** Work that is done may have found what is not good: its end has the tone of its verdict, and says it in words. */
function endOf({
  state,
  verdict,
}: OperationResource): { readonly tone: Tone; readonly label: string } | null {
  switch (state) {
    case "running":
      return null;
    case "failed":
      return { tone: "bad", label: text.operation.failed };
    case "done":
      return verdict === null
        ? { tone: "good", label: text.operation.done }
        : { tone: verdictTones[verdict], label: text.operation.verdicts[verdict] };
  }
}

const verdictTones = { pass: "good", faults: "bad", "not-tested": "warn" } as const;

/** Long work inside the server, followed to its end. */
export function OperationProgress(props: {
  readonly id: string;
  readonly onEnd: () => void;
  readonly onClose: () => void;
}): ReactNode {
  const { id, onEnd, onClose } = props;
  const { data, error } = useQuery({
    queryKey: ["showOperation", id],
    queryFn: () => call("showOperation", { id }),
    refetchInterval: ({ state }) =>
      state.data === undefined || state.data.state === "running" ? pollDelayMs : false,
  });
  const hasEnded = data !== undefined && data.state !== "running";
  useEffect(() => {
    if (hasEnded) {
      onEnd();
    }
    // The end comes once; who is told may be another function at each drawing.
  }, [hasEnded]);
  const end = data === undefined ? null : endOf(data);
  return (
    <div className="operation" role="status">
      <strong>{data?.title ?? id}</strong>
      <Progress percent={data?.percent ?? 0} label={data?.title ?? id} tone={end?.tone ?? "busy"} />
      {end === null ? null : <Badge tone={end.tone}>{end.label}</Badge>}
      <small>{error?.message ?? data?.error ?? data?.detail ?? ""}</small>
      {hasEnded || error !== null ? (
        <button type="button" className="icon-button" aria-label={text.common.close} onClick={onClose}>
          ×
        </button>
      ) : null}
    </div>
  );
}
