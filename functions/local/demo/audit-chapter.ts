import { verifyBelow, verifyTampered } from './audit-wire.ts';
import type { Stage } from './stage.ts';

/** Every action left its entries, the log is signed, and one changed byte is found. */
export async function auditChapter(stage: Stage, scratch: string): Promise<void> {
  const { teller, rooms, directory } = stage;
  teller.chapter('A log that nobody can rewrite', 'every action has its entry before and after, in a signed Merkle tree; one changed byte in a copy is found and named');
  const { size, root } = await (await rooms.audit()).seal();
  const report = await verifyBelow(directory);
  teller.shows(`audit verify: ${report.entries} entries, ${report.found} findings`, `signed: ${size} entries, root ${root ?? ''}`);
  teller.proves(`${report.entries} entries, none changed, all signed`, report.ok && report.entries > 0 && report.size === size);
  const { object, report: tampered } = await verifyTampered(directory, scratch);
  teller.shows(`one bit changed in a copy of ${object}:`, ...tampered.findings.slice(0, 3).map(({ key, what }) => `  ${key} ${what}`));
  teller.proves('the changed byte is found, in the object that holds it', !tampered.ok && tampered.findings.some(({ key }) => key === object));
}
