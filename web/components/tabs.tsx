interface View {
  readonly id: string;
  readonly label: string;
}

interface Props {
  readonly label: string;
  readonly views: readonly View[];
  readonly current: string;
  readonly hrefOf: (id: string) => string;
}

/** On a phone, there are more than fit. */
const showWhole = (link: HTMLAnchorElement | null) => link?.scrollIntoView({ block: "nearest", inline: "nearest" });

/** Views of one thing. Each has an address, so they are links. */
export function Tabs({ label, views, current, hrefOf }: Props) {
  return (
    <nav class="tabs" aria-label={label}>
      {views.map(({ id, label: text }) => (
        <a
          key={id}
          href={hrefOf(id)}
          aria-current={id === current ? "page" : undefined}
          ref={id === current ? showWhole : null}
        >
          {text}
        </a>
      ))}
    </nav>
  );
}
