import type { Mutant } from './mutant.ts';

const log = ['test/audit/log.test.ts', 'test/audit/seal.test.ts', 'test/audit/fails-closed.test.ts'];
const auditing = [...log, 'test/audit/secrets.test.ts'];
const verifying = ['test/audit/verify.test.ts', 'test/audit/verify-edges.test.ts'];
const appending = [...log, 'test/audit/crowd.test.ts', 'test/audit/broken-writes.test.ts'];
const clocks = ['test/audit/clocks.test.ts'];

/** Those of the audit log. */
export const auditMutants: readonly Mutant[] = [
  {
    name: 'a-chain-that-is-not-checked',
    file: 'shared/audit/verify/bundle-check.ts',
    find: 'if (previous !== before.last)',
    replace: 'if (previous === run)',
    tests: verifying,
  },
  {
    name: 'secrets-in-the-log',
    file: 'shared/audit/log.ts',
    find: '      refuseSecrets(event);\n',
    replace: '',
    tests: auditing,
  },
  {
    name: 'a-run-that-goes-on-after-days-of-sleep',
    file: 'shared/audit/run-writer.ts',
    find: 'if (this.#run && !this.#isOpen(this.#run)) this.#run = undefined;',
    replace: '',
    tests: appending,
  },
  {
    name: 'an-unsettled-object-written-after-days-of-sleep',
    file: 'shared/audit/run-writer.ts',
    find: 'if (this.#unsettled && !this.#isOpen(this.#unsettled)) this.#leaveUnsettled();',
    replace: '',
    tests: appending,
  },
  {
    name: 'a-run-that-goes-on-after-its-end',
    file: 'shared/audit/run-writer.ts',
    find: 'await this.#settle({ ...batch, after: undefined });',
    replace: 'await this.#settle(batch);',
    tests: appending,
  },
  {
    name: 'a-run-kept-under-the-day-of-a-clock-that-lags',
    file: 'shared/audit/layout.ts',
    find: 'return today < sealers ? sealers : today;',
    replace: 'return today;',
    tests: clocks,
  },
  {
    name: 'days-done-with-by-a-clock-that-is-ahead',
    file: 'shared/audit/sealing/sequenced.ts',
    find: 'now !== undefined && held.doneBefore >= dayOf(now)',
    replace: 'false',
    tests: clocks,
  },
  {
    name: 'acknowledged-before-it-is-durable',
    file: 'shared/audit/run-writer.ts',
    find: 'const { batch, acknowledged } = await this.#encode(this.#run ?? (await this.#begin()), taken);\n',
    replace:
      'const { batch, acknowledged } = await this.#encode(this.#run ?? (await this.#begin()), taken);\n      for (const acknowledge of acknowledged) acknowledge();\n',
    tests: appending,
  },
  {
    name: 'an-uncertain-batch-forgotten',
    file: 'shared/audit/run-writer.ts',
    find: "if (!wasTried && !hasCode(thrown, 'uncertain')) this.#unsettled = undefined;",
    replace: 'this.#unsettled = undefined;',
    tests: appending,
  },
  {
    name: 'places-given-by-whoever-comes-last',
    file: 'shared/audit/sealing/integrate.ts',
    find: 'const { outcome } = await deps.log.create(sequenceKey(sequenced.size), bytes);',
    replace: `let { outcome } = await deps.log.create(sequenceKey(sequenced.size), bytes);
    const there = await deps.log.get(sequenceKey(sequenced.size));
    if (outcome === 'exists') ({ outcome } = await deps.log.replace(sequenceKey(sequenced.size), bytes, there.version));`,
    tests: appending,
  },
  {
    name: 'published-before-it-is-in-the-log',
    file: 'shared/audit/sealing/checkpoints.ts',
    find: 'const { outcome } = await log.create(checkpointKey(tree.size), Buffer.from(note));',
    replace: "const { outcome } = { outcome: 'done' };",
    tests: appending,
  },
  {
    name: 'a-fork-signed-without-a-word',
    file: 'shared/audit/sealing/checkpoints.ts',
    find: 'if (other && formatCheckpoint(other) === text) return other;',
    replace: 'if (other) return other;',
    tests: appending,
  },
  {
    name: 'a-sequence-whose-sum-nobody-looks-at',
    file: 'shared/audit/sealing/sequence.ts',
    find: 'if (Buffer.compare(encodeSequence(record), bytes) !== 0) throw',
    replace: 'if (batches.length === 0) throw',
    tests: verifying,
  },
  {
    name: 'tiles-of-entries-that-are-not-compared',
    file: 'shared/audit/verify/tree-check.ts',
    find: 'const isWhole = tile !== undefined && Buffer.compare(fromEntries, tile) === 0;',
    replace: 'const isWhole = tile !== undefined;',
    tests: verifying,
  },
  {
    name: 'tiles-above-that-are-not-compared',
    file: 'shared/audit/verify/tree-check.ts',
    find: 'else if (Buffer.compare(stored, bytes) !== 0)',
    replace: 'else if (stored.length !== bytes.length)',
    tests: verifying,
  },
  {
    name: 'the-key-in-the-log-believed-more-than-the-given-one',
    file: 'shared/audit/verify/trust.ts',
    find: 'return parseVerifierKey(verifierKey);',
    replace: 'return parseVerifierKey(own ?? verifierKey);',
    tests: verifying,
  },
  {
    name: 'a-run-whose-count-nobody-looks-at',
    file: 'shared/audit/verify/bundle-check.ts',
    find: 'if (counts !== undefined && counts !== n + 1)',
    replace: 'if (counts !== undefined && counts < 0)',
    tests: verifying,
  },
  {
    name: 'what-waits-is-not-looked-at',
    file: 'shared/audit/verify/leftovers.ts',
    find: 'const [wrong] = isWhole ? [...checked.problems, ...runs.add(checked)] : [];',
    replace: 'const [wrong] = checked.problems;',
    tests: verifying,
  },
];
