// `node pages.mjs LIST.json` opens pages in headless Chromium, each in a browser of its own, and audits them. The list:
// { out, pages: [{ name, url }] }; the answer, one line a page on stdout: { name, title, heading, status, problems }.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { audit } from './audit.mjs';

const { out, pages } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
});
try {
  for (const { name, url } of pages) console.log(JSON.stringify(await look(name, url)));
} finally {
  await browser.close();
}

async function look(name, url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const answer = await page.goto(url, { waitUntil: 'load' });
  // A page that looks again by itself stays as it is while it is looked at.
  await context.route('**/*', (route) => route.fulfill({ status: 204 }));
  const problems = await audit(page, join(out, name));
  const heading = await page.locator('h1').allTextContents();
  const view = { name, title: await page.title(), heading: heading.join('|'), status: answer.status(), problems };
  await context.close();
  return view;
}
