import { useParams } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { SegmentResource } from "#api/segment-api.ts";
import type { SettingResource } from "#api/settings-api.ts";
import { call } from "../api/client.ts";
import { useAction, useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { Badge, Failure, Loading, PageHead, Tabs } from "../ui/pieces.tsx";
import { showToast } from "../ui/toast.tsx";
import { useSiteObstacle } from "./me.tsx";
import { EffectCard } from "./plan/effect-card.tsx";
import { computeEffect } from "./plan/plan-changes.ts";
import { ProviderCard } from "./provider-card.tsx";
import { SettingField } from "./setting-field.tsx";

const tabPrefixes: Readonly<Record<string, readonly string[]>> = {
  imaging: ["imaging."],
  discovery: ["discovery.", "control.", "agent.", "wake."],
  transfer: ["transfer.", "remote."],
  boot: ["boot.", "tftp.", "initialDeployment."],
  login: ["console.", "login."],
  all: [""],
};

const noSegments: readonly SegmentResource[] = [];

/** Options as in the paper, by subject; beside them, what a change does to the plan. */
export function OptionsPage(): ReactNode {
  const { tab = "imaging" } = useParams({ from: "/shell/options/{-$tab}" });
  const settings = useApi("listSettings");
  const isAdministrator = useSiteObstacle("administrator") === null;
  if (settings.data === undefined) {
    return settings.error === null ? (
      <Loading what={text.options.loading} />
    ) : (
      <Failure error={settings.error} />
    );
  }
  const tabs = Object.entries(text.options.tabs).map(([key, title]) => ({
    key,
    title,
    to: key === "imaging" ? "/options" : `/options/${key}`,
  }));
  return (
    <main className="page">
      <PageHead title={text.nav.options} lead={text.options.lead} />
      <Tabs tabs={tabs} label={text.nav.options} />
      {tab === "profile" ? (
        <Profiles />
      ) : (
        <SettingsForm key={tab} all={settings.data} prefixes={tabPrefixes[tab] ?? [""]}>
          {tab === "login" && isAdministrator ? <ProviderCard /> : null}
        </SettingsForm>
      )}
    </main>
  );
}

function SettingsForm(props: {
  readonly all: readonly SettingResource[];
  readonly prefixes: readonly string[];
  /** What else belongs to these settings. */
  readonly children: ReactNode;
}): ReactNode {
  const { all, prefixes, children } = props;
  const obstacle = useSiteObstacle("administrator");
  const [drafts, setDrafts] = useState<Readonly<Record<string, string>>>({});
  const segments = useApi("showPlan").data?.segments ?? noSegments;
  const shown = all.filter(({ key }) => prefixes.some((prefix) => key.startsWith(prefix)));
  const changed = shown.filter(({ key, value }) => drafts[key] !== undefined && drafts[key] !== value);
  const effect = useMemo(() => {
    const before = Object.fromEntries(all.map(({ key, value }) => [key, value]));
    return computeEffect(before, { ...before, ...drafts }, segments);
  }, [all, drafts, segments]);
  const apply = useApply(
    changed.map(({ key }) => [key, drafts[key] ?? ""] as const),
    () => setDrafts({}),
  );
  const isRefused = effect.type === "refused";
  return (
    <div className="columns options">
      <form
        className="card"
        onSubmit={(event) => {
          event.preventDefault();
          apply.mutate();
        }}
      >
        {shown.map((setting) => (
          <SettingField
            key={setting.key}
            setting={setting}
            draft={drafts[setting.key] ?? setting.value}
            isDisabled={obstacle !== null}
            error={isRefused && effect.key === setting.key ? effect.message : null}
            onChange={(value) => setDrafts((known) => ({ ...known, [setting.key]: value }))}
          />
        ))}
        {obstacle === null ? null : <p className="note">{obstacle}</p>}
        <div className="form-actions">
          <button
            type="button"
            className="button"
            disabled={changed.length === 0}
            onClick={() => setDrafts({})}
          >
            {text.options.discard}
          </button>
          <button
            type="submit"
            className="button primary"
            disabled={changed.length === 0 || isRefused || obstacle !== null || apply.isPending}
          >
            {text.options.apply(changed.length)}
          </button>
        </div>
      </form>
      <div className="stack">
        <EffectCard effect={effect} isChanged={changed.length > 0} />
        {children}
      </div>
    </div>
  );
}

/** Sends the changed values one after the other; the first that is refused stops the rest. */
function useApply(changed: readonly (readonly [string, string])[], onApplied: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      let said = "";
      for (const [key, value] of changed) {
        said = (await call("setSetting", { id: key, body: { value } })).effect;
      }
      return said;
    },
    onSuccess: async (said) => {
      onApplied();
      showToast({ kind: "done", text: `${text.options.applied}. ${said}` });
      await client.invalidateQueries();
    },
    onError: (error) => showToast({ kind: "failed", text: error.message }),
  });
}

function Profiles(): ReactNode {
  const server = useApi("showServer");
  const obstacle = useSiteObstacle("administrator");
  const take = useAction("setProfile", { done: ({ effect }) => effect });
  return (
    <>
      <p>{text.options.profileLead}</p>
      <div className="cards">
        {(["classic", "firewall"] as const).map((profile) => {
          const [title, lead] = text.options.profiles[profile] ?? [profile, ""];
          const isCurrent = server.data?.profile === profile;
          return (
            <section key={profile} className="card">
              <h2>
                {title} {isCurrent ? <Badge tone="good">{text.options.current}</Badge> : null}
              </h2>
              <p>{lead}</p>
              <button
                type="button"
                className="button"
                disabled={isCurrent || obstacle !== null || take.isPending}
                title={obstacle ?? undefined}
                onClick={() => take.mutate({ body: { profile } })}
              >
                {text.options.take(title)}
              </button>
            </section>
          );
        })}
      </div>
    </>
  );
}
