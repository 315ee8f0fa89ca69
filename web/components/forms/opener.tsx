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
