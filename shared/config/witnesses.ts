import type { Mistake } from './mistakes.ts';
import type { Rough } from './rough.ts';

/**
 * What is wrong between the section `audit` and the rest: no key for a log in a cloud, more cosignatures than
 * witnesses.
 */
export function auditMistakes({ stores, audit }: Rough): readonly Mistake[] {
  const { key, needed = 0, witnesses } = audit;
  const { kind } = stores.state ?? {};
  const found: Mistake[] = [];
  if (key === undefined && kind !== undefined && kind !== 'file-system')
    found.push({
      path: ['audit', 'key'],
      what: 'is missing',
      hint: `Beside a state store of the kind ${kind} no key file can be: name the key that signs the log.`,
    });
  if (needed > witnesses.length)
    found.push({
      path: ['audit', 'needed'],
      what: `is more than the ${witnesses.length} witnesses that are listed`,
      hint: 'Add witnesses, or lower `needed`.',
    });
  return found;
}
