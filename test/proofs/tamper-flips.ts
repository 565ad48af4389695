import type { Finding } from '../../shared/audit/verify/finding.ts';
import type { LongLog } from '../audit/long-log.ts';
import { seeded } from '../audit/seeded.ts';
import { ObjectChecks } from './tamper-checks.ts';
import { flipped, targetsOf, verifyWhole, whileChanged, type Target } from './tamper-log.ts';

/** How many changes were made, and those of them that nobody named. */
export interface Tampering {
  made: number;
  readonly unseen: string[];
}

/** Of each kind so many objects, one bit of each, a whole verification for every one. */
export async function flipAlone(at: LongLog, perKind: number): Promise<Tampering> {
  const random = seeded(1);
  const done: Tampering = { made: 0, unseen: [] };
  for (const targets of Map.groupBy(targetsOf(at), ({ kind }) => kind).values()) {
    for (let turn = 0; turn < perKind; turn += 1) {
      const target = targets[Math.floor(random() * targets.length)];
      if (target)
        await flipInWhole(at, target, {
          offset: Math.floor(random() * target.bytes.length),
          bit: Math.floor(random() * 8),
          done,
        });
    }
  }
  return done;
}

/**
 * Every byte of the objects of these kinds, the first object of each, one bit a byte, a whole verification for every
 * one.
 */
export async function flipEveryByte(at: LongLog, kinds: readonly string[]): Promise<Tampering> {
  const random = seeded(2);
  const done: Tampering = { made: 0, unseen: [] };
  for (const kind of kinds) {
    const target = targetsOf(at).find((one) => one.kind === kind);
    if (!target) throw new Error(`there is no ${kind}`);
    for (const offset of target.bytes.keys())
      await flipInWhole(at, target, { offset, bit: Math.floor(random() * 8), done });
  }
  return done;
}

async function flipInWhole(
  at: LongLog,
  target: Target,
  { offset, bit, done }: { readonly offset: number; readonly bit: number; readonly done: Tampering },
): Promise<void> {
  const { findings } = await whileChanged([{ target, bytes: flipped(target.bytes, offset, bit) }], () =>
    verifyWhole(at),
  );
  done.made += 1;
  if (!isNamed(findings, target.key))
    done.unseen.push(`bit ${bit} of byte ${offset} of ${target.key}: ${JSON.stringify(findings.slice(0, 3))}`);
}

/**
 * One byte in a hundred of every object, at least one of each, one bit of it, by the function that looks at that
 * object.
 */
export async function flipByObject(at: LongLog): Promise<Tampering> {
  const random = seeded(3);
  const checks = new ObjectChecks(at);
  const done: Tampering = { made: 0, unseen: [] };
  for (const target of targetsOf(at)) {
    const bytes = Uint8Array.from(target.bytes);
    for (let left = Math.ceil(bytes.length / 100); left > 0; left -= 1) {
      const [offset, bit] = [Math.floor(random() * bytes.length), Math.floor(random() * 8)];
      const whole = bytes[offset] ?? 0;
      bytes[offset] = whole ^ (1 << bit);
      const findings = await checks.check(target, bytes);
      bytes[offset] = whole;
      if (!findings) break;
      done.made += 1;
      if (!isNamed(findings, target.key)) done.unseen.push(`bit ${bit} of byte ${offset} of ${target.key}, by object`);
    }
  }
  return done;
}

/** Where nothing was changed the same functions find nothing; else what they find proves nothing. */
export async function soundByObject(at: LongLog): Promise<Tampering> {
  const checks = new ObjectChecks(at);
  const done: Tampering = { made: 0, unseen: [] };
  for (const target of targetsOf(at)) {
    const findings = await checks.check(target, target.bytes);
    if (findings) done.made += 1;
    if (findings && isNamed(findings, target.key))
      done.unseen.push(`${target.key} is whole, and it is said: ${JSON.stringify(findings)}`);
  }
  return done;
}

function isNamed(findings: readonly Finding[], key: string): boolean {
  return findings.some((finding) => finding.key === key);
}
