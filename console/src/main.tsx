import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiFailure } from "./api/client.ts";
import { router } from "./router.tsx";
import { applyTheme } from "./theme.ts";
import { ToastList } from "./ui/toast.tsx";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/pages.css";

applyTheme();

const client = new QueryClient({
  defaultOptions: {
    // The server is in this network, whether or not the browser thinks that it is connected to the internet. Otherwise a
    // page would wait for that without a word.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      // Live events keep what was read up to date; reading again is for what they do not carry.
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && error instanceof ApiFailure && error.status === 0,
    },
  },
});

const root = document.querySelector("#root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
        <ToastList />
      </QueryClientProvider>
    </StrictMode>,
  );
}
