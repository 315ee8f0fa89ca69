import type { ComponentChildren } from "preact";
import { Field } from "./field.tsx";

interface Props {
  readonly name: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** What password managers are to do with it. */
  readonly autocomplete: "new-password" | "current-password";
  readonly value: string;
  readonly onInput: (value: string) => void;
}

/** A field for a password. */
export function PasswordField({ name, label, hint, autocomplete, value, onInput }: Props) {
  return (
    <Field name={name} label={label} hint={hint}>
      {(control) => (
        <input
          type="password"
          {...control}
          autocomplete={autocomplete}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
