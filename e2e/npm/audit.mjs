// What a person meets on a page of ours, whatever their eyes and their screen: axe-core's rules, nothing beside the screen at
// 320 px, also with letters twice as large, nothing that the page's own policy refuses. In light and dark, narrow and wide.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const axe = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const widths = [320, 1280];

// audit returns what is wrong, and leaves a picture of each view at PICTURE-SCHEME-WIDTH.png.
export async function audit(page, picture) {
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(`console: ${message.text()}`));
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark']) {
    for (const width of widths) {
      const note = (text) => problems.push(`${colorScheme} ${width} px: ${text}`);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      for (const p of await page.evaluate(judge, rules)) note(p);
      if (await overflows(page)) note('wider than the screen');
      await page.screenshot({ path: `${picture}-${colorScheme}-${width}.png`, fullPage: true });
      await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
      if (await overflows(page)) note('wider than the screen with letters twice as large');
      await page.evaluate(() => { document.documentElement.style.fontSize = ''; });
    }
  }
  return problems;
}

// judge runs in the page. A contrast that axe cannot compute counts as a bad one.
async function judge(rules) {
  const { violations, incomplete } = await globalThis.axe.run(document, { runOnly: rules, resultTypes: ['violations', 'incomplete'], selectors: false });
  const unsure = incomplete.filter((r) => r.id === 'color-contrast');
  return [...violations, ...unsure].map((r) => `${r.id}: ${r.help} (${r.nodes.map((n) => n.html).join(' ')})`);
}

// overflows tells whether anything is wider than what it stands in, up to the screen.
function overflows(page) {
  return page.evaluate(() => [document.documentElement, ...document.body.querySelectorAll('*:not(svg, svg *)')]
    .some((e) => e.scrollWidth > e.clientWidth && getComputedStyle(e).display !== 'inline')
    || document.documentElement.scrollWidth > innerWidth);
}
