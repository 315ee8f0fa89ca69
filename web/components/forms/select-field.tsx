import type { ComponentChildren } from "preact";
import { Field } from "./field.tsx";

interface Props<T extends string> {
  readonly name: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}

/** A field for one of a few. */
export function SelectField<T extends string>({ name, label, hint, value, options, onChange }: Props<T>) {
  const change = (chosen: string) => {
    const option = options.find((known) => known.value === chosen);
    if (option) onChange(option.value);
  };
  return (
    <Field name={name} label={label} hint={hint}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => change(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
