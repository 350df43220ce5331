import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { ComputerResource } from "#api/computer-api.ts";
import type { RouteBody } from "#api/contract.ts";
import type { JobResource } from "#api/job-api.ts";
import { ApiFailure, call } from "../../api/client.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { Field, TextField } from "../../ui/field.tsx";
import { showToast } from "../../ui/toast.tsx";
import { useMe } from "../me.tsx";
import { InstallFields } from "./install-fields.tsx";
import { type JobTimes, startTimes, toJobTimes } from "./job-times.ts";
import { JobTimesFields } from "./job-times-fields.tsx";
import { JobPreview } from "./job-preview.tsx";
import {
  isDestructive,
  nothingTyped,
  titleOf,
  toTasks,
  type TypedWork,
  type WorkOrder,
} from "./work-order.ts";

const namedCountMax = 12;
/** Answers after which the password is asked for. */
const passwordCodes: readonly string[] = ["confirmation-needed", "bad-login"];

type Disk = {
  readonly name: string;
  readonly sizeBytes: number;
  readonly model: string | null;
  readonly serial: string | null;
};

/** Inventory is what the machine claims; only what looks like a disk is shown. */
function disksOf({ inventory }: ComputerResource): readonly Disk[] {
  const { disks } = (inventory ?? {}) as { disks?: unknown };
  return Array.isArray(disks)
    ? (disks as Disk[]).filter(({ sizeBytes }) => typeof sizeBytes === "number")
    : [];
}

type JobBody = RouteBody<"createJob">;

function toBody(
  order: Exclude<WorkOrder, { type: "assign" }>,
  ids: readonly string[],
  typed: TypedWork,
  times: JobTimes,
): JobBody {
  return {
    name: titleOf(order),
    tasks: toTasks(order, typed),
    computers: [...ids],
    ...toJobTimes(times),
  };
}

type OrderDialogProps = {
  readonly order: WorkOrder;
  readonly computers: readonly ComputerResource[];
  /** Called also when an order has come that was closed on its way: another may be shown by then. */
  readonly onClose: () => void;
  readonly onOrdered: (job: JobResource) => void;
};

/** Says what will happen to which computers, and does it. Work that erases many is confirmed with the password. */
export function OrderDialog(props: OrderDialogProps): ReactNode {
  const { order, onClose, onOrdered } = props;
  const client = useQueryClient();
  const [typed, setTyped] = useState(nothingTyped);
  const [times, setTimes] = useState(() =>
    startTimes(new Date(), Intl.DateTimeFormat().resolvedOptions().timeZone),
  );
  const [password, setPassword] = useState("");
  const approved = props.computers.filter(({ state }) => state === "approved");
  const left = props.computers.filter(({ state }) => state !== "approved");
  const isErasing = isDestructive(order);
  const ids = approved.map(({ id }) => id);
  const body = order.type === "assign" ? null : toBody(order, ids, typed, times);
  const ordering = useMutation({
    mutationFn: async () => {
      if (password !== "") {
        await call("confirmMe", { body: { password } });
      }
      return order.type === "assign"
        ? call("assignJob", { id: order.jobId, body: { computers: ids } })
        : call("createJob", { body: toBody(order, ids, typed, times) });
    },
    onSuccess: async (job) => {
      await client.invalidateQueries({ queryKey: ["listJobs"] });
      showToast({ kind: "done", text: text.work.ordered(titleOf(order), approved.length) });
      onOrdered(job);
      onClose();
    },
  });
  const failure = ordering.error instanceof ApiFailure ? ordering.error : null;
  const needsPassword = useMe().hasPassword && passwordCodes.includes(failure?.code ?? "");
  const isReady = approved.length > 0 && (order.type !== "script" || typed.script.trim() !== "");
  return (
    <Dialog
      title={titleOf(order)}
      onClose={onClose}
      action={{
        label: actionLabel(order, approved.length),
        run: () => ordering.mutate(),
        isOff: !isReady || ordering.isPending || (needsPassword && password === ""),
        isDangerous: isErasing,
      }}
      error={needsPassword ? null : ordering.error}
    >
      {isErasing ? <p className="warning">{text.work.eraseWarning(approved.length)}</p> : null}
      <ComputerNames computers={approved} hasDisks={isErasing} />
      {left.length === 0 ? null : (
        <p className="note">{text.work.leftOut(left.map(({ name }) => name).join(", "))}</p>
      )}
      <TypedFields {...{ order, typed }} onChange={setTyped} />
      {body === null ? null : <OrderTimes times={times} onChange={setTimes} body={isReady ? body : null} />}
      {needsPassword ? (
        <TextField
          label={text.work.passwordAgain}
          hint={failure?.message}
          type="password"
          autoFocus
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
        />
      ) : null}
    </Dialog>
  );
}

function actionLabel(order: WorkOrder, count: number): string {
  if (order.type === "install") {
    return text.work.eraseAndInstall(count);
  }
  return isDestructive(order) ? text.work.erase(count) : text.work.order(count);
}

/** What this kind of work has to be told. */
function TypedFields(props: {
  readonly order: WorkOrder;
  readonly typed: TypedWork;
  readonly onChange: (typed: TypedWork) => void;
}): ReactNode {
  const { order, typed, onChange } = props;
  switch (order.type) {
    case "script":
      return <ScriptField value={typed.script} onChange={(script) => onChange({ ...typed, script })} />;
    case "install":
      return (
        <InstallFields
          installation={typed.installation}
          onChange={(installation) => onChange({ ...typed, installation })}
        />
      );
    case "deploy":
    case "restart":
    case "power-off":
    case "assign":
      return null;
  }
}

/** When and how often, and what the server would make of it. */
function OrderTimes(props: {
  readonly times: JobTimes;
  readonly onChange: (times: JobTimes) => void;
  /** `null`: there is nothing to ask about yet. */
  readonly body: JobBody | null;
}): ReactNode {
  const { times, onChange, body } = props;
  return (
    <>
      <details className="job-times">
        <summary>{text.times.summary}</summary>
        <JobTimesFields times={times} onChange={onChange} />
      </details>
      {body === null ? null : <JobPreview key={JSON.stringify(body)} body={body} />}
    </>
  );
}

function ComputerNames(props: {
  readonly computers: readonly ComputerResource[];
  readonly hasDisks: boolean;
}): ReactNode {
  const { computers, hasDisks } = props;
  return (
    <ul className="named">
      {computers.slice(0, namedCountMax).map((computer) => (
        <li key={computer.id}>
          <strong>{computer.name}</strong>
          {hasDisks
            ? disksOf(computer).map((disk) => (
                <small key={disk.name}>
                  {text.work.disk(disk.model ?? disk.name, formatBytes(disk.sizeBytes), disk.serial)}
                </small>
              ))
            : null}
        </li>
      ))}
      {computers.length > namedCountMax ? (
        <li>{text.work.andMore(computers.length - namedCountMax)}</li>
      ) : null}
    </ul>
  );
}

function ScriptField(props: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  return (
    <Field label={text.work.scriptLabel} hint={text.work.scriptHint}>
      {(id, hint) => (
        <textarea
          id={id}
          aria-describedby={hint}
          rows={6}
          spellCheck={false}
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
