import type { Notice } from '../../../shared/approvals/contract.ts';
import { postHead } from '../head-job.ts';
import { verifyBelow, verifyTampered } from './audit-wire.ts';
import type { Stage } from './stage.ts';

/** Every action left its entries, the log is signed, and one changed byte is found. */
export async function auditChapter(stage: Stage, scratch: string): Promise<void> {
  const { teller, deps, directory } = stage;
  teller.chapter(
    'A log that nobody can rewrite',
    'every action has its entry before and after, in a signed Merkle tree; its head goes to people; one changed byte in a copy is found and named',
  );
  const audit = await deps.audit();
  await audit.seal();
  const [posted, saved] = await headPosted(stage);
  const { size, root } = await audit.seal();
  const report = await verifyBelow(directory);
  teller.shows(
    `audit verify: ${report.entries} entries, ${report.found} findings`,
    `signed: ${size} entries, root ${root ?? ''}`,
  );
  teller.proves(
    `${report.entries} entries, none changed, all signed`,
    report.ok && report.entries > 0 && report.size === size,
  );
  teller.shows('the page shows, as every morning:', ...indented(saved));
  const since = await verifyBelow(directory, saved);
  teller.proves(
    `who saved that message knows that the log went on from its ${posted} entries`,
    since.ok && posted > 0 && posted < size,
  );
  const { object, report: tampered } = await verifyTampered(directory, scratch);
  teller.shows(
    `one bit changed in a copy of ${object}:`,
    ...tampered.findings.slice(0, 3).map(({ key, what }) => `  ${key} ${what}`),
  );
  teller.proves(
    'the changed byte is found, in the object that holds it',
    !tampered.ok && tampered.findings.some(({ key }) => key === object),
  );
}

function indented(text: string): readonly string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`);
}

/** Posts the head as `serve` does daily; answers how many entries it covers, and what people read. */
async function headPosted({ deps, page }: Stage): Promise<readonly [number, string]> {
  const texts: string[] = [];
  const notify = async (notice: Notice): Promise<void> => {
    texts.push(notice.text);
    await page.page.notify(notice);
  };
  const head = await postHead({ audit: await deps.audit(), world: deps.world, notify });
  return [head?.size ?? 0, texts.join('\n')];
}
