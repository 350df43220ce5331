import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { call } from "../api/client.ts";
import { text } from "../text/text.ts";
import { Progress } from "../ui/pieces.tsx";

const pollDelayMs = 500;

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
  const tone = data?.state === "failed" ? "bad" : data?.state === "done" ? "good" : "busy";
  return (
    <div className="operation" role="status">
      <strong>{data?.title ?? id}</strong>
      <Progress percent={data?.percent ?? 0} label={data?.title ?? id} tone={tone} />
      <small>{error?.message ?? data?.error ?? data?.detail ?? ""}</small>
      {hasEnded || error !== null ? (
        <button type="button" className="icon-button" aria-label={text.common.close} onClick={onClose}>
          ×
        </button>
      ) : null}
    </div>
  );
}
