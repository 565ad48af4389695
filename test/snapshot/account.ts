import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  dayOf,
  formatInstant,
  hour,
  instant,
  minute,
  parseInstant,
  second,
  type Instant,
} from '../../shared/base/time.ts';
import { fieldsOf, textOf, type LogFormat, type LogRow } from './log-rows.ts';

/** Where every account here ends: midnight after 30 days. */
export const asOf = '2026-10-31T00:00:00Z';
const to = parseInstant(asOf);

/** A time `days` (0–29) and `ms` after the window's beginning. */
export function on(days: number, ms = 12 * hour): Instant {
  return instant(to - (30 - days) * 24 * hour + ms);
}

interface InterfaceSpec {
  readonly ip: string;
  readonly groups: readonly string[];
  readonly v6?: string;
  readonly subnet?: string;
  /** `vpc-1` unless told otherwise. */
  readonly vpc?: string;
  readonly attached?: Instant;
  readonly type?: string;
}

interface FlowLogSpec {
  readonly at: string;
  /** Its objects hold rows of these networks, subnets or interfaces too. */
  readonly holds?: readonly string[];
  readonly format?: LogFormat;
  readonly traffic?: 'ALL' | 'ACCEPT' | 'REJECT';
  readonly created?: Instant;
  readonly delivery?: string;
  /** `hours`: a row of every interface in every hour; `days`: one a day. */
  readonly rhythm?: 'hours' | 'days';
  /** Days (0–29) without an object. */
  readonly without?: readonly number[];
  /** The log ends then. */
  readonly ends?: Instant;
  /** An object a day, or all days in one, which is read faster. */
  readonly objects?: 'a day' | 'one';
}

/** An AWS account that is written as a snapshot directory: rules, interfaces, flow logs and what they logged. */
export class Account {
  readonly rules: object[] = [];
  readonly #groups = new Set<string>();
  readonly #interfaces = new Map<string, InterfaceSpec>();
  readonly #logs = new Map<string, FlowLogSpec>();
  readonly #rows: LogRow[] = [];
  /** Places of the rows, by interface. */
  readonly #rowsOf = new Map<string, number[]>();
  readonly #documents = new Map<string, unknown>();

  /** TCP 443 from 10.0.0.0/8 into `group`, changed as told in the API's own fields. */
  rule(id: string, group: string, more: object = {}): this {
    this.#groups.add(group);
    const source = ['CidrIpv6', 'PrefixListId', 'ReferencedGroupInfo'].some((field) => field in more)
      ? {}
      : { CidrIpv4: '10.0.0.0/8' };
    this.rules.push({
      SecurityGroupRuleId: id,
      GroupId: group,
      GroupOwnerId: '123456789012',
      IsEgress: false,
      IpProtocol: 'tcp',
      FromPort: 443,
      ToPort: 443,
      ...source,
      ...more,
    });
    return this;
  }

  interface(id: string, spec: InterfaceSpec): this {
    for (const group of spec.groups) this.#groups.add(group);
    this.#interfaces.set(id, spec);
    return this;
  }

  log(id: string, spec: FlowLogSpec): this {
    this.#logs.set(id, spec);
    return this;
  }

  document(name: string, document: unknown): this {
    this.#documents.set(name, document);
    return this;
  }

  /** A row as it is, at one interface. */
  row(row: LogRow): this {
    const mine = this.#rowsOf.get(row.eni) ?? [];
    this.#rowsOf.set(row.eni, mine);
    mine.push(this.#rows.push(row) - 1);
    return this;
  }

  /** The rows of one interface as something changed them: it mixed packets into them. */
  change(eni: string, alter: (row: LogRow) => LogRow): this {
    for (const index of this.#rowsOf.get(eni) ?? []) {
      const row = this.#rows[index];
      if (row) this.#rows[index] = alter(row);
    }
    return this;
  }

  /** Ids of the interfaces that have the address, in one network or in all. */
  at(address: string, network?: string): readonly string[] {
    return [...this.#interfaces]
      .filter(([, { ip, v6, vpc = 'vpc-1' }]) => (ip === address || v6 === address) && (network ?? vpc) === vpc)
      .map(([id]) => id);
  }

  /** Writes everything below `directory`. */
  async write(directory: string, encoding: 'gz' | 'text' = 'gz'): Promise<void> {
    const documents = new Map<string, unknown>([
      ['describe-security-group-rules', { SecurityGroupRules: this.rules }],
      [
        'describe-security-groups',
        {
          SecurityGroups: [...this.#groups].map((GroupId) => ({
            GroupId,
            GroupName: GroupId,
            VpcId: [...this.#interfaces.values()].find(({ groups }) => groups.includes(GroupId))?.vpc ?? 'vpc-1',
            Tags: [],
          })),
        },
      ],
      [
        'describe-network-interfaces',
        { NetworkInterfaces: [...this.#interfaces].map(([id, spec]) => describeInterface(id, spec)) },
      ],
      ['describe-flow-logs', { FlowLogs: [...this.#logs].map(([id, spec]) => describeLog(id, spec)) }],
      ...this.#documents,
    ]);
    for (const [name, document] of documents)
      await writeFile(join(directory, `${name}.json`), JSON.stringify(document, null, 2));
    await mkdir(join(directory, 'flow-logs'), { recursive: true });
    for (const [id, spec] of this.#logs) await this.#writeLog(join(directory, 'flow-logs'), { id, spec, encoding });
  }

  async #writeLog(
    directory: string,
    { id, spec, encoding }: { readonly id: string; readonly spec: FlowLogSpec; readonly encoding: 'gz' | 'text' },
  ): Promise<void> {
    const format = spec.format ?? 'v5';
    const covered = new Set(
      [...this.#interfaces]
        .filter(([eni, { subnet = 'subnet-1', vpc = 'vpc-1' }]) =>
          [eni, subnet, vpc].some((place) => spec.at === place || spec.holds?.includes(place) === true),
        )
        .map(([eni]) => eni),
    );
    const mine = this.#rows.filter((row) => covered.has(row.eni) && isKept(row, spec));
    const days = Array.from({ length: 30 }, (_, day) => day).filter((day) => spec.without?.includes(day) !== true);
    const rowsOf = (day: number): readonly LogRow[] =>
      [
        ...[...covered].flatMap((eni) => this.#quietRows(eni, spec, day)),
        ...mine.filter((row) => dayOf(row.start) === dayOf(on(day))),
      ].filter((row) => row.start < (spec.ends ?? to));
    const objects = spec.objects === 'one' ? [days.flatMap(rowsOf)] : days.map(rowsOf);
    for (const rows of objects) {
      const [first] = rows;
      if (!first) continue;
      const path = join(directory, objectKey(id, first.start, encoding));
      const text = `${fieldsOf(format).join(' ')}\n${rows.map((row) => textOf(row, format)).join('\n')}\n`;
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, encoding === 'gz' ? gzipSync(text) : text);
    }
  }

  #quietRows(eni: string, { rhythm = 'hours', created }: FlowLogSpec, day: number): readonly LogRow[] {
    const hours = rhythm === 'hours' ? Array.from({ length: 24 }, (_, index) => index) : [1];
    const times = hours.map((at) => on(day, at * hour + 2 * minute));
    const attached = this.#interfaces.get(eni)?.attached ?? 0;
    return times
      .filter((start) => start >= (created ?? 0) && start >= attached)
      .map((start) => ({ eni, start, end: instant(start + minute), status: 'NODATA' }));
  }
}

function isKept({ action, start }: LogRow, { traffic = 'ALL', created }: FlowLogSpec): boolean {
  if (created !== undefined && start < created) return false;
  return traffic === 'ALL' || action === undefined || action === traffic;
}

function objectKey(id: string, at: Instant, encoding: 'gz' | 'text'): string {
  const [year, month, date] = dayOf(at).split('-');
  const name = `123456789012_vpcflowlogs_eu-central-1_${id}_${year}${month}${date}T0000Z_0a1b2c3d.log${encoding === 'gz' ? '.gz' : ''}`;
  return `AWSLogs/123456789012/vpcflowlogs/eu-central-1/${year}/${month}/${date}/${name}`;
}

function describeInterface(
  id: string,
  { ip, v6, groups, subnet = 'subnet-1', vpc = 'vpc-1', attached, type = 'interface' }: InterfaceSpec,
): object {
  return {
    NetworkInterfaceId: id,
    VpcId: vpc,
    SubnetId: subnet,
    Status: 'in-use',
    InterfaceType: type,
    Attachment: { AttachTime: formatInstant(attached ?? parseInstant('2026-01-01T00:00:00Z')), Status: 'attached' },
    PrivateIpAddress: ip,
    PrivateIpAddresses: [{ PrivateIpAddress: ip, Primary: true }],
    Ipv6Addresses: v6 === undefined ? [] : [{ Ipv6Address: v6 }],
    Groups: groups.map((GroupId) => ({ GroupId, GroupName: GroupId })),
  };
}

function describeLog(
  id: string,
  { at, format = 'v5', traffic = 'ALL', created, delivery = 'SUCCESS' }: FlowLogSpec,
): object {
  return {
    FlowLogId: id,
    ResourceId: at,
    TrafficType: traffic,
    CreationTime: formatInstant(created ?? parseInstant('2026-01-01T00:00:00Z')),
    FlowLogStatus: 'ACTIVE',
    DeliverLogsStatus: delivery,
    LogDestinationType: 's3',
    LogFormat: fieldsOf(format)
      .map((field) => `\${${field}}`)
      .join(' '),
    MaxAggregationInterval: 600,
  };
}

/** Half a minute, in which a short connection begins and ends. */
export const moment = 30 * second;
