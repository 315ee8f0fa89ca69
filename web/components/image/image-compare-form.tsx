import { useLocation } from "preact-iso";
import { useId, useState } from "preact/hooks";
import { type Address, comparisonOf } from "../../address.ts";
import { get } from "../../api.ts";
import type { TagEntry } from "../../api-types.ts";
import { parseOther } from "../../image/other.ts";
import { useOwnResource } from "../../own-resource.ts";

/** Asks what to compare an image with: a tag beside it, or any image here. */
export function CompareForm({ address }: { readonly address: Address }) {
  const { route } = useLocation();
  const [text, setText] = useState("");
  const fieldId = useId();
  const listId = useId();
  const tags = useTags(address.name, text);
  const other = parseOther(text, address.name, location.host);
  const submit = (event: Event) => {
    event.preventDefault();
    if (other) route(comparisonOf(other, address));
  };
  return (
    <form class="panel row" onSubmit={submit}>
      <label for={fieldId}>Compare with</label>
      <input
        id={fieldId}
        class="compare-field"
        type="text"
        list={listId}
        value={text}
        placeholder="a tag, a digest, or name:tag"
        spellcheck={false}
        autocomplete="off"
        autofocus
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <datalist id={listId}>
        {tags.map((tag) => (
          <option key={tag} value={tag} />
        ))}
      </datalist>
      <button type="submit" class="button primary" aria-disabled={other === undefined}>
        Compare
      </button>
    </form>
  );
}

/** Tags that one may mean. */
function useTags(name: string, text: string): readonly string[] {
  const { data } = useOwnResource(
    `tags like ${name} ${text}`,
    async (signal) =>
      await get<{ tags: TagEntry[] }>(
        "/api/tags",
        { repository: name, q: text, n: 10, sort: "updated", order: "desc" },
        { signal },
      ),
    true,
  );
  return data?.tags.map((tag) => tag.name) ?? [];
}
