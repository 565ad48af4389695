import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LockkeeperError } from '../../shared/base/error.ts';
import type { AwsDescriptions, Description } from '../../shared/firewalls/aws/descriptions.ts';

/** What a snapshot directory holds besides its flow logs. */
export interface SnapshotFiles {
  readonly firewall: AwsDescriptions;
  /** describe-flow-logs. */
  readonly flowLogs: Description;
}

/**
 * Reads the answers of the AWS CLI in a snapshot directory. `not-found` names the file that is missing and the command
 * that makes it; `invalid` the file that is no JSON.
 */
export async function readSnapshotFiles(directory: string): Promise<SnapshotFiles> {
  const names = await list(directory);
  const read = (call: string): Promise<Description> => readOne(directory, call, names);
  const [rules, groups, interfaces, flowLogs] = await Promise.all([
    read('describe-security-group-rules'),
    read('describe-security-groups'),
    read('describe-network-interfaces'),
    read('describe-flow-logs'),
  ]);
  const lists = names.flatMap(
    (name) => /^get-managed-prefix-list-entries-(pl-[0-9a-z]+)\.json$/i.exec(name)?.[1] ?? [],
  );
  const entries = await Promise.all(
    lists.map(async (id) => [id, await read(`get-managed-prefix-list-entries-${id}`)] as const),
  );
  const prefixLists = names.includes('describe-managed-prefix-lists.json')
    ? await read('describe-managed-prefix-lists')
    : undefined;
  return { firewall: { rules, groups, interfaces, prefixLists, prefixListEntries: new Map(entries) }, flowLogs };
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    throw new LockkeeperError('not-found', `cannot read the snapshot directory ${directory}`, {
      cause,
      hint: 'Give --snapshot the directory that holds describe-security-group-rules.json and flow-logs/.',
    });
  }
}

async function readOne(directory: string, call: string, names: readonly string[]): Promise<Description> {
  const name = `${call}.json`;
  if (!names.includes(name)) {
    throw new LockkeeperError('not-found', `${join(directory, name)} is missing`, {
      hint: `Make it with: aws ec2 ${call} --output json > ${join(directory, name)}`,
    });
  }
  const text = await readFile(join(directory, name), 'utf8');
  try {
    const document: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return { name: join(directory, name), document };
  } catch (cause) {
    throw new LockkeeperError(
      'invalid',
      `${join(directory, name)} is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
        hint: `Make it again with: aws ec2 ${call} --output json`,
      },
    );
  }
}
