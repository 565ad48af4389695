import type { Instant } from '../../shared/base/time.ts';
import { instant } from '../../shared/base/time.ts';
import type { Description } from '../../shared/firewalls/aws/descriptions.ts';
import { Fields, type Item } from '../../shared/firewalls/aws/fields.ts';
import type { CoverageExpectation } from '../../shared/idle-ports/judging/coverage/expected.ts';

/** A flow log as describe-flow-logs tells it: what to expect, before its objects are read. */
export type DescribedLog = Omit<CoverageExpectation, 'evidence'>;

/** Reads describe-flow-logs; `invalid` with every mistake at once. */
export function readFlowLogs({ name, document }: Description): readonly DescribedLog[] {
  const fields = new Fields(name);
  const logs = fields.list(document, 'FlowLogs').map(readFlowLog);
  fields.done();
  return logs;
}

function readFlowLog(item: Item): DescribedLog {
  const format = item.text('LogFormat');
  return {
    name: item.need('FlowLogId'),
    covers: [item.need('ResourceId')],
    traffic: trafficOf(item),
    createdAt: item.time('CreationTime'),
    trouble: troubleOf(item),
    hasFlags: format === undefined ? undefined : format.includes('tcp-flags'),
  };
}

function trafficOf(item: Item): DescribedLog['traffic'] {
  const type = item.text('TrafficType') ?? 'ALL';
  if (type !== 'ALL' && type !== 'ACCEPT' && type !== 'REJECT')
    item.wrong('TrafficType', `is not ALL, ACCEPT or REJECT: ${JSON.stringify(type)}`);
  return type === 'REJECT' ? 'rejected' : type === 'ACCEPT' ? 'accepted' : 'all';
}

function troubleOf(item: Item): string | undefined {
  const status = item.text('FlowLogStatus');
  const delivery = item.text('DeliverLogsStatus');
  const why = item.text('DeliverLogsErrorMessage');
  if (status !== undefined && status !== 'ACTIVE')
    return `it is ${status}, not ACTIVE. Delete it and create it again, and judge one window later.`;
  if (delivery !== 'FAILED') return undefined;
  return `its delivery fails${why === undefined ? '' : ` (${why})`}. Fix the permissions of its destination, and judge one window later.`;
}

/**
 * The id in an object's name, `{account}_vpcflowlogs_{region}_{fl-id}_{time}_{hash}.log.gz`; undefined where there is
 * none.
 */
export function flowLogOf(key: string): string | undefined {
  return /(?:^|[/_])(fl-[0-9a-z]+)(?=[_./]|$)/i.exec(key)?.[1];
}

/** The time in an object's name: its rows ended in the five minutes from then on. Undefined where there is none. */
export function timeOf(key: string): Instant | undefined {
  const [, year, month, day, hours, minutes] = /_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z/.exec(key) ?? [];
  if (year === undefined) return undefined;
  const ms = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:00Z`);
  return Number.isNaN(ms) ? undefined : instant(ms);
}
