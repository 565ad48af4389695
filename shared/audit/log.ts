import type { Acknowledgement, AuditEvent, AuditLog } from './entry.ts';
import { readHead, type LogHead } from './vouching/head.ts';
import { integrate, type SealOptions, type SealReport } from './sealing/integrate.ts';
import type { AuditLogOptions } from './log-deps.ts';
import { refuseSecrets } from './entries/refuse-secrets.ts';
import { RunWriter } from './run-writer.ts';
import { unsignedEntries, type Unsigned } from './sealing/unsigned.ts';

/** The log of one run. */
export interface RunLog extends AuditLog {
  /**
   * Puts everything that was acknowledged, by whomever, into the tree, signs and publishes it. Throws what the stores
   * throw. `admitted`: keys of batches without a valid proof that a person vouches for.
   */
  seal(options?: Pick<SealOptions, 'admitted'>): Promise<SealReport>;
  /** The newest published checkpoint and who vouches for it; undefined where nothing was sealed yet. Only reads. */
  head(): Promise<LogHead | undefined>;
  /** How far the signed tree is behind what was acknowledged, by whomever. Only reads. */
  unsigned(): Promise<Unsigned>;
  /**
   * The run's last entry, which counts its entries; then `seal`. A host calls it before it ends; a later record begins
   * a new run.
   */
  end(): Promise<SealReport>;
}

/**
 * The append-only log over two object stores. To record is one create of a key that nobody else writes:
 *
 *     record      1 create inbox/DAY/RUN/BATCH     durable: acknowledged
 *     seal        2 create seq/FIRST               the point of no return: what comes next, for every writer
 *                 3 create bundles and tiles       follow from 1 and 2; whoever makes them makes the same bytes
 *                 4 create cp/SIZE                 signed; the same bytes again
 *                 5 replace audit/checkpoint       only ever to a larger one
 *
 *     killed      before 1   no entry, no acknowledgement
 *                 after 1    the entry stands; whoever seals next puts it into the tree
 *                 after 2, 3, 4   whoever seals next goes on from there
 *
 * Records of one run that come while a create is under way go into the next one together. Without an acknowledgement
 * the caller must not act; an uncertain create is settled with the same bytes before anything else is written.
 */
export function auditLog(options: AuditLogOptions): RunLog {
  const writer = new RunWriter(options);
  // What is refused once is not read again by this process: so junk costs one reading.
  const known = new Map<string, string>();
  return {
    async record(event: AuditEvent): Promise<Acknowledgement> {
      refuseSecrets(event);
      return await writer.record(event);
    },
    seal: (asked) => integrate(options, { ...asked, known }),
    head: () => readHead(options),
    unsigned: () => unsignedEntries(options, known),
    async end() {
      await writer.end();
      return await integrate(options, { known });
    },
  };
}
