import { InvalidArgumentError } from "commander";
import { parseDuration } from "../../src/oci/duration.ts";
import { type Action, ACTIONS, isAction } from "../../src/policy/action.ts";

/** `pull,push` */
export function parseActions(text: string): Action[] {
  const actions = parseList(text);
  if (actions.length > 0 && actions.every(isAction)) return actions;
  throw new InvalidArgumentError(`Use ${ACTIONS.join(", ")}, with commas between them.`);
}

/** Texts with commas between them; an empty text is none. */
export function parseList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** `90d`, or `never`; the registry knows the calendar. */
export function parseExpiry(text: string): string {
  if (text === "never" || (parseDuration(text) ?? 0) > 0) return text;
  throw new InvalidArgumentError("Write it as 12h or 90d, or never.");
}

/** Milliseconds. */
export function parseAge(text: string): number {
  const age = parseDuration(text);
  if (age !== undefined) return age;
  throw new InvalidArgumentError("Write it as 30m, 12h or 7d.");
}

/** A whole number from 1. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1.");
}

/** `name=value`, added to those that came before. */
export function collectPair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Write it as name=value.");
  const name = text.slice(0, equals);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`It names ${name} twice.`);
  return { ...before, [name]: text.slice(equals + 1) };
}
