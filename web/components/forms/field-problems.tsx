import { type ComponentChildren, createContext } from "preact";
import { useContext, useMemo } from "preact/hooks";
import { type Problems, problemsOf } from "../../operate/problems.ts";
import { Problem } from "../problem.tsx";

const ProblemsContext = createContext<Problems>({ byField: new Map(), rest: undefined });

/** What is wrong with a field. */
export const useFieldProblem = (name: string): string | undefined => useContext(ProblemsContext).byField.get(name);

interface Props {
  readonly error: Error | undefined;
  /** By the path of what is objected to, the field that it is written in. */
  readonly fieldOf: (path: string) => string | undefined;
  readonly children: ComponentChildren;
}

/** Fields, each with what is wrong with it, and below them what is wrong besides. */
export function FieldProblems({ error, fieldOf, children }: Props) {
  const problems = useMemo(() => problemsOf(error, fieldOf), [error, fieldOf]);
  return (
    <ProblemsContext.Provider value={problems}>
      {children}
      {problems.rest && <Problem error={problems.rest} />}
    </ProblemsContext.Provider>
  );
}
