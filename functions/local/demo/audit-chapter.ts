import { verifyLog, verifyTampered } from './audit-wire.ts';
import type { Stage } from './stage.ts';

/** Every action left its entries, and one changed byte is found. */
export async function auditChapter(stage: Stage, scratch: string): Promise<void> {
  const { teller, rooms, directory } = stage;
  teller.chapter('A log that nobody can rewrite', 'every action has its entry before and after; one changed byte in a copy is found and named');
  await (await rooms.audit()).flush();
  const report = await verifyLog(directory);
  teller.shows(`audit verify: ${report.entries} entries, ${report.findings.length} findings`);
  teller.proves(`${report.entries} entries, none changed`, report.ok && report.entries > 0);
  const { entry, report: tampered } = await verifyTampered(directory, scratch);
  teller.shows(`one bit changed in a copy of ${entry}:`, ...tampered.findings.slice(0, 3).map(({ key, what }) => `  ${key} ${what}`));
  teller.proves('the changed byte is found, in the entry that holds it', !tampered.ok && tampered.findings.some(({ key }) => key.endsWith(entry)));
}
