import type { ReactNode } from "react";
import type { UserResource } from "#api/account-api.ts";
import { useApi } from "../../api/use-api.ts";
import { text } from "../../text/text.ts";

/** Ids of groups; none chosen yet is not the whole site, which is `null`. */
export type Limit = readonly string[] | null;

export function isChosen(limit: Limit): boolean {
  return limit === null || limit.length > 0;
}

export function formatLimit(groups: UserResource["groups"]): string {
  return groups === null ? text.people.wholeSite : groups.map(({ path }) => path).join(", ");
}

/** Which computers an account or token sees and touches: all, or those in some groups. */
export function LimitField(props: {
  readonly limit: Limit;
  readonly onChange: (limit: Limit) => void;
}): ReactNode {
  const { limit, onChange } = props;
  const groups = useApi("listGroups").data ?? [];
  const sorted = groups.toSorted((left, right) => left.path.localeCompare(right.path));
  return (
    <fieldset className="limit">
      <legend>{text.people.computers}</legend>
      <label className="choice">
        <input type="radio" name="limit" checked={limit === null} onChange={() => onChange(null)} />
        <span>{text.people.wholeSite}</span>
      </label>
      <label className="choice">
        <input
          type="radio"
          name="limit"
          checked={limit !== null}
          disabled={sorted.length === 0}
          onChange={() => onChange([])}
        />
        <span>{sorted.length === 0 ? text.people.noGroups : text.people.someGroups}</span>
      </label>
      {limit === null ? null : (
        <div className="limit-groups">
          {sorted.map(({ id, path }) => (
            <label key={id} className="choice">
              <input
                type="checkbox"
                checked={limit.includes(id)}
                onChange={({ target }) =>
                  onChange(target.checked ? [...limit, id] : limit.filter((other) => other !== id))
                }
              />
              <span>{path}</span>
            </label>
          ))}
        </div>
      )}
    </fieldset>
  );
}
