// The program that payu-mcp opens the browser with: `node opener.mjs SETTINGS.json URL`. It drives headless Chromium through
// the login and consent pages as a person would, by visible labels and buttons, and keeps a picture of each page.
//
// Settings: out (folder), name (prefix of the pictures), user, passphrase, deny, proxy (host:port), insecure (TLS of the
// sandbox), hosts (names besides loopback that may be asked), audit (the last page, see audit.mjs).
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { audit } from './audit.mjs';

const [settingsFile, target] = process.argv.slice(2);
const settings = { name: 'page', user: 'A', passphrase: 'sandbox', deny: false, hosts: [], ...JSON.parse(readFileSync(settingsFile, 'utf8')) };
const loopback = ['127.0.0.1', 'localhost', '[::1]'];
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

mkdirSync(settings.out, { recursive: true });
const note = (file, value) => appendFileSync(join(settings.out, file), `${JSON.stringify(value)}\n`);
note('opener.jsonl', { argv: process.argv, env: process.env });

function launchFlags() {
  // Without a proxy no name is ever looked up; with one, the proxy decides.
  if (settings.proxy) return [...flags, `--proxy-server=${settings.proxy}`];
  return [...flags, '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost'];
}

// A payu-mcp that died meanwhile must not leave this waiting for ever.
const limit = setTimeout(() => process.exit(1), settings.audit ? 300_000 : 90_000);
limit.unref();

async function guard(context) {
  await context.route('**/*', (route) => {
    const { hostname, protocol } = new URL(route.request().url());
    const fine = protocol === 'data:' || [...loopback, ...settings.hosts].includes(hostname);
    if (!fine) note('aborted.jsonl', { host: hostname });
    return fine ? route.continue() : route.abort();
  });
}

let pictures = 0;

async function picture(page) {
  const title = await page.title();
  const slug = title.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, 40) || 'untitled';
  const file = `${settings.name}-${++pictures}-${slug}.png`;
  await page.screenshot({ path: join(settings.out, file), fullPage: true });
  const { origin, pathname, search } = new URL(page.url());
  const heading = await page.locator('h1').first().textContent({ timeout: 1000 }).catch(() => '');
  note('pages.jsonl', { name: settings.name, title, heading: heading.trim(), origin, path: pathname, query: search !== '', picture: file });
}

// answer does what a person would do on the page; false when there is nothing left to do.
async function answer(page) {
  const fields = page.locator('form input:visible:not([type=checkbox]):not([type=radio])');
  if (await page.locator('form').count() === 0) return false;
  for (const field of await fields.all()) {
    const secret = /pass/i.test(`${await field.getAttribute('type')} ${await field.getAttribute('name')}`);
    await field.fill(secret ? settings.passphrase : settings.user);
  }
  const choice = page.locator(`form input[type=radio][value="${settings.user}"]`);
  if (await choice.count()) await choice.first().check();
  const list = page.locator('form select');
  if (await list.count()) await list.first().selectOption(settings.user);
  const deny = page.getByRole('button', { name: /deny|cancel/i });
  const accept = page.getByRole('button', { name: /allow|continue|sign.?in|log.?in|next/i });
  const button = settings.deny && (await deny.count()) ? deny : accept;
  if (await button.count() === 0) return false;
  await Promise.all([page.waitForEvent('load'), button.first().click()]);
  return true;
}

const profile = mkdtempSync(join(tmpdir(), 'e2e-chromium-'));
let context;
let failed = '';
try {
  context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    headless: true,
    args: launchFlags(),
    ignoreHTTPSErrors: Boolean(settings.insecure),
    viewport: settings.viewport ?? { width: 900, height: 700 },
  });
  await guard(context);
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(20_000);
  await page.goto(target, { waitUntil: 'load' });
  await picture(page);
  for (let steps = 0; steps < 8 && (await answer(page)); steps++) await picture(page);
  if (settings.audit) {
    const problems = await audit(page, join(settings.out, settings.name));
    note('audits.jsonl', { name: settings.name, title: await page.title(), text: await page.locator('main').innerText(), problems });
  }
} catch (error) {
  // The query of a URL holds codes.
  failed = error.message.split('\n')[0].replace(/\?\S*/g, '?...');
} finally {
  await context?.close();
  rmSync(profile, { recursive: true, force: true });
  note('visits.jsonl', { name: settings.name, pictures, failed });
}
