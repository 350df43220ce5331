import { type ReactNode, useSyncExternalStore } from "react";
import { text } from "../text/text.ts";

export type Toast = { readonly kind: "done" | "failed"; readonly text: string };
type Shown = Toast & { readonly id: number };

const shownMs = 6000;
const countMax = 4;
/** BOUNDED by `countMax`: the oldest goes. */
let shown: readonly Shown[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function replace(next: readonly Shown[]): void {
  shown = next;
  listeners.forEach((listener) => listener());
}

/** Says what became of something. Failures stay until they are closed. */
export function showToast(toast: Toast): void {
  lastId += 1;
  const id = lastId;
  replace([...shown.slice(1 - countMax), { ...toast, id }]);
  if (toast.kind === "done") {
    window.setTimeout(() => replace(shown.filter((other) => other.id !== id)), shownMs);
  }
}

export function ToastList(): ReactNode {
  const toasts = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {toasts.map((toast) => (
        <div key={toast.id} className={`toast toast-${toast.kind}`}>
          <span>{toast.text}</span>
          <button
            type="button"
            className="icon-button"
            aria-label={text.common.close}
            onClick={() => replace(shown.filter((other) => other.id !== toast.id))}
          >
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
