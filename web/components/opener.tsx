import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface Props {
  readonly label: string;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
}

/** The button that opens a form; it has the focus again when the form is closed. */
export function Opener({ label, isOpen, onOpen }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(isOpen);
  useEffect(() => {
    const isFocusLost = document.activeElement === document.body;
    if (wasOpen.current && !isOpen && isFocusLost) button.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  return (
    <button ref={button} type="button" class="button primary" aria-expanded={isOpen} onClick={onOpen}>
      {label}
    </button>
  );
}

/** The place of a form that was opened; Escape closes it. */
export function Opened({ onClose, children }: { readonly onClose: () => void; readonly children: ComponentChildren }) {
  const close = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
  };
  return (
    <div class="panel stack" onKeyDown={close}>
      {children}
    </div>
  );
}
