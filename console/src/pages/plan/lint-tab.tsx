import type { ReactNode } from "react";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";
import { useMe } from "../me.tsx";
import { Badge, CopyText, Empty, Failure, Loading, Time, type Tone } from "../../ui/pieces.tsx";

const tones: Readonly<Record<string, Tone>> = { fault: "bad", warning: "warn", note: "calm", notice: "calm" };

/** What the settings would do to the network, and what is wrong with it by watching. */
export function LintTab(): ReactNode {
  const lint = useApi("lintPlan");
  const seen = useApi("listFindings");
  const { isLimited } = useMe();
  if (lint.data === undefined || seen.data === undefined) {
    const error = lint.error ?? seen.error;
    return error === null ? <Loading what={text.plan.linting} /> : <Failure error={error} />;
  }
  return (
    <div className="columns">
      <section className="card">
        <h2>{text.plan.lintSettings}</h2>
        {lint.data.length === 0 ? <Empty icon="check" title={text.plan.lintNone} /> : null}
        <ul className="findings">
          {lint.data.map(({ code, severity, subject, what, why, mend }) => (
            <li key={`${code} ${subject}`}>
              <Badge tone={tones[severity] ?? "warn"}>{text.plan.severities[severity] ?? severity}</Badge>
              <strong>{what}</strong>
              <p>{why}</p>
              {mend === "" ? null : (
                <div className="command">
                  <code>{mend}</code>
                  <CopyText value={mend} label={text.common.copy} />
                </div>
              )}
            </li>
          ))}
        </ul>
      </section>
      <section className="card">
        <h2>{text.plan.lintSeen}</h2>
        {seen.data.length === 0 ? (
          <Empty icon="check" title={isLimited ? text.plan.seenNoneInside : text.plan.seenNone} />
        ) : null}
        <ul className="findings">
          {seen.data.map((finding) => (
            <li key={`${finding.kind} ${JSON.stringify(finding.subject)}`}>
              <Badge tone={tones[finding.severity] ?? "warn"}>
                {text.plan.severities[finding.severity] ?? finding.severity}
              </Badge>
              <strong>
                {finding.subject.type === "segment" ? finding.subject.name : finding.subject.mac}
              </strong>{" "}
              <small className="muted">
                <Time at={finding.lastSeenAt} />, {text.plan.seenTimes(finding.seenCount)}
              </small>
              <p>{finding.cause}</p>
              <p className="muted">{finding.evidence}</p>
              {finding.remedy === null ? null : <pre className="code">{finding.remedy}</pre>}
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
