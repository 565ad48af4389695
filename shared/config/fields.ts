import { z } from 'zod';
import { parseInstant } from '../base/time.ts';
import { gapsOf } from '../calendars/gaps.ts';
import { isPattern } from '../calendars/times.ts';
import { durationPattern, parseDuration } from './duration.ts';

/** A name that lockkeeper uses in keys and commands: lower-case letters, digits and "-", 63 at most. */
export const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: 'is not a name: use lower-case letters, digits and "-", 63 at most',
});

/** A person, as approvers are named: letters and digits of any script, none of them invisible. */
export const person = z.string().regex(/^(?!.*\p{Default_Ignorable_Code_Point})[\p{L}\p{N}._@+-]{1,100}$/u, {
  error: 'is not a person: use letters, digits and . _ @ + -',
});

/** `30d`, read as a Duration. */
export const duration = z.string().regex(durationPattern, { error: 'is not a duration' }).transform(parseDuration);

/** RFC 3339 with a zone, read as an Instant. */
export const time = z.iso.datetime({ offset: true, error: 'is not a time' }).transform(parseInstant);

/** A range of addresses, IPv4 or IPv6. */
export const cidr = z.union([z.cidrv4(), z.cidrv6()], {
  error: 'is not a range of addresses such as 10.0.0.0/8 or 2001:db8::/32',
});

/** A network port. */
export const port = z.int().min(1).max(65_535);

/** host:port, with the host of an IPv6 address in brackets. */
export const endpoint = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[1-9]\d{0,4}$/, { error: 'is not host:port', abort: true })
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'has a port above 65535');

/**
 * An address without login, query or fragment: who pastes one with a signature in it is told so, and it is not
 * repeated.
 */
export const webAddress = z
  .string()
  .refine(isWebAddress, 'is not https://HOST (or http:// on this machine) without user, password and query')
  .meta({ format: 'uri' });

function isWebAddress(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);
  return (protocol === 'https:' || (protocol === 'http:' && isHere)) && username === '' && password === '';
}

const notCron = 'is not a cron pattern of five fields, such as "30 6 * * *"';
const cronField = String.raw`[0-9A-Za-z*,/?#-]+`;

/** A cron pattern of five fields, or six where the first one is seconds, that comes again and again. */
export const cron = z
  .string()
  .regex(new RegExp(String.raw`^${cronField}( ${cronField}){4,5}$`), { error: notCron, abort: true })
  .refine(isPattern, { error: notCron, abort: true })
  .refine((pattern) => gapsOf(pattern) !== undefined, 'never comes: there is no such day');

/** Turns a path of the file into an absolute one; relative paths begin at the file's own directory. */
export type ResolvePath = (path: string) => string;

/** A path of a file or directory. */
export function pathOf(resolve: ResolvePath) {
  return z.string().min(1).transform(resolve);
}
