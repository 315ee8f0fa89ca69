import { useHref } from "../../href.ts";
import { addressOfPlatform, type PlatformImage } from "../../image/platforms.ts";

interface Props {
  readonly platforms: readonly PlatformImage[];
  readonly chosen: PlatformImage | undefined;
}

/** The images of an index, of which one is shown. */
export function PlatformPicker({ platforms, chosen }: Props) {
  const href = useHref();
  return (
    <nav class="row" aria-label="Platform">
      <span class="quiet small" aria-hidden="true">
        Platform
      </span>
      <ul class="choices">
        {platforms.map((image) => (
          <li key={image.descriptor.digest}>
            <a
              href={href({ platform: addressOfPlatform(platforms, image), layer: undefined })}
              aria-current={image === chosen ? "true" : undefined}
            >
              {image.label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
