import { type FormEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { text } from "../text/text.ts";

export type DialogProps = {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** What its button does, and Enter in a field. Without it there is nothing to do but close. */
  readonly action?: {
    readonly label: string;
    readonly run: () => void;
    /** It cannot be done now, or is being done. */
    readonly isOff?: boolean;
    /** It takes away something that does not come back. */
    readonly isDangerous?: boolean;
  };
  /** Why it was refused, where no field says it. */
  readonly error?: Error | null;
};

/** A modal dialog: the browser keeps focus inside, makes the rest inert, and closes it on Escape. */
export function Dialog({ title, onClose, children, action, error }: DialogProps): ReactNode {
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
  // Only when it is drawn again its button is off: the second press of a double click may come before.
  const isRunning = useRef(false);
  useEffect(() => {
    isRunning.current = false;
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isRunning.current) {
      isRunning.current = true;
      action?.run();
    }
  };
  return (
    <dialog
      ref={dialog}
      className="dialog"
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
        <div className="dialog-content">
          {children}
          {error ? (
            <p className="failure" role="alert">
              {error.message}
            </p>
          ) : null}
        </div>
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            {action === undefined ? text.common.close : text.common.cancel}
          </button>
          {action === undefined ? null : (
            <button
              type="submit"
              className={action.isDangerous === true ? "button danger" : "button primary"}
              disabled={action.isOff}
            >
              {action.label}
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}
