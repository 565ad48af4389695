import { z } from 'zod';
import { cidr, duration, name, time } from './fields.ts';

/** When a port counts as idle, and how carefully it is closed. */
export const idlePorts = z.strictObject({
  window: duration.prefault('30d').describe('How far back usage is judged.'),
  minCoverage: z
    .number()
    .min(0)
    .max(1)
    .default(0.99)
    .describe('Share of the window that the logs must have seen; below it nothing is called unused.'),
  quarantine: duration.prefault('7d').describe('How long a closed port is watched before the closing is settled.'),
  autoReopen: z.boolean().default(true).describe('Reopen at once when a known source is refused.'),
  approvalExpires: duration.prefault('7d').describe('How long a question waits for an answer.'),
  executionExpires: duration.prefault('1d').describe('How long an approval may be used.'),
  maxClosuresPerRun: z.int().min(0).default(1).describe('At most so many closings in one run; 0 closes nothing.'),
  knownSources: z
    .array(cidr)
    .default([])
    .describe('Address ranges of real clients: one of them refused is reason to reopen.'),
  scanners: z
    .array(cidr)
    .default([])
    .describe('Address ranges of port scanners: what they touch does not count as use.'),
  exemptions: z
    .array(
      z.strictObject({
        opening: z.string().min(1).describe('Id of the opening.'),
        network: name.optional().describe('One of `networks`. Default: every network that has such an opening.'),
        until: time.describe('When the exemption ends; it always does.'),
        why: z.string().min(1).describe('The reason, for those who come later.'),
      }),
    )
    .default([])
    .describe('Openings that are never proposed for closing until a date.'),
  freezes: z
    .array(
      z.strictObject({
        from: time.describe('Begin, included.'),
        to: time.describe('End, not included.'),
        why: z.string().min(1).describe('The reason people are shown.'),
      }),
    )
    .default([])
    .describe('Stretches of time in which nothing is closed.'),
});
