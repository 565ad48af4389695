import { LockkeeperError } from '../../base/error.ts';
import type { RawMessage } from '../contract.ts';

/** Whether the request was sent to the page under its own name: a rebound name of another site is not. */
export function isOwnHost(origin: string, headers: RawMessage['headers']): boolean {
  const own = new URL(origin);
  return isLoopback(own.hostname) && headers['host']?.toLowerCase() === own.host;
}

/** Whether no other page caused the request: a person typed or clicked it outside of the browser, or the page did. */
export function isOwnNavigation(headers: RawMessage['headers']): boolean {
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'none' || site === 'same-origin';
}

/** Whether a browser asks ahead of the person, who may never come. */
export function isAhead(headers: RawMessage['headers']): boolean {
  return ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some((name) => headers[name] !== undefined);
}

/** Whatever another site can make a browser send fails here: it cannot choose Host, Origin or Sec-Fetch-Site. */
export function refuseForeign(origin: string, headers: RawMessage['headers']): void {
  if (!isOwnHost(origin, headers)) throw denied('its Host is not this page');
  if (headers['origin'] !== new URL(origin).origin) throw denied('its Origin is not this page');
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw denied(`it comes from a page that is ${site}`);
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw denied('it is not a form of this page');
}

/** An answer whose sender is not proven. */
export function denied(why: string): LockkeeperError {
  return new LockkeeperError('denied', `an answer was refused: ${why}`, {
    hint: 'Open the page with the link that the terminal shows, and answer there.',
  });
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}
