import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSave } from "../../save.ts";
import { FieldProblems } from "./field-problems.tsx";

interface Props {
  /** What the button that sends it says. */
  readonly action: string;
  /** Sends it; what this throws is shown beside the fields that it is about. */
  readonly onSubmit: () => Promise<void>;
  /** By the path of what the registry objects to, the field that it is written in. */
  readonly fieldOf: (path: string) => string | undefined;
  /** Something that is known to be wrong before it is sent. */
  readonly error?: Error | undefined;
  readonly onCancel?: () => void;
  readonly isDisabled?: boolean;
  /** Whether the first field takes the focus: of a form that somebody just opened. */
  readonly takesFocus?: boolean;
  readonly children: ComponentChildren;
}

/** A form: sends once at a time, says what is wrong where it is wrong, and goes there. */
export function Form(props: Props) {
  const { action, onSubmit, fieldOf, error, onCancel, isDisabled = false, takesFocus = false, children } = props;
  const form = useRef<HTMLFormElement>(null);
  const { save, isBusy, error: refusal } = useSave(onSubmit);

  useEffect(() => {
    if (takesFocus) form.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }, [takesFocus]);
  useEffect(() => {
    if (refusal) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [refusal]);

  const submit = (event: Event) => {
    event.preventDefault();
    if (!isDisabled) void save();
  };
  return (
    // The registry's own words on what is wrong are better than the browser's.
    <form ref={form} class="stack" noValidate onSubmit={submit}>
      <FieldProblems error={error ?? refusal} fieldOf={fieldOf}>
        {children}
      </FieldProblems>
      <div class="row">
        <button type="submit" class="button primary" aria-disabled={isBusy || isDisabled}>
          {action}
        </button>
        {onCancel && (
          <button type="button" class="button" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
