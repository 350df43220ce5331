import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { RouteBody } from "#api/contract.ts";
import { call } from "../../api/client.ts";
import { formatTime } from "../../text/format.ts";
import { text } from "../../text/text.ts";

const words = text.times;
const obstacleCountMax = 8;

/** Asks the server what a job would do, before it is ordered. */
export function JobPreview({ body }: { readonly body: RouteBody<"createJob"> }): ReactNode {
  const preview = useMutation({ mutationFn: () => call("previewJob", { body }) });
  const obstacles = (preview.data?.computers ?? []).flatMap(({ computerName, obstacles: all }) =>
    all.map((why) => words.obstacle(computerName, why)),
  );
  return (
    <div className="preview" aria-live="polite">
      <button
        type="button"
        className="button small"
        disabled={preview.isPending}
        onClick={() => preview.mutate()}
      >
        {preview.isPending ? words.previewing : words.preview}
      </button>
      {preview.error === null ? null : <p className="failure">{preview.error.message}</p>}
      {preview.data === undefined ? null : (
        <>
          <p>
            {preview.data.startsAt === null
              ? words.startsNow
              : words.startsAt(formatTime(preview.data.startsAt))}{" "}
            {obstacles.length === 0 ? words.noObstacle(preview.data.computers.length) : null}
          </p>
          {obstacles.length === 0 ? null : (
            <ul className="named">
              {obstacles.slice(0, obstacleCountMax).map((line) => (
                <li key={line}>{line}</li>
              ))}
              {obstacles.length > obstacleCountMax ? (
                <li>{text.work.andMore(obstacles.length - obstacleCountMax)}</li>
              ) : null}
            </ul>
          )}
        </>
      )}
    </div>
  );
}
