import { call } from "./client.ts";

const bindingKey = "portolan.login";

/** Leaves for the login provider; the browser comes back to `ProviderPage`, in this tab. @throws ApiFailure */
export async function goToProvider(options: { readonly isFresh: boolean }): Promise<void> {
  const { url, binding } = await call("beginProviderLogin", {
    body: { ...options, origin: location.origin },
  });
  sessionStorage.setItem(bindingKey, binding);
  location.assign(url);
}

/** What shows that the login was begun in this tab; once. */
export function takeBinding(): string {
  const binding = sessionStorage.getItem(bindingKey) ?? "";
  sessionStorage.removeItem(bindingKey);
  return binding;
}
