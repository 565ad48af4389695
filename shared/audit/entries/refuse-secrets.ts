import { LockkeeperError } from '../../base/error.ts';
import type { AuditEvent } from '../entry.ts';
import { isNamedLikeSecret, looksLikeSecret } from './secret-shapes.ts';
import { withheldMark } from './withhold.ts';

/**
 * The last guard before the log, which keeps everything for ever: throws `invalid` for an event that holds anything but
 * plain data (a Sealed above all), a member named like a secret's text, or a text in the shape of one. `secret` itself
 * is a name in this project and passes. The error names the place, never what is there.
 */
export function refuseSecrets(event: AuditEvent): void {
  for (const [name, item] of Object.entries(event)) if (name !== 'details') refuse(item, name);
  for (const [name, item] of Object.entries(event.details)) {
    if (/^value$|Value$/.test(name)) throw refusal(`details.${name}`, 'is named like a secret');
    refuseMember(name, item, 'details');
  }
}

function refuseMember(name: string, item: unknown, path: string): void {
  if (looksLikeSecret(name)) throw refusal(path, 'has a name in it that looks like a secret');
  const place = `${path}.${name}`;
  if (item !== withheldMark && isNamedLikeSecret(name)) throw refusal(place, 'is named like a secret');
  refuse(item, place);
}

/** The same for anything that is kept beside the log as long as the log: `place` names it in errors. */
export function refuse(item: unknown, place: string): void {
  if (typeof item === 'string') refuseText(item, place);
  else if (Array.isArray(item)) item.forEach((part, at) => refuse(part, `${place}[${at}]`));
  else if (typeof item === 'object' && item !== null) refuseObject(item, place);
  else if (typeof item === 'number' && Number.isFinite(item)) return;
  else if (item !== undefined && item !== null && typeof item !== 'boolean') throw refusal(place, 'is no plain data');
}

/** By the text of its prototype's constructor, not by identity: data may come from another realm. */
function refuseObject(item: object, place: string): void {
  const prototype: unknown = Object.getPrototypeOf(item);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain) throw refusal(place, 'is no plain data');
  for (const [name, part] of Object.entries(item)) refuseMember(name, part, place);
}

function refuseText(text: string, place: string): void {
  if (looksLikeSecret(text)) throw refusal(place, 'looks like a secret');
}

function refusal(place: string, why: string): LockkeeperError {
  return new LockkeeperError('invalid', `nothing was logged: ${place} ${why}`, {
    hint: 'Log names, versions and keyed fingerprints; secrets stay in Sealed.',
  });
}
