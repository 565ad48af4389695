import { valueAt } from './mistakes.ts';
import { shapeAt } from './shape.ts';
import type { Path } from './source.ts';

/**
 * A path as people are shown it, services[0].credential.users: keys that the schema knows stand in it as they are. Of
 * others, names that somebody chose and keys that nothing knows, only which one it is: networks.<name 2>.cloud.
 */
export function shownPath(path: Path, data: unknown, schema: unknown): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`;
      const above = path.slice(0, at);
      const isKnown = shapeAt(schema, above).keys.includes(step);
      return `${at === 0 ? '' : '.'}${isKnown ? step : `<name ${ordinal(step, valueAt(data, above))}>`}`;
    })
    .join('');
}

function ordinal(key: string, holder: unknown): number {
  return typeof holder === 'object' && holder !== null ? Object.keys(holder).indexOf(key) + 1 : 0;
}
