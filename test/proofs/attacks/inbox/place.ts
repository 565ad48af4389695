import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../../../../functions/cli/main.ts';
import { localDeps, type LocalDeps } from '../../../../functions/local/deps-wire.ts';
import { openAudit } from '../../../../functions/local/audit-wire.ts';
import { openStores } from '../../../../functions/local/stores-wire.ts';
import { checkpointOf, expectOwnKey } from '../../../../shared/audit/sealing/checkpoints.ts';
import { GrowingTree, growTo } from '../../../../shared/audit/sealing/grow.ts';
import { publish } from '../../../../shared/audit/sealing/published.ts';
import { endOf, sequencesFrom } from '../../../../shared/audit/sealing/sequence.ts';
import type { AuditEvent } from '../../../../shared/audit/entry.ts';
import { systemWorld } from '../../../../shared/base/world.ts';
import { loadConfig } from '../../../../shared/config/load.ts';
import { isErrno } from '../../../../shared/objects/file-errors.ts';
import { memoryHost } from '../../../cli/memory-host.ts';

/** What one command printed. */
export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A configured log of one machine, in files: the real host writes to it, and the attacker creates files in it. */
export class InboxPlace {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  /** An empty place. */
  static async make(): Promise<InboxPlace> {
    const place = new InboxPlace(await mkdtemp(join(tmpdir(), 'lockkeeper-inbox-')));
    await writeFile(
      place.#inside('lockkeeper.yaml'),
      'version: 1\nstores:\n  state: { kind: file-system, path: state }\n  log: { kind: file-system, path: log }\n',
    );
    return place;
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  /** A host with a run of its own. */
  async host(name: string): Promise<LocalDeps> {
    const loaded = await loadConfig(this.#inside('lockkeeper.yaml'));
    return localDeps({ loaded, world: systemWorld(), environment: {}, run: name });
  }

  /** The command line, as a person runs it. */
  async lockkeeper(...words: readonly string[]): Promise<Printed> {
    const host = memoryHost(['--config', this.#inside('lockkeeper.yaml'), ...words], {}, this.directory);
    const code = await run(host);
    return { code, out: host.out(), err: host.err() };
  }

  /** Creates an object in the log store, as the attacker may; false where one is there. */
  async plant(key: string, bytes: Uint8Array): Promise<boolean> {
    const path = this.#inside('log', key);
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes, { flag: 'wx' });
      return true;
    } catch (thrown) {
      if (isErrno(thrown, 'EEXIST')) return false;
      throw thrown;
    }
  }

  /** Keys of the log store that begin so, in order. */
  async keys(prefix: string): Promise<readonly string[]> {
    const found = await readdir(this.#inside('log'), { recursive: true, withFileTypes: true });
    const keys = found
      .filter((one) => one.isFile())
      .map((one) => join(one.parentPath, one.name).slice(this.#inside('log').length + 1));
    return keys.filter((key) => key.startsWith(prefix)).toSorted();
  }

  async bytes(key: string): Promise<Uint8Array> {
    return Uint8Array.from(await readFile(this.#inside('log', key)));
  }

  /** The key of the host's proofs. */
  async writerKey(): Promise<Uint8Array> {
    return Buffer.from((await readFile(this.#inside('writer.key'), 'utf8')).trim(), 'hex');
  }

  /** Signs and publishes what the sequence records name, as versions did that asked for no proof. */
  async signAsItIs(): Promise<void> {
    const { config } = await loadConfig(this.#inside('lockkeeper.yaml'));
    const world = systemWorld();
    const deps = { ...(await openStores(config, world)), ...(await openAudit(config, world)), world };
    const key = await expectOwnKey(deps);
    const tree = new GrowingTree();
    for await (const record of sequencesFrom(deps.log, 0)) await growTo(deps, tree, endOf(record));
    await publish(deps, (await checkpointOf(deps, key, tree)).note);
  }

  #inside(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }
}

/** A genuine entry; the number tells two apart. */
export function genuine(number: number): AuditEvent {
  return {
    action: 'rotation.set',
    stage: 'intent',
    subject: { kind: 'credential', id: `genuine-${number}` },
    actor: 'lockkeeper',
    correlation: `r-${number}`,
    details: { number },
  };
}

/** The word by which everything forged is found again. */
export const forgedBy = 'mallory';

/** An approval that nobody gave. */
export const forgedApproval: AuditEvent = {
  action: 'decision.approve',
  stage: 'fact',
  subject: { kind: 'proposal', id: 'sgr-1' },
  actor: forgedBy,
  correlation: 'f'.repeat(64),
  details: { by: forgedBy },
};
