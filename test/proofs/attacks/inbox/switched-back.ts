import type { SwitchedBack } from '../attack.ts';

const waiting = 'shared/audit/sealing/waiting.ts';
const read = 'shared/audit/read.ts';

/** Each fix of this attack taken out. */
export const switchedBack: readonly SwitchedBack[] = [
  {
    name: 'batches-without-a-proof-are-sealed',
    file: waiting,
    find: "if (!writer || standing === 'proven') return undefined;",
    replace: 'if (writer) return undefined;',
  },
  {
    name: 'a-proof-does-not-bind-the-key',
    file: 'shared/audit/sealing/batch.ts',
    find: "'lockkeeper.batch/1', [key, bundle]",
    replace: "'lockkeeper.batch/1', [bundle]",
  },
  {
    name: 'a-proof-does-not-bind-the-log',
    file: 'shared/audit/writer-key.ts',
    find: 'of [domain, origin, ...about]',
    replace: 'of [domain, ...about]',
  },
  {
    name: 'a-planted-batch-stops-its-run-under-every-day',
    file: waiting,
    find: "return key.slice(inboxPrefix.length, key.lastIndexOf('/'));",
    replace: "return key.split('/')[2] ?? '';",
  },
  {
    name: 'a-squatted-key-refuses-the-record',
    file: 'shared/audit/run-writer.ts',
    find: 'if (tried < mostOccupied) continue;',
    replace: '',
  },
  {
    name: 'squatted-keys-are-not-told',
    file: 'shared/audit/run-writer.ts',
    find: 'const tells = n === 0 ? this.#occupied : [];',
    replace: 'const tells: readonly string[] = [];',
  },
  {
    name: 'a-planted-record-is-built-upon',
    file: 'shared/audit/sealing/sequence.ts',
    find: '(writer && isOwnSequence(record, writer));',
    replace: 'writer !== undefined;',
  },
  {
    name: 'a-planted-record-blocks-in-silence',
    file: 'shared/audit/sealing/integrate.ts',
    find: "if ((await readOwnSequence(log, size, trust)) !== 'planted') return [];",
    replace: 'if (log) return [];',
  },
  {
    name: 'verify-does-not-name-planted-records',
    file: 'shared/audit/verify/verify.ts',
    find: 'await checkUnsignedRecords(rest)',
    replace: 'false',
  },
  {
    name: 'verify-does-not-check-the-proofs',
    file: 'shared/audit/verify/proof-check.ts',
    find: 'const read = readBatch(bytes, key, { writer, isAdmitted: false });',
    replace: 'const read = readBatch(bytes, key, { writer: undefined, isAdmitted: false });',
  },
  {
    name: 'bundles-that-nobody-signed-are-read',
    file: read,
    find: 'end <= Math.min(to, signed) ?',
    replace: 'true ?',
  },
  {
    name: 'records-after-the-last-one-wanted-are-read',
    file: 'shared/audit/sealing/sequenced-entries.ts',
    find: 'const upTo = { signed: to, writer: undefined };',
    replace: 'const upTo = { signed: Infinity, writer: undefined };',
  },
  {
    name: 'what-is-unproven-is-shown-as-waiting',
    file: read,
    find: "...(standing !== 'proven' && { unproven: true })",
    replace: "...(standing === 'forged' && { unproven: true })",
  },
  {
    name: 'what-is-no-entry-ends-the-reading',
    file: read,
    find: "if (!hasCode(thrown, 'invalid')) throw thrown;",
    replace: 'throw thrown;',
  },
  {
    name: 'tables-take-rows-of-other-types',
    file: 'shared/audit/export/tables.ts',
    find: 'return hasColumns(bytes) ? { index, entry, bytes } : undefined;',
    replace: 'return { index, entry, bytes };',
  },
];
