import type { Notice } from '../../shared/approvals/contract.ts';
import { audited } from '../../shared/audit/audited.ts';
import { headText, type LogHead } from '../../shared/audit/vouching/head.ts';
import type { RunLog } from '../../shared/audit/log.ts';
import type { World } from '../../shared/base/world.ts';

export interface PostHeadOptions {
  readonly audit: RunLog;
  readonly world: World;
  readonly notify: (notice: Notice) => Promise<void>;
}

/**
 * Posts the head of the log where people are asked, so that it stands where whoever rules the log's stores cannot
 * reach: a person who keeps the message can prove later that the log has only grown. The posting is in the log itself.
 * Undefined where nothing was sealed yet. Repeating it posts the head as it is then.
 */
export async function postHead({ audit, world, notify }: PostHeadOptions): Promise<LogHead | undefined> {
  const head = await audit.head();
  if (!head) return undefined;
  const { origin, size, root, cosigned, anchored } = head;
  const subject = { kind: 'log', id: origin } as const;
  await audited(audit, {
    event: () => ({
      action: 'log.post-head',
      subject,
      actor: 'lockkeeper',
      correlation: `head-${size}`,
      details: { size, root, cosigned, anchored },
    }),
    act: () => notify({ hash: undefined, level: 'info', text: headText(head, world.now()) }),
  });
  return head;
}
