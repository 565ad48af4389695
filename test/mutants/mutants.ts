import { auditMutants } from './audit-mutants.ts';
import type { Mutant } from './mutant.ts';
import { refreshMutants } from './refresh-mutants.ts';
import { rotationMutants } from './rotation-mutants.ts';

const rotation = ['test/rotation/rotate.test.ts', 'test/rotation/gates.test.ts', 'test/rotation/trouble.test.ts'];
const closing = [
  'test/idle-ports/closing.test.ts',
  'test/idle-ports/closing-failures.test.ts',
  'test/idle-ports/decision.test.ts',
  'test/firewalls/memory.test.ts',
];
const watching = [
  'test/idle-ports/watching.test.ts',
  'test/idle-ports/reopening.test.ts',
  'test/mutants/quarantine.test.ts',
];
const configuring = ['test/config/check.test.ts'];

/** Every mutant, by story. */
export const mutants: readonly Mutant[] = [
  {
    name: 'publish-first',
    file: 'shared/rotation/decisions/setting.ts',
    find: "{ do: 'move', to: 'staged' }",
    replace: "{ do: 'move', to: 'verified' }",
    tests: rotation,
  },
  {
    name: 'publish-without-a-login',
    file: 'shared/rotation/decisions/setting.ts',
    find: "if (!verdict) return { do: 'ask', candidate: 'new', logins: [login] };",
    replace: 'if (!verdict) return undefined;',
    tests: rotation,
  },
  {
    name: 'no-drain-gate',
    file: 'shared/rotation/decisions/draining.ts',
    find: 'if (leftMs <= 0) return undefined;',
    replace: 'if (leftMs < Infinity) return undefined;',
    tests: rotation,
  },
  {
    name: 'drain-in-spite-of-sessions',
    file: 'shared/rotation/decisions/draining.ts',
    find: 'if (seen.sessions.length === 0) return undefined;',
    replace: 'if (seen.sessions.length >= 0) return undefined;',
    tests: rotation,
  },
  {
    name: 'value-only-in-memory',
    file: 'shared/rotation/effects/store-effects.ts',
    find: 'const answer = await storeOf(run.deps, copy.store).stage(copy.secret, journal.rotation, text);',
    replace: "const answer = await Promise.resolve({ id: 'in-memory', value: text });",
    tests: rotation,
  },
  {
    name: 'another-value-for-every-store',
    file: 'shared/rotation/effects/store-effects.ts',
    find: 'const login = known ?? {',
    replace: 'const login = {',
    tests: rotation,
  },
  {
    name: 'unreachable-taken-for-refused',
    file: 'shared/rotation/decisions/seen.ts',
    find: "refused: those((one) => one?.answer === 'refused'),",
    replace: "refused: those((one) => one?.answer !== 'accepted'),",
    tests: [...rotation, 'test/rotation/fleets.test.ts'],
  },
  {
    name: 'guard-that-lets-a-stale-writer-through',
    file: 'shared/rotation/effects/moving.ts',
    find: 'if (live?.journal.epoch === journal.epoch && live.journal.nonce === journal.nonce) return;',
    replace: 'if (live) return;',
    tests: ['test/mutants/stale-writer.test.ts'],
  },
  {
    name: 'retired-without-proof',
    file: 'shared/rotation/decisions/finishing.ts',
    find: "if (unheard.length > 0) return { do: 'ask', candidate: 'old', logins: unheard };",
    replace: "if (unheard.length > 0) return { do: 'prove', proof: 'refused' };",
    tests: rotation,
  },
  {
    name: 'downtime-without-consent',
    file: 'shared/rotation/decisions/obstacles.ts',
    find: "if (service.strategy === 'single' && !mayBeSingle) {",
    replace: "if (service.strategy === 'single' && mayBeSingle && !mayBeSingle) {",
    tests: rotation,
  },
  {
    name: 'close-without-fingerprint',
    file: 'shared/firewalls/memory.ts',
    find: "if (fingerprintOf(live) !== prepared.fingerprint) throw touched(name, prepared, 'close');",
    replace: '',
    tests: closing,
  },
  {
    name: 'close-at-the-gate-without-fingerprint',
    file: 'functions/local/gate/rule-book.ts',
    find: "return ruleFingerprint(live) === expected.fingerprint ? 'done' : 'stale';",
    replace: "return ruleFingerprint(live) === '' ? 'stale' : 'done';",
    tests: ['test/firewalls/local-gate.test.ts'],
  },
  {
    name: 'approval-not-bound-to-the-hash',
    file: 'shared/idle-ports/closing/closure-check.ts',
    find: 'if (hashOf(live) !== closure.hash)',
    replace: "if (hashOf(live) === 'never')",
    tests: closing,
  },
  {
    name: 'votes-for-another-question',
    file: 'shared/idle-ports/closing/decision.ts',
    find: "one.answer === 'approve' && one.hash === hash)",
    replace: "one.answer === 'approve')",
    tests: [...closing, 'test/idle-ports/scan.test.ts'],
  },
  {
    name: 'owners-approve-their-own',
    file: 'shared/idle-ports/closing/people.ts',
    find: 'filter((who) => !isOwnMatter(who, people))',
    replace: 'filter(() => true)',
    tests: closing,
  },
  {
    name: 'apply-before-it-can-be-undone',
    file: 'shared/idle-ports/closing/close.ts',
    find: "    const closing = await this.#save(\n      held,\n      moved(held.closure, 'closing', {",
    replace:
      "    await firewallOf(this.#deps, held.closure.firewall).apply(prepared);\n    const closing = await this.#save(\n      held,\n      moved(held.closure, 'closing', {",
    tests: [...closing, 'test/idle-ports/closing-crashes.test.ts'],
  },
  {
    name: 'restore-that-forgets-a-field',
    file: 'shared/firewalls/memory.ts',
    find: 'network.rules.set(prepared.change.opening, readRule(prepared.before));',
    replace: "network.rules.set(prepared.change.opening, { ...readRule(prepared.before), description: '' });",
    tests: closing,
  },
  {
    name: 'a-scanner-reopens',
    file: 'shared/idle-ports/closing/watch-decision.ts',
    find: 'knocks.filter(({ known }) => known)',
    replace: 'knocks.filter(() => true)',
    tests: watching,
  },
  {
    name: 'settled-before-its-time',
    file: 'shared/idle-ports/closing/watch-decision.ts',
    find: 'if (now < until) return',
    replace: 'if (now < 0) return',
    tests: watching,
  },
  {
    name: 'a-config-that-shows-passwords',
    file: 'shared/config/mistakes.ts',
    find: 'return `is ${kindOf(value)}, not',
    replace: 'return `${JSON.stringify(value)} is ${kindOf(value)}, not',
    tests: configuring,
  },
  {
    name: 'unknown-keys-are-fine',
    file: 'shared/config/services.ts',
    find: "  return z.strictObject({\n    name: name.describe('One word for the service, everywhere.'),",
    replace: "  return z.object({\n    name: name.describe('One word for the service, everywhere.'),",
    tests: configuring,
  },
  {
    name: 'effect-before-intent',
    file: 'shared/audit/audited.ts',
    find: "  await acknowledged(log, { ...event(), stage: 'intent' });\n",
    replace: '',
    tests: ['test/rotation/crash.test.ts'],
  },
  {
    name: 'close-before-intent',
    file: 'shared/audit/audited.ts',
    find: "  await acknowledged(log, { ...event(), stage: 'intent' });\n",
    replace: '',
    tests: [...closing, 'test/idle-ports/closing-crashes.test.ts'],
  },
  ...auditMutants,
  ...refreshMutants,
  ...rotationMutants,
];
