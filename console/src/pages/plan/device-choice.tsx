import { type ReactNode, useId, useState } from "react";
import type { RouteResponse } from "#api/contract.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";

type Format = RouteResponse<"listExportFormats">[number];

const key = "portolan.device";
/** The server's own choice where none is named. */
const usualFormat = "nftables";

export type DeviceChoice = {
  readonly formats: readonly Format[];
  readonly format: string;
  readonly choose: (format: string) => void;
};

/** The device in whose words rules and remedies are written: one for the whole plan, kept for the browser's session. */
export function useDevice(): DeviceChoice {
  const formats = useApi("listExportFormats").data ?? [];
  const [kept, setKept] = useState(() => sessionStorage.getItem(key) ?? usualFormat);
  // A server of another release may not know what was kept.
  const isKnown = formats.length === 0 || formats.some(({ format }) => format === kept);
  const choose = (format: string): void => {
    sessionStorage.setItem(key, format);
    setKept(format);
  };
  return { formats, format: isKnown ? kept : usualFormat, choose };
}

/** Where it stands in the network comes after the comma: for the rules, not for a line of buttons. */
function shortTitle(title: string): string {
  return title.split(", ")[0] ?? title;
}

/** Beside a button, on one line with it where there is room. */
export function DeviceSelect({ formats, format, choose }: DeviceChoice): ReactNode {
  const id = useId();
  // A choice of nothing would look as if nothing was chosen.
  if (formats.length === 0) {
    return null;
  }
  return (
    <span className="device-choice">
      <label htmlFor={id}>{text.plan.remediesFor}</label>
      <select id={id} value={format} onChange={(event) => choose(event.target.value)}>
        {formats.map(({ format: name, title }) => (
          <option key={name} value={name}>
            {shortTitle(title)}
          </option>
        ))}
      </select>
    </span>
  );
}
