import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { ApiFailure, call } from "../api/client.ts";
import { LiveConnection, type LiveState } from "../api/live-connection.ts";
import { goToProvider } from "../api/login-provider.ts";
import { forgetProof } from "../api/proof.ts";
import { useApi } from "../api/use-api.ts";
import { text } from "../text/text.ts";
import { applyTheme, readTheme, type Theme } from "../theme.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { Menu, type MenuPlace } from "../ui/menu.tsx";
import { Failure, Loading } from "../ui/pieces.tsx";
import { showToast } from "../ui/toast.tsx";
import { MeContext, useMe } from "./me.tsx";
import { PasswordDialog } from "./password-dialog.tsx";
import { SecondFactorDialog } from "./second-factor-dialog.tsx";
import { SecurityKeysDialog } from "./security-keys-dialog.tsx";

const places: readonly {
  to: string;
  label: string;
  icon: IconName;
  isForAdministrators?: true;
  isForWholeSite?: true;
}[] = [
  { to: "/", label: text.nav.computers, icon: "computer" },
  { to: "/images", label: text.nav.images, icon: "image" },
  { to: "/sessions", label: text.nav.sessions, icon: "session" },
  { to: "/plan", label: text.nav.plan, icon: "plan" },
  { to: "/boot", label: text.nav.boot, icon: "boot" },
  { to: "/options", label: text.nav.options, icon: "options" },
  { to: "/people", label: text.nav.people, icon: "people", isForAdministrators: true, isForWholeSite: true },
  { to: "/audit", label: text.nav.audit, icon: "audit", isForAdministrators: true },
  { to: "/guide", label: text.nav.guide, icon: "guide" },
];

/** Frame of every page: who, where, and whether what is shown is live. */
export function Shell(): ReactNode {
  const client = useQueryClient();
  const navigate = useNavigate();
  const me = useApi("showMe");
  const [live, setLive] = useState<LiveState>("connecting");
  const isIn = me.data !== undefined;
  useEffect(() => {
    if (!isIn) {
      return undefined;
    }
    const connection = new LiveConnection(client, setLive);
    return () => connection.close();
  }, [client, isIn]);
  useEffect(() => {
    if (me.error instanceof ApiFailure && me.error.status === 401) {
      forgetProof();
      void navigate({ to: "/login" });
    }
  }, [me.error, navigate]);
  if (me.data === undefined) {
    return me.error === null ? <Loading what={text.common.opening} /> : <Failure error={me.error} />;
  }
  return (
    <MeContext value={me.data}>
      <a className="skip" href="#content">
        {text.common.skip}
      </a>
      <div className="shell">
        <TopBar live={live} />
        <SideBar />
        <div id="content" className="content" tabIndex={-1}>
          <Outlet />
        </div>
      </div>
    </MeContext>
  );
}

function SideBar(): ReactNode {
  const { role, isLimited } = useMe();
  const path = useLocation({ select: ({ pathname }) => pathname });
  // Their pages are opened from the computers, and have no place of their own here.
  const isBelowComputers = /^\/(computers|jobs)\//.test(path);
  return (
    <nav className="side" aria-label={text.nav.label}>
      {places
        .filter(({ isForAdministrators }) => isForAdministrators !== true || role === "administrator")
        .filter(({ isForWholeSite }) => isForWholeSite !== true || !isLimited)
        .map(({ to, label, icon }) => (
          <Link
            key={to}
            to={to}
            activeOptions={{ exact: to === "/" }}
            activeProps={{ "aria-current": "page" }}
            inactiveProps={to === "/" && isBelowComputers ? { "aria-current": "true" } : {}}
          >
            <Icon name={icon} />
            <span>{label}</span>
          </Link>
        ))}
    </nav>
  );
}

function TopBar({ live }: { readonly live: LiveState }): ReactNode {
  const server = useApi("showServer");
  const failed = server.data?.services.filter(({ state }) => state === "failed") ?? [];
  return (
    <header className="top">
      <Link to="/" className="brand">
        <img src="/compass.svg" alt="" width="24" height="24" />
        <span>Portolan</span>
      </Link>
      <span className="top-server">
        {server.data?.name ?? ""}
        {server.data === undefined ? null : <small>{text.top.profile(server.data.profile)}</small>}
      </span>
      <span className="top-space" />
      {failed.length === 0 ? null : (
        <Link to="/boot/{-$tab}" className="badge badge-bad">
          {text.top.failedServices(failed.map(({ name }) => name).join(", "))}
        </Link>
      )}
      <span className={`live live-${live}`} role="status">
        {text.top.live[live]}
      </span>
      <MeMenu />
    </header>
  );
}

async function logInAgain(): Promise<void> {
  try {
    await goToProvider({ isFresh: true });
  } catch (error) {
    showToast({ kind: "failed", text: error instanceof Error ? error.message : String(error) });
  }
}

function MeMenu(): ReactNode {
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [place, setPlace] = useState<MenuPlace | null>(null);
  const [isChanging, setChanging] = useState(false);
  const [isSecuring, setSecuring] = useState(false);
  const [showsKeys, setShowsKeys] = useState(false);
  const [theme, setTheme] = useState<Theme>(readTheme());
  const choose = (next: Theme): void => {
    applyTheme(next);
    setTheme(next);
  };
  const leave = async (): Promise<void> => {
    const answer = await call("logout").catch(() => null);
    forgetProof();
    client.clear();
    if (answer !== null && answer.providerUrl !== null) {
      location.assign(answer.providerUrl);
      return;
    }
    await navigate({ to: "/login" });
  };
  return (
    <>
      <button
        type="button"
        className="button me"
        aria-haspopup="menu"
        onClick={(event) => {
          const { right, bottom } = event.currentTarget.getBoundingClientRect();
          setPlace({ x: right - 200, y: bottom + 4 });
        }}
      >
        {me.name}
        <small>{me.isLimited ? text.top.limited(text.roles[me.role]) : text.roles[me.role]}</small>
        <Icon name="down" />
      </button>
      {place === null ? null : (
        <Menu
          label={text.top.account}
          place={place}
          onClose={() => setPlace(null)}
          items={[
            ...(["system", "light", "dark"] as const).map((name) => ({
              label: text.top.theme[name],
              ...(theme === name ? { icon: "check" as const } : {}),
              run: () => choose(name),
            })),
            "line",
            ...(me.hasPassword
              ? [
                  { label: text.top.changePassword, run: () => setChanging(true) },
                  { label: text.secondFactor.title, run: () => setSecuring(true) },
                  { label: text.securityKeys.title, run: () => setShowsKeys(true) },
                ]
              : [{ label: text.top.logInAgain, run: () => void logInAgain() }]),
            { label: text.top.leave, run: () => void leave() },
          ]}
        />
      )}
      {isChanging ? <PasswordDialog onClose={() => setChanging(false)} /> : null}
      {showsKeys ? <SecurityKeysDialog onClose={() => setShowsKeys(false)} /> : null}
      {isSecuring ? <SecondFactorDialog onClose={() => setSecuring(false)} /> : null}
    </>
  );
}
