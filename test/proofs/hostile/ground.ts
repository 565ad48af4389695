import { linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { exportFolder } from '../../../functions/cli/export-folder.ts';
import { exportLog, type ExportFormat } from '../../../shared/audit/export/export.ts';
import { tiledLog } from '../../../shared/audit/export/tiled-log.ts';
import { evidenceKey } from '../../../shared/audit/layout.ts';
import { auditLog } from '../../../shared/audit/log.ts';
import type { LogDeps } from '../../../shared/audit/log-deps.ts';
import { longestInLog, longestInState } from '../../../shared/audit/limits.ts';
import { verifierKey } from '../../../shared/audit/tlog/note.ts';
import { sha256 } from '../../../shared/base/canonical.ts';
import { fileSystemObjects } from '../../../shared/objects/file-system.ts';
import { event, identity } from '../../audit/place.ts';
import { testWorld } from '../../world.ts';

/** The log that lies in `directory` as `log` and `state`. */
export function logAt(directory: string): LogDeps {
  return {
    log: fileSystemObjects({ directory: join(directory, 'log'), mostBytes: longestInLog }),
    state: fileSystemObjects({ directory: join(directory, 'state'), mostBytes: longestInState }),
    world: testWorld('2026-10-02T00:00:00Z', directory),
    ...identity,
  };
}

/** The key of every log here, as an auditor was given it. */
export async function trustedKey(): Promise<string> {
  return verifierKey(identity.origin, await identity.signer.publicKey());
}

/** Makes a log with all that one has: three runs of so many events, evidence, a run that goes on, a waiting batch. */
export async function makeLog(directory: string, events: readonly number[]): Promise<void> {
  const at = logAt(directory);
  const facts = Buffer.from('{"facts":1}');
  const evidence = sha256(facts);
  await at.log.create(evidenceKey(evidence), facts);
  for (const [turn, count] of events.entries()) {
    const log = auditLog({ ...at, world: testWorld('2026-10-01T00:00:00Z', `turn-${turn}`), run: `run-${turn}` });
    await Promise.all(Array.from({ length: count }, (_, n) => log.record(event(n, { details: { n, evidence } }))));
    await (turn === 1 ? log.seal() : log.end());
  }
  const waiting = auditLog({ ...at, world: testWorld('2026-10-01T10:00:00Z', 'waiting'), run: 'waiting' });
  await waiting.record(event(1));
}

/** Exports the log in `directory` to `out`. */
export async function makeExport(directory: string, out: string, formats: readonly ExportFormat[]): Promise<void> {
  const at = logAt(directory);
  const folder = exportFolder(out, fileSystemObjects({ directory: out }));
  await exportLog({ tiles: await tiledLog(at), log: at.log, folder, formats });
}

/** A directory that is copied often: its folders and files, as paths. */
export class Template {
  readonly directory: string;
  readonly folders: readonly string[];
  readonly files: readonly string[];

  constructor(directory: string) {
    this.directory = directory;
    const all = readdirSync(directory, { recursive: true, withFileTypes: true });
    const pathOf = (one: (typeof all)[number]) => relative(directory, join(one.parentPath, one.name));
    this.folders = all
      .filter((one) => one.isDirectory())
      .map(pathOf)
      .toSorted();
    this.files = all
      .filter((one) => one.isFile())
      .map(pathOf)
      .toSorted();
  }

  /** A copy whose files are the same files: whoever changes one puts another in its place. */
  copyTo(to: string): void {
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
    for (const folder of this.folders) mkdirSync(join(to, folder));
    for (const file of this.files) linkSync(join(this.directory, file), join(to, file));
  }
}
