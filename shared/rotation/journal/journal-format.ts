import { z } from 'zod';
import { canonicalJson } from '../../base/canonical.ts';
import { LockkeeperError } from '../../base/error.ts';
import { instant } from '../../base/time.ts';
import { phases, type Journal } from './journal.ts';

const time = z.number().transform(instant);
const rotation = z.string().regex(/^[a-z0-9-]{1,64}$/);
const blocked = z.strictObject({ reason: z.string(), text: z.string(), since: time, told: z.boolean() }).nullable();
const order = z.strictObject({ reason: z.string(), actor: z.string(), at: time, told: z.boolean() });

/** What both formats hold. */
const common = {
  credential: z.string(),
  rotation,
  epoch: z.number().int().positive(),
  nonce: z.string(),
  phase: z.enum(phases),
  target: z.string(),
  startedAt: time,
  finishedAt: time.nullable(),
  blocked,
  overruled: z.string().nullable(),
  rejections: z.number().int(),
  refusals: z.number().int(),
  past: z.array(z.string()),
};

const schema: z.ZodType<Journal> = z.strictObject({
  ...common,
  format: z.literal(2),
  adopted: z.boolean(),
  copies: z.array(
    z.strictObject({
      store: z.string(),
      secret: z.string(),
      expects: z.string().nullable(),
      staged: z.string().nullable(),
      published: z.string().nullable(),
      ends: z.array(z.string()),
      ended: z.array(z.string()),
    }),
  ),
  drain: z
    .strictObject({
      host: time,
      service: time.nullable(),
      mark: z.string().nullable(),
      since: time.exactOptional(),
      told: z.literal(true).exactOptional(),
    })
    .nullable(),
  refreshed: z.array(z.strictObject({ name: z.string(), attempts: z.number().int(), done: z.boolean() })),
  reverted: z.boolean(),
  proof: z.enum(['refused', 'counted', 'value-gone']).nullable(),
  trouble: z
    .strictObject({
      text: z.string(),
      attempts: z.number().int(),
      notBefore: time,
      since: time,
      urgent: z.boolean(),
      told: z.number().int(),
      toldAt: time.nullable(),
    })
    .nullable(),
  emergency: z
    .strictObject({
      orders: z.array(order),
      cleared: z.boolean(),
      unreached: z.array(z.string()),
      reviewed: z.boolean(),
      told: z.boolean(),
    })
    .nullable(),
  orders: z.array(order),
  untouched: z.array(z.string()),
  missed: z.strictObject({ due: time, windows: z.number().int(), toldAt: time }).optional(),
});

/** Journals of format 1, as lockkeeper 0.1 wrote them, become format 2 as they are read. */
const first = z
  .strictObject({
    ...common,
    format: z.literal(1),
    copies: z.array(
      z.strictObject({
        store: z.string(),
        secret: z.string(),
        from: z.string().nullable(),
        staged: z.string().nullable(),
        published: z.string().nullable(),
        retired: z.boolean(),
      }),
    ),
    convergedAt: time.nullable(),
    proof: z.enum(['refused', 'value-gone']).nullable(),
    trouble: z.strictObject({ text: z.string(), attempts: z.number().int(), notBefore: time }).nullable(),
    emergency: z
      .strictObject({
        reason: z.string(),
        actor: z.string(),
        cleared: z.boolean(),
        reviewed: z.boolean(),
        told: z.boolean(),
      })
      .nullable(),
  })
  .transform((old): Journal => {
    const { convergedAt, copies, trouble, emergency, ...same } = old;
    return {
      ...same,
      format: 2,
      adopted: true,
      copies: copies.map(({ from, retired, ...copy }) => ({
        ...copy,
        expects: from,
        ended: [],
        ends: from === null || retired || copy.published === null ? [] : [from],
      })),
      drain: convergedAt === null ? null : { host: convergedAt, service: null, mark: null },
      refreshed: [],
      reverted: false,
      trouble: trouble && { ...trouble, since: trouble.notBefore, urgent: false, told: 0, toldAt: null },
      emergency: emergency && {
        orders: [{ reason: emergency.reason, actor: emergency.actor, at: old.startedAt, told: true }],
        cleared: emergency.cleared,
        unreached: [],
        reviewed: emergency.reviewed,
        told: emergency.told,
      },
      orders: [],
      untouched: [],
    };
  });

/** Where the journal of `credential` lies in the state store. */
export function keyOf(credential: string): string {
  return `rotations/${credential}.json`;
}

/** A journal as the bytes that are stored: canonical JSON. */
export function encodeJournal(journal: Journal): Uint8Array {
  return Buffer.from(canonicalJson(journal));
}

/** The journal in `bytes`; `invalid` with every mistake named unless it is exactly one of `credential`. */
export function decodeJournal(bytes: Uint8Array, credential: string): Journal {
  const text = Buffer.from(bytes).toString('utf8');
  const hint = 'Restore the object from a backup of the state store, or delete it after checking the stores by hand.';
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new LockkeeperError('invalid', `${keyOf(credential)} is not JSON`, { hint, cause });
  }
  const isFirst = typeof json === 'object' && json !== null && 'format' in json && json.format === 1;
  const parsed = (isFirst ? first : schema).safeParse(json);
  if (!parsed.success) {
    throw new LockkeeperError('invalid', `${keyOf(credential)} is no journal: ${z.prettifyError(parsed.error)}`, {
      hint,
    });
  }
  if (parsed.data.credential === credential) return parsed.data;
  throw new LockkeeperError('invalid', `${keyOf(credential)} is the journal of ${parsed.data.credential}`, { hint });
}
