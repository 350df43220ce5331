import { type ReactNode, useState } from "react";
import type { PlanResource } from "#api/plan-api.ts";
import type { ExportResource } from "#api/plan-export-api.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { downloadBlob } from "../download.ts";
import { ChoiceField } from "../../ui/field.tsx";
import { CopyText, Empty, Failure, Loading } from "../../ui/pieces.tsx";
import { useDevice } from "./device-choice.tsx";

/** What the network team gets: only what must pass at one boundary, in the words of their device. */
export function RulesTab({ plan }: { readonly plan: PlanResource }): ReactNode {
  const { formats, format, choose } = useDevice();
  const routed = plan.segments.filter((segment) => segment.interface === null);
  const choices = routed.length > 0 ? routed : plan.segments;
  const [segment, setSegment] = useState(choices[0]?.name ?? "");
  const [multicast, setMulticast] = useState<"routed" | "local">("routed");
  const exported = useApi("exportPlan", {
    id: format,
    query: { segment, multicast },
    isEnabled: segment !== "",
  });
  if (segment === "") {
    return <Empty icon="plan" title={text.plan.noSegment} />;
  }
  return (
    <div className="columns rules">
      <section className="card">
        <p>{text.plan.exportLead}</p>
        <ChoiceField
          label={text.plan.chooseSegment}
          value={segment}
          choices={choices.map(({ name, cidr }) => [name, `${name} (${cidr})`])}
          onChange={setSegment}
        />
        {formats.length === 0 ? null : (
          <ChoiceField
            label={text.plan.format}
            value={format}
            choices={formats.map(({ format: name, title, device }) => [name, `${title} (${device})`])}
            onChange={choose}
          />
        )}
        <ChoiceField
          label={text.plan.multicast}
          value={multicast}
          choices={[
            ["routed", text.plan.multicastRouted],
            ["local", text.plan.multicastLocal],
          ]}
          onChange={setMulticast}
        />
      </section>
      <section className="card">
        {exported.data === undefined ? (
          exported.error === null ? (
            <Loading what={text.plan.exporting} />
          ) : (
            <Failure error={exported.error} />
          )
        ) : (
          <ExportTexts exported={exported.data} />
        )}
      </section>
    </div>
  );
}

function ExportTexts({ exported }: { readonly exported: ExportResource }): ReactNode {
  const { title, fileName, text: content, rollbackFileName, rollbackText } = exported;
  return (
    <>
      <ExportText {...{ title, fileName, content }} />
      <ExportText title={text.plan.rollback} fileName={rollbackFileName} content={rollbackText} />
    </>
  );
}

function ExportText(props: {
  readonly title: string;
  readonly fileName: string;
  readonly content: string;
}): ReactNode {
  const { title, fileName, content } = props;
  return (
    <>
      <div className="session-head">
        <h2>{title}</h2>
        <CopyText value={content} label={text.common.copy} />
        <button
          type="button"
          className="button small"
          onClick={() => downloadBlob(fileName, new Blob([content], { type: "text/plain" }))}
        >
          {text.common.download}
        </button>
      </div>
      <pre className="code" tabIndex={0} aria-label={title}>
        {content}
      </pre>
    </>
  );
}
