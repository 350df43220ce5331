import {
  useMutation,
  type UseMutationResult,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from "@tanstack/react-query";
import type { RouteName, RouteResponse } from "#api/contract.ts";
import { showToast } from "../ui/toast.tsx";
import { call, type CallInput } from "./client.ts";

/** What a route answers, kept and updated by live events. */
export function useApi<Name extends RouteName>(
  name: Name,
  input: CallInput<Name> & { readonly isEnabled?: boolean } = {},
): UseQueryResult<RouteResponse<Name>> {
  const { isEnabled = true, ...rest } = input;
  const key = [
    name,
    ...(rest.id === undefined ? [] : [rest.id]),
    ...(rest.query === undefined ? [] : [rest.query]),
  ];
  return useQuery({ queryKey: key, queryFn: () => call(name, rest as CallInput<Name>), enabled: isEnabled });
}

/** A call that changes something. What it answers with is said, and so is why it was refused. */
export function useAction<Name extends RouteName>(
  name: Name,
  options: {
    readonly done?: (answer: RouteResponse<Name>) => string | null;
    /** Shows the failure itself, so that it is not said twice. */
    readonly isQuiet?: boolean;
  } = {},
): UseMutationResult<RouteResponse<Name>, Error, CallInput<Name>> {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: CallInput<Name>) => call(name, input),
    onSuccess: (answer) => {
      const text = options.done?.(answer) ?? null;
      if (text !== null) {
        showToast({ kind: "done", text });
      }
      return client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "listComputers" });
    },
    onError: (error) => {
      if (options.isQuiet !== true) {
        showToast({ kind: "failed", text: error.message });
      }
    },
  });
}
