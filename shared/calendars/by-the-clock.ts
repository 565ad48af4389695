/**
 * `pattern` with its hours, minutes and seconds as lists, unless its hour is `*`: a step of 30 in the minutes of hour 2
 * becomes `0,30 2 * * *`. A list is what a clock on the wall shows, so where clocks change it comes once.
 */
export function byTheClock(pattern: string): string {
  const fields = pattern.trim().split(/\s+/);
  const hourAt = fields.length - 4;
  const hour = fields[hourAt];
  if (hour === undefined || isEvery(hour)) return pattern;
  return fields.map((field, at) => (at > hourAt ? field : writtenOut(field, at === hourAt ? 24 : 60))).join(' ');
}

function isEvery(field: string): boolean {
  return field === '*' || field === '?';
}

function writtenOut(field: string, size: number): string {
  return field
    .split(',')
    .map((part) => partOf(part, size))
    .join(',');
}

/** What is no step stays as it is, wrong or right. */
function partOf(part: string, size: number): string {
  if (isEvery(part)) return `0-${size - 1}`;
  const [, range = '', step = ''] = /^(\*|\d{1,2}-\d{1,2})\/(\d{1,2})$/.exec(part) ?? [];
  const [first = 0, last = size - 1] = range === '*' ? [] : range.split('-').map(Number);
  const by = Number(step);
  if (range === '' || by < 1 || by > size || first > last || last >= size) return part;
  const count = Math.floor((last - first) / by) + 1;
  return Array.from({ length: count }, (_, at) => first + at * by).join(',');
}
