import { type ReactNode, useState } from "react";
import type { SessionResource } from "#api/session-api.ts";
import { useAction } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Dialog } from "../ui/dialog.tsx";
import { useObstacle } from "./me.tsx";

/** Holds a session, goes on with it, or ends it. */
export function SessionActions({ session }: { readonly session: SessionResource }): ReactNode {
  const obstacle = useObstacle("operator");
  const isPaused = session.state === "paused";
  const pause = useAction("pauseSession", { done: () => text.sessions.paused });
  const resume = useAction("resumeSession", { done: () => text.sessions.resumed });
  const cancel = useAction("cancelSession", { done: () => text.sessions.cancelled });
  const [isEnding, setEnding] = useState(false);
  const id = String(session.id);
  return (
    <>
      <button
        type="button"
        className="button small"
        disabled={obstacle !== null || pause.isPending || resume.isPending}
        title={obstacle ?? undefined}
        onClick={() => (isPaused ? resume : pause).mutate({ id })}
      >
        {isPaused ? text.sessions.resume : text.sessions.pause}
      </button>
      <button
        type="button"
        className="button small"
        disabled={obstacle !== null || cancel.isPending}
        title={obstacle ?? undefined}
        onClick={() => setEnding(true)}
      >
        {text.sessions.cancel}
      </button>
      {isEnding ? (
        <Dialog
          title={text.sessions.cancelTitle}
          onClose={() => setEnding(false)}
          action={{
            label: text.sessions.cancelTitle,
            run: () => cancel.mutate({ id }, { onSettled: () => setEnding(false) }),
            isOff: cancel.isPending,
            isDangerous: true,
          }}
        >
          <p>{text.sessions.cancelWarning}</p>
        </Dialog>
      ) : null}
    </>
  );
}
