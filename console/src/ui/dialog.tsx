import { type FormEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { text } from "../text/text.ts";

export type DialogProps = {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Shown right of the way out; `null` when there is nothing to do but close. */
  readonly actions?: ReactNode;
  /** Called when Enter is pressed in a field, or the submit button. */
  readonly onSubmit?: () => void;
  readonly isWide?: boolean;
};

/** A modal dialog: the browser keeps focus inside, makes the rest inert, and closes it on Escape. */
export function Dialog(props: DialogProps): ReactNode {
  const { title, onClose, children, actions = null, onSubmit, isWide = false } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (opener instanceof HTMLElement) {
        opener.focus();
      }
    };
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit?.();
  };
  return (
    <dialog
      ref={dialog}
      className={isWide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) {
          onClose();
        }
      }}
    >
      <form className="dialog-body" onSubmit={submit}>
        <h2 id={titleId}>{title}</h2>
        <div className="dialog-content">{children}</div>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            {actions === null ? text.common.close : text.common.cancel}
          </button>
          {actions}
        </div>
      </form>
    </dialog>
  );
}
