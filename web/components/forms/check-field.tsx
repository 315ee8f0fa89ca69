import type { ComponentChildren } from "preact";

interface Props {
  readonly name: string;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly children: ComponentChildren;
}

/** Something to tick. */
export function CheckField({ name, isOn, onChange, children }: Props) {
  return (
    <label class="check">
      <input type="checkbox" name={name} checked={isOn} onChange={(event) => onChange(event.currentTarget.checked)} />
      {children}
    </label>
  );
}
