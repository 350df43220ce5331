import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { Icon, type IconName } from "./icon.tsx";

export type MenuItem = {
  readonly label: string;
  readonly icon?: IconName;
  readonly isDangerous?: boolean;
  /** Why it cannot be chosen now; shown with it. */
  readonly obstacle?: string | null;
  readonly run: () => void;
};

export type MenuPlace = { readonly x: number; readonly y: number };

/** A menu at a place, with arrow keys, Home, End and Escape. */
export function Menu(props: {
  readonly label: string;
  readonly place: MenuPlace;
  readonly items: readonly (MenuItem | "line")[];
  readonly onClose: () => void;
}): ReactNode {
  const { label, place, items, onClose } = props;
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    const element = menu.current;
    if (element !== null) {
      element.showPopover();
      const { offsetWidth, offsetHeight } = element;
      element.style.left = `${Math.max(4, Math.min(place.x, innerWidth - offsetWidth - 8))}px`;
      element.style.top = `${Math.max(4, Math.min(place.y, innerHeight - offsetHeight - 8))}px`;
      element.querySelector<HTMLElement>("[role=menuitem]:not([aria-disabled=true])")?.focus();
    }
    return () => {
      if (opener instanceof HTMLElement) {
        opener.focus();
      }
    };
  }, [place]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const entries = [...(menu.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const index = entries.findIndex((entry) => entry === document.activeElement);
    const target = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: entries.length - 1 }[event.key];
    if (target !== undefined) {
      event.preventDefault();
      entries.at(target % entries.length)?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      onClose();
    }
  };
  return (
    <div
      ref={menu}
      popover="auto"
      className="menu"
      role="menu"
      aria-label={label}
      onKeyDown={onKeyDown}
      onToggle={(event) => {
        if (event.newState === "closed") {
          onClose();
        }
      }}
    >
      {items.map((item, index) =>
        item === "line" ? (
          // A line has no identity but its place.
          <hr key={`line-${index}`} role="separator" />
        ) : (
          <MenuEntry key={item.label} item={item} onClose={onClose} />
        ),
      )}
    </div>
  );
}

function MenuEntry({ item, onClose }: { readonly item: MenuItem; readonly onClose: () => void }): ReactNode {
  const isOff = item.obstacle !== undefined && item.obstacle !== null;
  return (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      aria-disabled={isOff}
      className={item.isDangerous === true ? "menu-item dangerous" : "menu-item"}
      onClick={() => {
        if (!isOff) {
          onClose();
          item.run();
        }
      }}
    >
      {item.icon === undefined ? <span className="icon" /> : <Icon name={item.icon} />}
      <span>
        {item.label}
        {isOff ? <small>{item.obstacle}</small> : null}
      </span>
    </button>
  );
}
