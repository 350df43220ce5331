import type { ReactNode } from "react";
import type { PlanResource } from "#api/plan-api.ts";
import { useApi } from "../../api/use-api.ts";
import { formatBytes } from "../../text/format.ts";
import { text } from "../../text/text.ts";
import { CopyText, Empty, Facts, Failure, Loading } from "../../ui/pieces.tsx";
import { downloadBlob } from "../download.ts";

/** The signed change request for the network team, and what is in it. */
export function BundleTab({ plan }: { readonly plan: PlanResource }): ReactNode {
  const isAsked = plan.segments.some((segment) => segment.interface === null && segment.intent !== "none");
  return isAsked ? (
    <Bundle />
  ) : (
    <Empty icon="plan" title={text.plan.bundleNone}>
      {text.plan.bundleNoneHint}
    </Empty>
  );
}

function Bundle(): ReactNode {
  const bundle = useApi("bundlePlan", { query: {} });
  if (bundle.data === undefined) {
    return bundle.error === null ? <Loading what={text.plan.bundling} /> : <Failure error={bundle.error} />;
  }
  const { fileName, archiveBase64, manifest } = bundle.data;
  const bytes = Uint8Array.from(atob(archiveBase64), (letter) => letter.charCodeAt(0));
  const check = `portolan plan bundle --check ${fileName}`;
  return (
    <div className="columns rules">
      <section className="card">
        <h2>{text.plan.bundle}</h2>
        <p>{text.plan.bundleLead}</p>
        <div>
          <button
            type="button"
            className="button primary"
            onClick={() => downloadBlob(fileName, new Blob([bytes], { type: "application/gzip" }))}
          >
            {text.plan.bundleGet(formatBytes(bytes.byteLength))}
          </button>
        </div>
        <Facts
          facts={[
            [text.plan.bundleFile, <code key="file">{fileName}</code>],
            [text.plan.bundleSegments, manifest.segments.join(", ")],
            [text.plan.bundleDigest, <code key="digest">{manifest.planDigest.slice(0, 24)}</code>],
            [text.plan.bundleKey, <code key="key">{manifest.siteKeyFingerprint.slice(0, 24)}</code>],
          ]}
        />
        <p>{text.plan.bundleCheck}</p>
        <span className="command">
          <code>{check}</code>
          <CopyText value={check} label={text.common.copy} />
        </span>
      </section>
      <section className="card">
        <h2>{text.plan.bundleFiles}</h2>
        <table className="table">
          <tbody>
            {manifest.files.map(({ path, sizeBytes, sha256 }) => (
              <tr key={path}>
                <th scope="row" className="mono">
                  {path}
                </th>
                <td className="number">{formatBytes(sizeBytes)}</td>
                <td className="mono clip" title={sha256}>
                  {sha256.slice(0, 12)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
