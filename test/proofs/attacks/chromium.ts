import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { launch, type Browser } from 'puppeteer-core';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Runs `work` with a real browser, which speaks with this process over a pipe and ends with it. Throws where no Chromium
 * is installed.
 */
export async function withBrowser<Result>(work: (browser: Browser) => Promise<Result>): Promise<Result> {
  const executablePath = places.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`no Chromium at ${places.join(', ')}: apt-get install chromium`);
  const browser = await launch({
    executablePath,
    pipe: true,
    timeout: 60_000,
    // Chromium's own sandbox cannot begin as root.
    args: userInfo().uid === 0 ? ['--no-sandbox'] : [],
  });
  try {
    return await work(browser);
  } finally {
    await browser.close();
  }
}
