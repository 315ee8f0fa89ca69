import type { ComponentChildren, TargetedInputEvent } from "preact";
import { Field } from "./field.tsx";

interface Props {
  readonly name: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly placeholder?: string;
  /** Which keyboard a phone shows. */
  readonly inputMode?: "text" | "decimal";
  /** Lines; without it, there is one. */
  readonly rows?: number;
}

/** A field for a text of one line, or several. */
export function TextField({ name, label, hint, value, onInput, placeholder, inputMode, rows }: Props) {
  const common = {
    value,
    placeholder,
    inputMode,
    spellcheck: false,
    autocapitalize: "none",
    autocomplete: "off",
    onInput: (event: TargetedInputEvent<HTMLInputElement | HTMLTextAreaElement>) => onInput(event.currentTarget.value),
  } as const;
  return (
    <Field name={name} label={label} hint={hint}>
      {(control) =>
        rows === undefined ? (
          <input type="text" {...control} {...common} />
        ) : (
          <textarea rows={rows} {...control} {...common} />
        )
      }
    </Field>
  );
}
