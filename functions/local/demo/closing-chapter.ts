import { canonicalJson } from '../../../shared/base/canonical.ts';
import { callGate } from '../../../shared/firewalls/local-gate/call.ts';
import type { Step } from '../../../shared/idle-ports/closing/closing-deps.ts';
import { closeAll } from '../jobs.ts';
import { answerOnPage, closureOf, waitForPerson } from './approval-chapter.ts';
import { liveRules } from './live-rules.ts';
import { miniature, openingOf } from './miniature.ts';
import { openings, type Stage } from './stage.ts';
import { visit, type Visit } from './visit.ts';

const somebody = '127.0.30.1';

/** Closes what was approved: a connection that worked is refused. */
export async function closingChapter(stage: Stage): Promise<void> {
  const { teller } = stage;
  teller.chapter(
    'The port is closed at its gate',
    'a real connection before and after; the opening beside it stays open',
  );
  const others = otherRules(stage);
  const before = await knock(stage, openings.silent);
  teller.shows(`before: ${told(before)}`);
  teller.shows(...(await closeRun(stage)).map(stepText));
  const after = await knock(stage, openings.silent);
  const beside = await knock(stage, openings.used);
  teller.shows(`after:  ${told(after)}`, `beside: ${openings.used} ${told(beside)}`);
  teller.proves(
    `${openings.silent} answered before and refuses now`,
    before.kind === 'answered' && after.kind === 'refused',
  );
  teller.proves(
    'no other opening was touched',
    beside.kind === 'answered' && !liveRules(stage).has(openings.silent) && otherRules(stage) === others,
  );
  teller.proves(
    'it is watched before it is settled',
    (await closureOf(stage, openings.silent)).phase === 'quarantined',
  );
}

/** Every rule but the one that the story closes, as one text. */
function otherRules(stage: Stage): string {
  return [...liveRules(stage)]
    .filter(([id]) => id !== openings.silent)
    .map(([, rule]) => rule)
    .toSorted()
    .join('\n');
}

/** One answer brings it back, exactly as it was. */
export async function reopeningChapter(stage: Stage): Promise<void> {
  const { teller } = stage;
  const { prepared } = await closureOf(stage, openings.silent);
  teller.chapter('Undo', 'the rule is back with every field it had, and the connection works again');
  if (stage.isScript) await answerOnPage(stage, openings.silent, { answer: 'reopen', why: 'the partner came back' });
  else await waitForPerson(stage, openings.silent, 'reopened');
  const again = await knock(stage, openings.silent);
  const rule = liveRules(stage).get(openings.silent);
  teller.shows(`${openings.silent}: ${told(again)}`, `rule: ${rule ?? 'gone'}`);
  teller.proves('a real connection works again', again.kind === 'answered');
  teller.proves(
    'the rule is equal to the one that was closed, byte by byte',
    rule !== undefined && prepared !== undefined && rule === canonicalJson(prepared.before),
  );
}

/** Somebody edits a rule after people agreed to close it: the approval is void. */
export async function driftChapter(stage: Stage): Promise<void> {
  const { teller } = stage;
  teller.chapter(
    'A human edit voids the approval',
    'what was approved is not what is there any more, so nothing is closed',
  );
  if (stage.isScript) await answerOnPage(stage, openings.scanned, { answer: 'approve' });
  else await waitForPerson(stage, openings.scanned, 'approved');
  await editByHand(stage, openings.scanned);
  const edited = liveRules(stage).get(openings.scanned);
  const steps = await closeRun(stage);
  teller.shows(...steps.map(stepText));
  const closure = await closureOf(stage, openings.scanned);
  teller.proves(
    'the approval is void and people are asked anew',
    steps.some(({ outcome }) => outcome !== 'closed') && closure.phase === 'proposed' && closure.votes.length === 0,
  );
  teller.proves(
    'the rule stays as the person left it',
    edited !== undefined && liveRules(stage).get(openings.scanned) === edited,
  );
}

/** A run of `close`, as the scheduler of `lockkeeper serve` has it, with a real attempt at what was closed. */
async function closeRun(stage: Stage): Promise<readonly Step[]> {
  const { steps, problems } = await closeAll(stage.deps, stage.page.page, async (closure) => {
    const seen = await knock(stage, closure.opening);
    return seen.kind === 'refused' ? 'refused' : 'reachable';
  });
  const [problem] = problems;
  if (problem) throw problem;
  return steps;
}

/** A real connection to the service behind an opening. */
async function knock(stage: Stage, opening: string): Promise<Visit> {
  const service = miniature.find((one) => openingOf(one) === opening);
  return visit(stage.alive.portOf(service?.name ?? ''), service?.kind ?? 'tcp', somebody);
}

/** A person changes the sources of a rule through the gate's own API. */
async function editByHand(stage: Stage, id: string): Promise<void> {
  const { network, url, token } = stage.alive.gates.aws;
  const target = { name: network.name, url, token, world: stage.world, timeoutMs: 5_000 };
  const live = await callGate(target, { method: 'GET', path: `/openings/${id}` });
  const rule: unknown = JSON.parse(live.body);
  const body = JSON.stringify({
    ...(typeof rule === 'object' ? rule : {}),
    description: 'still needed for the audit in spring',
  });
  const put = await callGate(target, { method: 'PUT', path: `/openings/${id}`, ifMatch: live.etag ?? '', body });
  stage.teller.shows(`meanwhile somebody edits the rule by hand: PUT /openings/${id} ${put.status}`);
}

function told(seen: Visit): string {
  return seen.kind === 'answered'
    ? `answered "${(seen.text.split('\r\n')[0] ?? '').trim().slice(0, 70)}"`
    : `refused (${seen.how})`;
}

function stepText({ opening, outcome, text }: Step): string {
  return `${opening}: ${outcome}${text === '' ? '' : `: ${text}`}`;
}
