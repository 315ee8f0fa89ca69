import { InvalidArgumentError } from "commander";
import { parseDuration } from "../../src/oci/duration.ts";
import { parsePlatform, type Platform } from "../../src/oci/platform.ts";
import { type Action, ACTIONS, isAction } from "../../src/policy/action.ts";
import { Failure } from "../local/failure.ts";

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

/** 0, for any that is free, to 65535. */
export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 0 to 65535.");
}

/** A whole number from 0. */
export function parseStars(text: string): number {
  return text === "0" ? 0 : parseCount(text);
}

/** From 0 to 1, of `90` or `90%`. */
export function parsePercent(text: string): number {
  const [, number] = /^(\d{1,3}(?:\.\d+)?)%?$/.exec(text) ?? [];
  if (number !== undefined && Number(number) <= 100) return Number(number) / 100;
  throw new InvalidArgumentError("It must be from 0 to 100.");
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  ...{ B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15 },
  ...{ KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, PiB: 2 ** 50 },
};

/** Bytes, of `1TB`, `1.5GB` or `512MiB`. */
export function parseSize(text: string): number {
  const [, number, unit = ""] = /^(\d{1,9}(?:\.\d{1,9})?) ?([a-zA-Z]+)$/.exec(text) ?? [];
  const size = SIZE_UNITS[unit];
  if (number !== undefined && size !== undefined) return Math.round(Number(number) * size);
  throw new InvalidArgumentError("Write it as 30MB, 1.5GB or 2TiB.");
}

/** `name=value`, added to those that came before. */
export function collectPair(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const equals = text.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError("Write it as name=value.");
  const name = text.slice(0, equals);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`It names ${name} twice.`);
  return { ...before, [name]: text.slice(equals + 1) };
}

/** A tag of a repository. */
export interface TagAddress {
  readonly repository: string;
  readonly tag: string;
}

/** `team/web` and `1`, or `team/web:1` alone. */
export function parseTagAddress(repository: string, tag: string | undefined): TagAddress {
  const address =
    tag === undefined ? splitTagAddress(repository) : repository.includes(":") ? undefined : { repository, tag };
  if (address) return address;
  throw new Failure("name one tag, as REPOSITORY TAG or as REPOSITORY:TAG", 2);
}

function splitTagAddress(text: string): TagAddress | undefined {
  const [, repository = "", tag = ""] = /^([^:=@]+):([^:=@/]+)$/.exec(text) ?? [];
  return tag === "" ? undefined : { repository, tag };
}

/** What a tag is to name: a digest, or what another tag of the repository names. */
export type Release = TagAddress & ({ readonly digest: string } | { readonly from: string });

/** `team/web:1=sha256:…`, `team/web:1=2`, added to those that came before. */
export function collectRelease(text: string, before: readonly Release[] = []): Release[] {
  const equals = text.indexOf("=");
  const address = splitTagAddress(text.slice(0, Math.max(equals, 0)));
  const named = text.slice(equals + 1);
  const isDigest = /^sha(256|512):[0-9a-f]+$/.test(named);
  if (address === undefined || named === "" || (!isDigest && /[:/@]/.test(named))) {
    throw new InvalidArgumentError("Write it as REPOSITORY:TAG=DIGEST, or =TAG of the same repository.");
  }
  if (before.some(({ repository, tag }) => repository === address.repository && tag === address.tag)) {
    throw new InvalidArgumentError(`It names ${address.repository}:${address.tag} twice.`);
  }
  return [...before, { ...address, ...(isDigest ? { digest: named } : { from: named }) }];
}

/** `linux/arm64` */
export function parsePlatformOption(text: string): Platform {
  try {
    return parsePlatform(text);
  } catch {
    throw new InvalidArgumentError("Write it as linux/amd64 or linux/arm/v7.");
  }
}

/** RFC 3339, with an offset. */
export function parseTime(text: string): string {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text);
  if (isTime && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError("Write it as 2026-07-28T12:00:00Z.");
}
