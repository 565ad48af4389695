import type { Login } from '../../services/contract.ts';
import { percentEncoded } from './connection-url.ts';

/**
 * Whether a text repeats the value of `login`: as it is, or as URLs, JSON, and base64 (alone, and as user:password of
 * an HTTP header) write it. A value of less than 8 characters is found anywhere and proves nothing.
 */
export function repeatsOf(login: Login): (text: string) => boolean {
  const value = login.value.open();
  if (value.length < 8) return () => false;
  const base64 = [value, `${login.slot}:${value}`].map((text) => Buffer.from(text).toString('base64'));
  const encoded = [percentEncoded(value), JSON.stringify(value).slice(1, -1), ...base64];
  const forms = [...new Set([value, ...encoded.filter((form) => form !== undefined)])];
  return (text) => forms.some((form) => text.includes(form));
}
