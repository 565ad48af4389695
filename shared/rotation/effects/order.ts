import { toldText } from '../../audit/entries/withhold.ts';
import { hasCode, LockkeeperError } from '../../base/error.ts';
import { ordered } from '../decisions/begun.ts';
import type { Journal, Order } from '../journal/journal.ts';
import { newRotationId } from './generate.ts';
import { audited } from './recorded.ts';
import type { Run } from './under-way.ts';

/** Another run may write the journal meanwhile; an order is not lost to that. */
const mostAttempts = 10;

/**
 * Makes an emergency order durable, before anything else is looked at. From then on every run of this credential carries
 * it out. An order that was given before in the same words, and whose new value is not handed out yet, is the same order;
 * any other one follows, for it may tell of another leak.
 */
export async function order(run: Run, reason: string): Promise<void> {
  const { world, actor, plan } = run.deps;
  const given: Order = { reason: toldText(reason), actor, at: world.now(), told: false };
  const base = { credential: plan.name, rotation: newRotationId(world).replace(/^r-/, 'ordered-'), now: given.at };
  for (let attempt = 1; ; attempt += 1) {
    run.held = await run.journals.read(plan.name);
    const last = run.held?.journal;
    if (last && isKnown(last, given)) return;
    try {
      await audited(
        run,
        { action: 'rotation.order', rotation: base.rotation, details: { reason: given.reason } },
        async () => {
          run.held = await run.journals.write(run.held, ordered(last, given, base));
        },
      );
      return;
    } catch (thrown) {
      if (!hasCode(thrown, 'conflict') || attempt === mostAttempts) throw thrown;
    }
  }
}

function isKnown(journal: Journal, { reason, actor }: Order): boolean {
  const isSame = (one: Order) => one.reason === reason && one.actor === actor;
  if (journal.orders.some(isSame)) return true;
  const isUnpublished = journal.phase !== 'done' && journal.copies.every(({ published }) => published === null);
  return isUnpublished && (journal.emergency?.orders.some(isSame) ?? false);
}

/** What becomes of an order that could not be made durable: people hear of it all the same. */
export async function tellLostOrder(run: Run, reason: string, error: LockkeeperError): Promise<void> {
  const text = `Emergency rotation of ${run.deps.plan.name} was ordered by ${run.deps.actor}, and could not be recorded: ${error.message}. Nothing was changed. The value that leaked is still valid. Reason given: ${toldText(reason)}`;
  try {
    await run.deps.notify({ hash: undefined, level: 'alarm', text });
  } catch (thrown) {
    if (!(thrown instanceof LockkeeperError)) throw thrown;
  }
}
