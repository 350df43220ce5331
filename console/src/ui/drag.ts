import type { DragEvent } from "react";

/** What can be dragged, and onto what it may fall is decided by its kind alone: the content is secret until the drop. */
export type DragPayload =
  | { readonly kind: "computers"; readonly ids: readonly string[] }
  | { readonly kind: "job"; readonly id: string; readonly name: string }
  | { readonly kind: "work"; readonly id: string; readonly name: string };
export type DropKind = DragPayload["kind"];

const mediaType = (kind: DropKind): string => `application/x-portolan-${kind}`;

/** Content of the drag that goes on in this window: a drop from elsewhere is never work. */
let current: DragPayload | null = null;

export function startDrag(event: DragEvent, payload: DragPayload): void {
  current = payload;
  event.dataTransfer.effectAllowed = "link";
  event.dataTransfer.setData(mediaType(payload.kind), payload.kind);
}

/** Allows the drop when its kind is one of these. */
export function acceptsDrop(event: DragEvent, kinds: readonly DropKind[]): boolean {
  const isAccepted = kinds.some((kind) => event.dataTransfer.types.includes(mediaType(kind)));
  if (isAccepted) {
    event.preventDefault();
    event.dataTransfer.dropEffect = "link";
  }
  return isAccepted;
}

export function readDrop(event: DragEvent, kinds: readonly DropKind[]): DragPayload | null {
  const dropped = current;
  current = null;
  if (dropped === null || !kinds.includes(dropped.kind)) {
    return null;
  }
  event.preventDefault();
  return dropped;
}
