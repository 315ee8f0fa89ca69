/** A line for the operator, on stderr. */
export function report(line: string): void {
  process.stderr.write(`stowage: ${line}\n`);
}
