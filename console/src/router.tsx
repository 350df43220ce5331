import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { readProof } from "./api/proof.ts";
import { LoginPage, ProviderPage, SetupPage } from "./pages/login-page.tsx";
import { Shell } from "./pages/shell.tsx";
import { WorkPage } from "./pages/work-page.tsx";
import { NotFound } from "./pages/not-found.tsx";

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const loginRoute = createRoute({ getParentRoute: () => rootRoute, path: "/login", component: LoginPage });
const providerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login/provider",
  component: ProviderPage,
});
const setupRoute = createRoute({ getParentRoute: () => rootRoute, path: "/setup", component: SetupPage });

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "shell",
  component: Shell,
  beforeLoad: ({ location }) => {
    if (readProof() === null) {
      throw redirect({ to: "/login", search: { next: location.pathname } as never });
    }
  },
});

const workRoute = createRoute({ getParentRoute: () => shellRoute, path: "/", component: WorkPage });

const computerRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/computers/$id/{-$tab}",
  component: lazyRouteComponent(() => import("./pages/computer-page.tsx"), "ComputerPage"),
});
const jobRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/jobs/$id",
  component: lazyRouteComponent(() => import("./pages/job-page.tsx"), "JobPage"),
});
const imagesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/images",
  component: lazyRouteComponent(() => import("./pages/images-page.tsx"), "ImagesPage"),
});
const sessionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/sessions",
  component: lazyRouteComponent(() => import("./pages/sessions-page.tsx"), "SessionsPage"),
});
const planRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/plan/{-$tab}",
  component: lazyRouteComponent(() => import("./pages/plan/plan-page.tsx"), "PlanPage"),
});
const bootRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/boot/{-$tab}",
  component: lazyRouteComponent(() => import("./pages/boot/boot-page.tsx"), "BootPage"),
});
const optionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/options/{-$tab}",
  component: lazyRouteComponent(() => import("./pages/options-page.tsx"), "OptionsPage"),
});
const peopleRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/people",
  component: lazyRouteComponent(() => import("./pages/people-page.tsx"), "PeoplePage"),
});
const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/audit",
  component: lazyRouteComponent(() => import("./pages/audit-page.tsx"), "AuditPage"),
});
const guideRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: "/guide",
  component: lazyRouteComponent(() => import("./pages/guide-page.tsx"), "GuidePage"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    loginRoute,
    providerRoute,
    setupRoute,
    shellRoute.addChildren([
      workRoute,
      computerRoute,
      jobRoute,
      imagesRoute,
      sessionsRoute,
      planRoute,
      bootRoute,
      optionsRoute,
      peopleRoute,
      auditRoute,
      guideRoute,
    ]),
  ]),
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
