import { z } from 'zod';
import { isTimeZone } from '../calendars/zones.ts';
import { cron, duration } from './fields.ts';

/** What is said of a time zone that there is not. */
export const noZone = 'is not the name of a time zone';

const window = z.strictObject({
  opens: cron.describe('When it opens, as a cron pattern in `timeZone`.'),
  lasts: duration
    .refine(({ ms }) => ms > 0, 'is no time at all')
    .describe('How long it is open. It is measured, also where clocks change meanwhile.'),
});

/** What says when rotations begin, beside `every`. */
export const calendarFields = {
  cron: cron
    .optional()
    .describe('When the credential is due for rotation, as a cron pattern in `timeZone`; instead of `every`.'),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: noZone })
    .optional()
    .describe('The time zone of `cron` and of the windows, such as Europe/Berlin. Default: UTC.'),
  windows: z
    .array(window)
    .default([])
    .describe('A rotation begins by itself only while one of these is open. Default: at any time.'),
  jitter: duration
    .prefault('0s')
    .describe(
      'Spreads over this time what is due at once, each credential at a moment that follows from its name. Default: 0s.',
    ),
};
