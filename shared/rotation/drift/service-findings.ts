import { createHash } from 'node:crypto';
import { toldText } from '../../audit/entries/withhold.ts';
import { isTransient } from '../../base/error.ts';
import { formatInstant } from '../../base/time.ts';
import { serviceObstacles } from '../decisions/obstacles.ts';
import { currentLogins, verdictOn, type Seen } from '../decisions/seen.ts';
import { proven, seenOf, settledCopies, type Facts } from './facts.ts';
import { finding, together, type Finding, type Found, type FindingKind, type Unchecked } from './finding.ts';
import { loginFindings } from './login-findings.ts';
import type { Questions } from './questions.ts';

/** What is wrong at the service, and between it and what the stores hand out. Pure. */
export function serviceFindings(facts: Facts, questions: Questions): Found {
  const { service, plan } = facts;
  const seen = seenOf(facts);
  if (service instanceof Error || !seen) {
    const what = service instanceof Error ? toldText(service.message) : '';
    const todo = (service instanceof Error ? service.hint : undefined) ?? 'Make it reachable, then check again.';
    const told = { what: `${plan.service} does not tell what it is: ${what}`, todo };
    return { findings: [finding('service-silent', '', told)], unchecked: needService.map((kind) => ({ kind })) };
  }
  return together([
    silentEndpoints(facts, seen),
    readiness(facts, seen),
    loginFindings(facts, seen, questions),
    surplus(facts, seen),
    idleUsers(facts, questions, silentIn(facts, seen)),
  ]);
}

const needService: readonly FindingKind[] = [
  'service-not-ready',
  'service-risk',
  'endpoint-silent',
  'current-refused',
  'current-unfit',
  'current-not-encrypted',
  'ended-accepted',
  'too-many-values',
  'idle-user-in-use',
  'sessions-not-seen',
];

/** Known from the logins of this check; where nothing was asked, nothing is known. */
function silentEndpoints(facts: Facts, seen: Seen): Found {
  if (facts.heard.length === 0) return { findings: [], unchecked: [{ kind: 'endpoint-silent' }] };
  const silent = silentIn(facts, seen);
  const findings = silent.map((endpoint): Finding => {
    const answers = facts.heard.flatMap((one) => one.answers);
    const error = answers.find((one) => one.endpoint === endpoint && one.error)?.error;
    const why = error ? toldText(error.message) : 'it gave no answer';
    const todo = error?.hint ?? 'Make it reachable, or take it out of the configuration.';
    return finding('endpoint-silent', endpoint, { what: `${endpoint} does not answer a login: ${why}`, todo });
  });
  return { findings, unchecked: [] };
}

/** Endpoints that said neither yes nor no. */
function silentIn({ heard }: Facts, seen: Seen): readonly string[] {
  return [...new Set(heard.flatMap(({ login }) => verdictOn(seen, login)?.silent ?? []))];
}

function readiness(facts: Facts, seen: Seen): Found {
  const { plan } = facts;
  const { service } = seen;
  const hasSilent = facts.heard.length === 0 || silentIn(facts, seen).length > 0;
  // An endpoint that is silent is told as that, not as one that does not count.
  const own =
    hasSilent && service.capacity > 1
      ? []
      : serviceObstacles(seen, plan.acceptDowntime || (plan.changesItself ?? false));
  const sql = service.fixes.length > 0 ? `lockkeeper rotate ${plan.name} --adopt --sql prints what to run. ` : '';
  const problems = [...service.problems, ...own].map((text) =>
    finding('service-not-ready', markOf(text), {
      what: `${plan.service} is not ready for a rotation: ${toldText(text)}`,
      todo: `Do what it says. ${sql}lockkeeper rotate ${plan.name} --adopt checks it again and changes nothing.`,
    }),
  );
  const risks = service.risks.map((text) =>
    finding('service-risk', markOf(text), {
      what: `consumers may be refused: ${toldText(text)}`,
      todo: 'Do what it says before the next rotation.',
    }),
  );
  return { findings: [...problems, ...risks], unchecked: hasSilent ? [{ kind: 'service-not-ready' }] : [] };
}

/** Names a text for as long as it says the same; how many of something there are does not matter. */
function markOf(text: string): string {
  return createHash('sha256')
    .update(text.replaceAll(/\b\d+\b/g, '#'))
    .digest('hex')
    .slice(0, 8);
}

/** Values that nobody knows of: more than the stores hand out, after a rotation proved that there were none. */
function surplus(facts: Facts, seen: Seen): Found {
  const { slots, holds, capacity } = seen.service;
  const journal = proven(facts);
  const copies = settledCopies(facts);
  const isKnown = copies.length === facts.copies.length && copies.every(({ current }) => current?.login);
  if (!journal || !isKnown) return { findings: [], unchecked: [{ kind: 'too-many-values' }] };
  // What is refused everywhere is none of the values that are there.
  const current = currentLogins({ copies }).filter((login) => verdictOn(seen, login)?.accepted.length !== 0);
  const expected = (slot: string) =>
    Math.max(current.filter((login) => login.slot === slot).length, slot === journal.target ? 1 : 0);
  const unchecked = slots.flatMap((slot): readonly Unchecked[] =>
    holds[slot] === undefined && capacity > 1 ? [{ kind: 'too-many-values', place: slot }] : [],
  );
  const findings = slots.flatMap((slot) => {
    const held = holds[slot] ?? 0;
    if (held <= expected(slot)) return [];
    const told = {
      what: `the service holds ${held} values of ${slot}, and ${expected(slot)} should be there: somebody added one`,
      todo: `Find out who uses it. A rotation ends every value that it did not make: lockkeeper rotate ${facts.plan.name} --now`,
    };
    return [finding('too-many-values', slot, told)];
  });
  return { findings, unchecked };
}

/** Whoever is logged in as the idle user of a pair has its password from somewhere else, and the next rotation waits. */
function idleUsers({ sessions, plan }: Facts, { idle }: Questions, silent: readonly string[]): Found {
  if (idle.length === 0 || sessions === undefined)
    return { findings: [], unchecked: [{ kind: 'idle-user-in-use' }, { kind: 'sessions-not-seen' }] };
  if (sessions instanceof Error) {
    // Where an endpoint is silent that is told, and nobody can know who is logged in there.
    if (silent.length > 0 && isTransient(sessions.code))
      return { findings: [], unchecked: [{ kind: 'idle-user-in-use' }, { kind: 'sessions-not-seen' }] };
    const told = {
      what: `nobody can say who is logged in as ${idle.join(', ')}: ${toldText(sessions.message)}`,
      todo: sessions.hint ?? 'Let lockkeeper see the sessions of both users.',
    };
    return { findings: [finding('sessions-not-seen', '', told)], unchecked: [{ kind: 'idle-user-in-use' }] };
  }
  const findings = idle.flatMap((slot) => {
    const own = sessions.filter((one) => one.slot === slot);
    if (own.length === 0) return [];
    const who = own
      .slice(0, 5)
      .map(({ peer, since }) => `${peer}${since === undefined ? '' : ` since ${formatInstant(since)}`}`);
    const told = {
      what: `${own.length} sessions use ${slot}, whose password no store hands out: ${toldText(who.join(', '))}${own.length > 5 ? ', …' : ''}`,
      todo: `Find out where they have its password from, let them read the store, and end these sessions. The next rotation waits for that: lockkeeper rotate ${plan.name} --rehearse`,
    };
    return [finding('idle-user-in-use', slot, told)];
  });
  return { findings, unchecked: [] };
}
