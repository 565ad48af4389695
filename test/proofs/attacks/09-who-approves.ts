import { checkConfig } from '../../../shared/config/check.ts';
import type { Closure, Vote } from '../../../shared/idle-ports/closing/closure.ts';
import { ClosureJournal } from '../../../shared/idle-ports/closing/closure-journal.ts';
import { approversOf } from '../../../shared/idle-ports/closing/decision.ts';
import { scanAll } from '../../../functions/local/jobs.ts';
import { after, day } from '../../../shared/base/time.ts';
import { visit } from '../../local/gate-place.ts';
import { mustHold, type Attack } from './attack.ts';
import { Office } from './closing/office.ts';

const close = 'shared/idle-ports/closing/close.ts';
const names = 'shared/base/person-name.ts';

export const attack: Attack = {
  number: 9,
  about: 'one person approves for others',
  run: async () => {
    const configurations = twoNamesOfOne();
    const office = await Office.open({ port: 24_200, shared: true });
    try {
      const answers = await ownMatter(office);
      countedOnce(office, (await office.held('to-silent')).closure);
      const forgeries = await forgedVotes(office);
      await rightUse(office);
      return `${answers} answers of owners and of names that look like others, ${configurations} configurations with one person as two, and ${forgeries} forgeries in the state store closed nothing and were told; the right people closed the opening to both services`;
    } finally {
      await office.close();
    }
  },
  switchedBack: [
    {
      name: 'only-the-first-service-has-an-owner',
      file: 'functions/local/people.ts',
      find: '.filter((one) => one.network === network && leadsTo(opening, one))',
      replace: '.filter((one) => one.network === network && leadsTo(opening, one)).slice(0, 1)',
    },
    {
      name: 'what-looks-alike-is-another',
      file: names,
      find: 'return looksOf(a).some((look) => looks.includes(look));',
      replace: 'return looks.length === 0;',
    },
    {
      name: 'another-spelling-is-another',
      file: names,
      find: 'return a === b || spellingOf(a) === spellingOf(b);',
      replace: 'return a === b || (spellingOf(a) === spellingOf(b) && a.length + b.length < 0);',
    },
    {
      name: 'look-alikes-may-be-configured',
      file: 'shared/config/cross-checks.ts',
      find: '    ...lookAlikes(config),',
      replace: '    ...lookAlikes(config).slice(0, 0),',
    },
    {
      name: 'spellings-are-counted',
      file: 'shared/idle-ports/closing/people.ts',
      find: 'differentPeople(known)',
      replace: '[...differentPeople([]), ...new Set(known)]',
    },
    {
      name: 'the-journal-is-believed',
      file: close,
      find: 'return await proofOf(this.#deps, closure);',
      replace: "return this.#closed < 0 ? await proofOf(this.#deps, closure) : { kind: 'proven', closure };",
    },
    {
      name: 'votes-are-not-looked-up',
      file: close,
      find: 'turns(await run.refuseUnproven(all))',
      replace: 'turns(all)',
    },
  ],
};

const configured = (approvers: readonly string[], owner = 'zoe') => `
version: 1
stores: { state: { kind: file-system, path: a }, log: { kind: file-system, path: b } }
networks: { office: { cloud: aws } }
services:
  - { name: db, owner: ${owner}, network: office, port: 5432 }
approvals: { kind: local-page, needed: 2, approvers: [${approvers.join(', ')}] }
`;

/** Spellings of ada: of one and the same letters, and of letters that look like hers. */
const spellings = ['Ada', 'ADA', 'ａda', '\u0430da', 'ad\u0430', '\u0251da', '\u0410DA', 'a\u0501a'];

/** Each configuration would let one person be two. */
function twoNamesOfOne(): number {
  mustHold(
    checkConfig(configured(['ada', 'ben', 'carl']), '/').mistakes.length === 0,
    'a right configuration is refused',
  );
  for (const name of spellings) {
    const { mistakes } = checkConfig(configured(['ada', name, 'ben']), '/');
    mustHold(
      mistakes.some(({ line }) => line === 7),
      `the approvers ada and ${JSON.stringify(name)} are two people`,
    );
  }
  const lookalikes = spellings.slice(3);
  for (const owner of lookalikes) {
    const { mistakes } = checkConfig(configured(['ada', 'ben', 'carl'], owner), '/');
    mustHold(mistakes.length > 0, `the owner ${JSON.stringify(owner)} is not ada, who may approve`);
  }
  return spellings.length + lookalikes.length;
}

/** The owners of both services behind one opening, under every name; and names that look like an approver's. */
async function ownMatter(office: Office): Promise<number> {
  const owners = ['olga', 'otto', 'OLGA', 'Otto', '\u043Elga', '\u043Ett\u043E', ' otto\u200B', 'ｏtto'];
  const strangers = ['\u0430da', 'bеn', '\u0430d\u0430', '6en'];
  for (const who of [...owners, ...strangers]) {
    const { kind } = await office.says(who, 'to-silent');
    mustHold(kind === 'refused', `${JSON.stringify(who)} approved a closing that is their own matter, or not theirs`);
  }
  await mustBeOpen(office, 'the owners alone closed it');
  return owners.length + strangers.length;
}

/** A journal of an older configuration may name one person in three spellings. */
function countedOnce(office: Office, closure: Closure): void {
  const approvers = ['ada', 'Ada', '\u0430da'];
  const people = { ...closure.people, approvers, needed: 2 };
  const votes = approvers.map((who) => vote(office, who)(closure));
  mustHold(approversOf({ ...closure, people, votes }).length === 1, 'one person in three spellings is three people');
}

/** Somebody writes to the state store, and nowhere else. */
async function forgedVotes(office: Office): Promise<number> {
  await forge(office, (closure) => approvedBy(closure, [vote(office, 'ada')(closure)], office));
  await mustBeOpen(office, 'an approval that nobody gave closed it');
  mustHold(alarms(office, 'approve by ada') === 1, 'nobody was told, once, of a forged approval');
  await mustBeOpen(office, 'it was closed in the run after');
  mustHold(alarms(office, 'approve by ada') === 1, 'people are told of a forged approval again and again');
  await forge(office, (closure) => ({
    votes: [vote(office, 'ben', 'exempt')(closure)],
    phase: 'exempted',
    until: after(office.world.now(), 300 * day),
  }));
  await office.look();
  mustHold(alarms(office, 'exempt by ben') === 1, 'nobody was told of a forged exemption');
  await scanAll(office.deps, office.approvals);
  await office.says('ada', 'to-silent');
  const { closure } = await office.held('to-silent');
  mustHold(closure.phase === 'approved', `people cannot answer the question that is asked anew: ${closure.phase}`);
  await office.says('ben', 'to-silent', 'deny');
  await forge(office, () => approvedBy(closure, closure.votes, office));
  await mustBeOpen(office, 'a no that was deleted became a yes');
  mustHold((await office.held('to-silent')).closure.phase === 'denied', 'the no that the log has does not hold');
  return 3;
}

/** The next question, and everybody who may. */
async function rightUse(office: Office): Promise<void> {
  await forge(office, () => ({ phase: 'drifted', until: undefined }));
  await scanAll(office.deps, office.approvals);
  const ruling = await office.says('ADA', 'to-silent');
  mustHold(ruling.kind === 'counted', `the right approver is refused: ${ruling.text}`);
  await office.look();
  for (const name of ['silent', 'idle'])
    mustHold((await visit(office.portOf(name))) === 'reset', `${name} stays open though the right people agreed`);
}

async function mustBeOpen(office: Office, reached: string): Promise<void> {
  await office.look();
  mustHold(
    office.gate.rules.rules().some(({ id }) => id === 'to-silent'),
    reached,
  );
}

async function forge(office: Office, change: (closure: Closure) => Partial<Closure>): Promise<void> {
  const held = await office.held('to-silent');
  const { state } = await office.deps.stores();
  await new ClosureJournal(state).save(held, { ...held.closure, ...change(held.closure) });
}

function vote(office: Office, who: string, answer: Vote['answer'] = 'approve') {
  return ({ hash }: Closure): Vote => ({ hash, answer, who, why: 'so', at: office.world.now() });
}

function approvedBy({ notices }: Closure, votes: readonly Vote[], office: Office): Partial<Closure> {
  return { votes, phase: 'approved', approvedAt: office.world.now(), until: undefined, notices };
}

function alarms(office: Office, text: string): number {
  return office.notices.filter((notice) => notice.level === 'alarm' && notice.text.includes(text)).length;
}
