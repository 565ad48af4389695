import { pageHtml, type PageView } from '../../../../shared/approvals/page.ts';
import { parseInstant } from '../../../../shared/base/time.ts';
import { visible } from '../../../../shared/base/visible.ts';
import { mustHold } from '../attack.ts';
import { withBrowser } from '../chromium.ts';
import { isHidden } from './hidden-signs.ts';

const now = parseInstant('2026-11-22T00:00:00Z');

/** Texts in which letters from right to left stand beside numbers, each with the parts that must be seen in this order. */
const mixed: readonly (readonly string[])[] = [
  ['דוד', ' 443 10.0.0.1 22'],
  ['port 22 ', 'דוד לוי', ', 443, 8080'],
  ['["', 'محمد', '",22,443]'],
];

/** What the browser has of one place: its text, and its letters from left to right and line by line. */
interface Seen {
  readonly text: string;
  readonly inOrder: string;
}

/** Shows every text in every place of the page in Chromium; answers how many places were looked at. */
export async function pageShows(texts: readonly string[]): Promise<number> {
  const all = [...texts, ...mixed.map((parts) => parts.join(''))];
  const places = await withBrowser(async (browser) => {
    const page = await browser.newPage();
    await page.setContent(pageHtml(viewOf(all)), { waitUntil: 'load' });
    const words = String(await page.evaluate('document.body.innerText'));
    const raw = Array.from(words.replaceAll(/[\n\t]/g, '')).find(isHidden);
    mustHold(raw === undefined, `the page has U+${raw?.codePointAt(0)?.toString(16) ?? ''} in it`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the script below answers
    return (await page.evaluate(seenPlaces)) as readonly Seen[];
  });
  const flat = places.map(({ text }) => text);
  for (const text of texts) {
    const count = flat.filter((one) => one.includes(visible(text).replaceAll(/ +/g, ' ').trim())).length;
    mustHold(count >= 4, `the page shows ${JSON.stringify(text)} as another text in ${5 - count} places`);
  }
  for (const { text, inOrder } of places)
    mustHold(isInOrder(text, inOrder), `the page shows "${text}" as "${inOrder}"`);
  for (const [first = '', ...rest] of mixed)
    if (!flat.some((one) => one.includes([first, ...rest].join(''))))
      throw new Error(`the page does not show ${first}`);
  return places.length;
}

function viewOf(texts: readonly string[]): PageView {
  return {
    who: texts.at(-3) ?? '',
    now,
    said: texts[0],
    questions: texts.map((text, at) => ({
      question: {
        hash: String(at).padStart(64, '0'),
        title: text,
        facts: [{ label: 'Description', text }],
        owner: text,
        needed: 1,
        approvers: [text],
        expires: now,
      },
      approvedBy: [],
    })),
    closures: texts.map((text, at) => ({
      hash: String(at).padStart(64, '0'),
      title: text,
      phase: 'settled',
      since: now,
      detail: text,
      canReopen: false,
    })),
    notices: texts.map((text) => ({ level: 'info', text, hash: undefined })),
  };
}

/** Runs in the browser; a text, for nothing else here knows a document. */
const seenPlaces = `[...document.querySelectorAll('h3, dd, article > p, p.notice')].map((place) => {
  const letters = [];
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    for (let at = 0; at < node.nodeValue.length; at += 1) {
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + 1);
      const box = range.getBoundingClientRect();
      if (box.width > 0) letters.push({ sign: node.nodeValue[at], left: box.left, top: Math.round(box.top / 8) });
    }
  }
  letters.sort((a, b) => a.top - b.top || a.left - b.left);
  return { text: place.textContent, inOrder: letters.map(({ sign }) => sign).join('') };
})`;

/** What stands outside of letters from right to left is seen in the order in which it is written. */
function isInOrder(text: string, inOrder: string): boolean {
  const plain = (shown: string): string => shown.replaceAll(/[^\x21-\x7e]/g, '');
  return plain(text) === plain(inOrder);
}
