import type { Flight } from './flight.ts';
import type { Call } from './replay.ts';

/** A rotator's run, for people. */
export function rotatorName({ rotator }: Pick<Flight, 'rotator'>): string {
  return `rotator ${rotator + 1}`;
}

/** What a call does, for people; no value is ever in it. */
export function phraseOf({ port, method, args, stage }: Call): string {
  const what = phrases[`${port.split(' ')[0] ?? ''} ${method}`] ?? `${port} ${method}`;
  const where = port.startsWith('store ') ? ` in ${port}` : '';
  const inside = stage === 'inside' ? ', the guard has passed' : '';
  return `${what}${where}${whose(args)}${inside}`;
}

const phrases: Readonly<Record<string, string>> = {
  'service describe': 'look at the service',
  'service change': 'set the new value',
  'service accepts': 'log in',
  'service sessions': 'ask for sessions',
  'service retire': 'end old values',
  'state get': 'read the journal',
  'state create': 'write a first object',
  'state replace': 'write the journal',
  'store read': 'look',
  'store stage': 'stage',
  'store promote': 'publish',
  'store abandon': 'forget what is staged',
  'store retire': 'end an old version',
  'people notify': 'tell people',
  'refresh poke': 'tell consumers to read again',
};

function whose(args: readonly unknown[]): string {
  const [first] = args;
  if (typeof first === 'object' && first !== null && 'slot' in first) return ` of ${String(first.slot)}`;
  if (typeof first === 'string' && first.startsWith('app_')) return ` of ${first}`;
  return '';
}

/** A path as a numbered story; the same thing again and again is told once. */
export function told(path: readonly string[]): string {
  return path.map((label, at) => `  ${String(at + 1).padStart(3)}. ${label}`).join('\n');
}
