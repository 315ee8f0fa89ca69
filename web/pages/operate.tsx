import type { ComponentType } from "preact";
import { useRoute } from "preact-iso";
import { NotForCaller } from "../components/operate/not-for-caller.tsx";
import { Problem } from "../components/problem.tsx";
import { Skeleton } from "../components/skeleton.tsx";
import { Tabs } from "../components/tabs.tsx";
import { useResource } from "../resource.ts";
import { useSession } from "../session.tsx";
import { useTitle } from "../title.ts";
import { NotFoundPage } from "./not-found.tsx";

interface View {
  readonly label: string;
  readonly load: () => Promise<ComponentType>;
}

/** By the last part of the address; each comes when it is gone to. */
const VIEWS: Readonly<Record<string, View>> = {
  "": { label: "Overview", load: async () => (await import("./operate/overview.tsx")).OverviewView },
  collection: { label: "Collection", load: async () => (await import("./operate/collection.tsx")).CollectionView },
  retention: { label: "Retention", load: async () => (await import("./operate/retention.tsx")).RetentionView },
  tokens: { label: "Tokens", load: async () => (await import("./operate/tokens.tsx")).TokensView },
  trust: { label: "Trust", load: async () => (await import("./operate/trust.tsx")).TrustView },
  accounts: { label: "Accounts", load: async () => (await import("./operate/accounts.tsx")).AccountsView },
  policy: { label: "Policy", load: async () => (await import("./operate/policy.tsx")).PolicyView },
  mirror: { label: "Mirror", load: async () => (await import("./operate/mirror.tsx")).MirrorView },
  audit: { label: "Audit", load: async () => (await import("./operate/audit.tsx")).AuditView },
  cost: { label: "Cost", load: async () => (await import("./operate/cost.tsx")).CostView },
};

/** What admins look after: a tab for each view. */
export function OperatePage() {
  const name = useRoute().params.view ?? "";
  const view = Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined;
  return view ? <Frame name={name} view={view} /> : <NotFoundPage />;
}

function Frame({ name, view }: { readonly name: string; readonly view: View }) {
  useTitle(name === "" ? "Operate" : `${view.label} · Operate`);
  const { caller } = useSession();
  if (caller === undefined) return <Waiting />;
  if (caller?.role !== "admin") return <NotForCaller />;
  return (
    <>
      <h1 class="visually-hidden">Operate</h1>
      <Tabs
        label="Operate"
        views={Object.entries(VIEWS).map(([id, { label }]) => ({ id, label }))}
        current={name}
        hrefOf={(id) => (id === "" ? "/operate" : `/operate/${id}`)}
      />
      <Shown key={name} name={name} view={view} />
    </>
  );
}

function Shown({ name, view }: { readonly name: string; readonly view: View }) {
  const { data, error, reload } = useResource(`view ${name}`, async () => ({ View: await view.load() }));
  // What was built anew has other names; whoever has had the page open since then has the old ones.
  if (error) return <Problem error={new Error("a part of it did not come; load it again")} onRetry={reload} />;
  return data ? <data.View /> : <Waiting />;
}

const Waiting = () => (
  <div class="stack" aria-busy="true">
    <Skeleton width={20} />
    <Skeleton width={60} />
    <Skeleton width={60} />
  </div>
);
