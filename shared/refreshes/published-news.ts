import type { RefreshNews } from './contract.ts';

/** What receivers are sent, field by field: nothing that a caller may have hung on to the news goes out with it. */
export function publishedNews({ credential, rotation, secrets }: RefreshNews): RefreshNews {
  return { credential, rotation, secrets: secrets.map(({ store, secret }) => ({ store, secret })) };
}
