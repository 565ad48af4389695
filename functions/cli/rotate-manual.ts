import { LockkeeperError } from '../../shared/base/error.ts';
import { formatInstant } from '../../shared/base/time.ts';
import { visible } from '../../shared/base/visible.ts';
import type { ReminderDeps } from '../../shared/rotation/manual/manual-plan.ts';
import { remind } from '../../shared/rotation/manual/remind.ts';

/** What of the words of `rotate` counts here. */
interface ManualOptions {
  readonly all?: boolean;
  readonly owner?: string;
  readonly tag?: readonly string[];
  readonly now?: boolean;
  readonly rehearse?: boolean;
  readonly adopt?: boolean;
}

/**
 * What `rotate` does for a credential that people renew: it says when it expires and how it is renewed, and reminds people
 * where that is due. Not ok where it is expired, where nobody knows when it does, or where a place is not in order.
 * `invalid` for what only a rotation can do, unless it is asked of many: those only look then.
 */
export async function manualResult(deps: ReminderDeps, options: ManualOptions) {
  const isMore = options.now === true || options.rehearse === true || options.adopt === true;
  const isOneOfMany = options.all === true || options.owner !== undefined || (options.tag ?? []).length > 0;
  if (isMore && !isOneOfMany) throw cannotRotate(deps);
  const report = await remind(deps, { readOnly: options.rehearse === true || options.adopt === true });
  const { credential, outcome, text, problems, error, expires, told } = report;
  const lines = [
    `${credential}: ${text}`,
    ...problems.map((problem) => `  ${visible(problem)}`),
    ...(outcome === 'busy' ? ['  another run reminds people now'] : []),
    ...(error?.hint === undefined ? [] : [`  what to do: ${error.hint}`]),
  ];
  const failed = error && { code: error.code, message: error.message, hint: error.hint };
  const until = expires === undefined ? undefined : formatInstant(expires);
  return {
    ok: outcome !== 'expired' && outcome !== 'unclear' && outcome !== 'failed',
    isIdle: false,
    lines,
    plain: { credential, outcome, text, expires: until, problems, told, error: failed },
  };
}

function cannotRotate({ plan: { name, renew } }: ReminderDeps): LockkeeperError {
  return new LockkeeperError('invalid', `${name} is a manual credential: nothing but people can change it`, {
    hint: `Renew it: ${renew}. Then put the new value where consumers read it: lockkeeper secret import ${name}`,
  });
}
