import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LockkeeperError } from '../../../shared/base/error.ts';
import type { Closure } from '../../../shared/idle-ports/closing/closure.ts';
import { ClosureJournal } from '../../../shared/idle-ports/closing/closure-journal.ts';
import { questionOf } from '../../../shared/idle-ports/closing/question.ts';
import { Browser, type Shown } from './browser.ts';
import { liveRules } from './live-rules.ts';
import { openings, type Stage } from './stage.ts';

/** Shows the question about the silent opening, as people read it. */
export async function proposalChapter(stage: Stage): Promise<void> {
  const { teller } = stage;
  teller.chapter(
    'A proposal with its evidence',
    'what would be lost, who owned it, who knocked last; the hash binds an answer to exactly this',
  );
  const closure = await closureOf(stage, openings.silent);
  const { title, facts, hash } = questionOf(closure);
  teller.shows(title, ...facts.map(({ label, text }) => `  ${label}: ${text}`), `  Hash: ${hash}`);
  const live = liveRules(stage).get(openings.silent);
  teller.proves(
    'the question shows the rule exactly as it is',
    live !== undefined && facts.some(({ text }) => text === live),
  );
}

/** A person approves on the page; with `--script` the page's own form is sent. Strangers cannot. */
export async function approvalChapter(stage: Stage): Promise<void> {
  const { teller, page } = stage;
  teller.chapter(
    'Approval on a page of this machine',
    'a request from another site is refused, with the right cookie even; the person’s own answer counts',
  );
  const closure = await closureOf(stage, openings.silent);
  const browser = new Browser();
  await browser.open(page.link(stage.approver));
  const form = { hash: closure.hash, answer: 'approve' };
  const foreign = await browser.post('answer', form, { origin: 'http://attacker.example' });
  teller.shows(
    `POST /answer from http://attacker.example, with ${stage.approver}'s cookie: ${foreign.status} ${firstLine(foreign.text)}`,
  );
  const stranger = await new Browser().post(`${browser.at}answer`, form, { origin: page.origin });
  teller.shows(`POST /answer without a cookie: ${stranger.status} ${firstLine(stranger.text)}`);
  const untouched = (await closureOf(stage, openings.silent)).phase === 'proposed';
  teller.proves('neither of them decided anything', foreign.status === 403 && stranger.status === 403 && untouched);
  if (stage.isScript) await answerOnPage(stage, openings.silent, { answer: 'approve' });
  else await waitForPerson(stage, openings.silent, 'approved');
  const approved = await closureOf(stage, openings.silent);
  teller.shows(
    `${approved.votes.map(({ who, answer }) => `${who}: ${answer}`).join(', ')}; the opening is ${approved.phase}`,
  );
  teller.proves(
    `${openings.silent} is approved, and still open`,
    approved.phase === 'approved' && approved.closedAt === undefined,
  );
}

/** Sends the form that the page shows for this opening's question, as the approver's browser would. */
export async function answerOnPage(
  stage: Stage,
  opening: string,
  said: { readonly answer: 'approve' | 'reopen'; readonly why?: string },
): Promise<void> {
  const { answer } = said;
  const { page, teller, approver } = stage;
  const browser = new Browser();
  const shown = await browser.open(page.link(approver));
  const { hash } = await closureOf(stage, opening);
  const isOffered = shown.text.includes(`value="${hash}"`) && shown.text.includes(`value="${answer}"`);
  if (!isOffered) throw new LockkeeperError('bug', `the page offers ${approver} no ${answer} for ${opening}`);
  const sent = await browser.post('answer', { hash, ...said }, { origin: page.origin });
  teller.shows(
    `${approver} presses ${answer} for ${opening} on the page: ${sent.status === 303 ? told(await browser.open(browser.at)) : `${sent.status} ${firstLine(sent.text)}`}`,
  );
}

/** What the page says right after an answer. */
function told({ text }: Shown): string {
  return (
    /<p role="status">(.*)<\/p>/
      .exec(text)?.[1]
      ?.replaceAll(/<[^>]+>/g, '')
      .replace('Your answer: ', '') ?? 'taken'
  );
}

/** Waits until a person has brought the opening's closing to this phase. */
export async function waitForPerson(stage: Stage, opening: string, phase: 'approved' | 'reopened'): Promise<void> {
  const { hash } = await closureOf(stage, opening);
  const verb =
    phase === 'approved'
      ? `approve ${hash.slice(0, 12)} --as ${stage.approver}`
      : `reopen ${opening} --reason WHY --as ${stage.approver}`;
  stage.teller.shows(
    '',
    `Your turn: open ${stage.page.link(stage.approver)}`,
    `and bring ${opening} to "${phase}"; or in another terminal:`,
  );
  stage.teller.shows(`  npx lockkeeper --config ${join(stage.directory, 'lockkeeper.yaml')} ${verb}`);
  while (!stage.signal.aborted && (await closureOf(stage, opening)).phase !== phase) await sleep(250);
  stage.signal.throwIfAborted();
}

/** The journal of one AWS opening's closing; `not-found` where nobody was asked about it. */
export async function closureOf(stage: Stage, opening: string): Promise<Closure> {
  const { state } = await stage.deps.stores();
  const held = await new ClosureJournal(state).load('aws', opening);
  if (held) return held.closure;
  throw new LockkeeperError('not-found', `nobody was asked about ${opening}`);
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
