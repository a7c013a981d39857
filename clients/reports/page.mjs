// Uses the page of `matrix` in a browser as people do: filters, clicks, keys, a small screen, dark colours.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [browserPath, page, pictures] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: browserPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

async function opened(options, use) {
  const context = await browser.newContext(options);
  const tab = await context.newPage();
  const problems = [], requests = [];
  tab.on("pageerror", error => problems.push(String(error)));
  tab.on("console", message => { if (message.type() === "error") problems.push(message.text()); });
  tab.on("request", request => requests.push(request.url()));
  await tab.goto(pathToFileURL(page).href);
  await use(tab);
  assert.deepEqual(problems, []);
  assert.equal(requests.length, 1, "the page needs nothing else");
  await context.close();
}

const rows = tab => tab.locator("#rows tr:not(.area)").count();
const picture = (tab, name) => tab.screenshot({ path: `${pictures}/${name}.png` });

/** The least contrast of text that is seen (WCAG 2.2, relative luminance). */
const leastContrast = tab => tab.evaluate(() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\d.]+/g).map(Number).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = element => {
    const colour = getComputedStyle(element).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" && element.parentElement ? back(element.parentElement) : colour;
  };
  const texts = [...document.querySelectorAll("h1, p, label, th, th span, td button, small, dt, dd, pre span")];
  return Math.min(...texts.filter(element => element.checkVisibility()).map(element => {
    const [a, b] = [light(getComputedStyle(element).color), light(back(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }));
});

await opened({ viewport: { width: 1280, height: 800 } }, async tab => {
  const data = await tab.evaluate(() => JSON.parse(document.getElementById("data").textContent));
  const all = data.cases.length;
  const count = fits => data.cases.filter(fits).length;
  assert.equal(await rows(tab), all);
  assert.equal(await tab.locator("thead th").count(), data.servers.length + 1);
  await picture(tab, "light-1280");

  await tab.getByLabel("Search").fill("hash-01");
  assert.equal(await rows(tab), 1);
  await tab.getByLabel("Search").fill("no such case");
  assert.equal(await rows(tab), 0);
  assert.ok(await tab.getByRole("status").isVisible());
  await tab.getByLabel("Search").fill("");
  await tab.getByLabel("Area").selectOption("hashing");
  assert.equal(await rows(tab), count(item => item.area === "hashing"));
  await tab.getByLabel("Area").selectOption("");
  await tab.getByLabel("Level").selectOption("should");
  assert.equal(await rows(tab), count(item => item.level === "should"));
  await tab.getByLabel("Level").selectOption("");
  await tab.getByLabel("servers differ").check();
  assert.equal(await rows(tab), count(item => new Set(item.results.map(result => result.verdict)).size > 1));
  await tab.getByLabel("servers differ").uncheck();
  await tab.getByLabel("Verdict").selectOption("departs");
  const departs = item => item.results.some(result => result.verdict === "departs");
  assert.equal(await rows(tab), count(departs));

  const dialog = tab.getByRole("dialog");
  const { results } = data.cases.find(departs);
  const wrong = results.find(result => result.verdict === "departs");
  await tab.locator("td.departs button").first().click();
  for (const words of [wrong.expected, wrong.received]) assert.ok((await dialog.innerText()).includes(words), words);
  assert.ok((await dialog.locator(".here").innerText()).trim().startsWith(String(wrong.line)));
  await picture(tab, "light-1280-departure");
  await tab.keyboard.press("Escape");
  assert.ok(await dialog.isHidden());
  await tab.getByLabel("Verdict").selectOption("");

  const focused = () => tab.evaluate(() => document.activeElement.getAttribute("aria-label"));
  const first = tab.locator("td button").first();
  await tab.getByLabel("servers differ").focus();
  while ((await focused()) !== await first.getAttribute("aria-label")) await tab.keyboard.press("Tab");
  const label = (item, server) => `${data.cases[item].id} on ${data.servers[server]}: ${data.cases[item].results[server].verdict}`;
  await tab.keyboard.press("ArrowDown");
  assert.equal(await focused(), label(1, 0));
  if (data.servers.length > 1) {
    await tab.keyboard.press("ArrowRight");
    assert.equal(await focused(), label(1, 1));
    await tab.keyboard.press("ArrowLeft");
  }
  await tab.keyboard.press("Enter");
  assert.ok(await dialog.isVisible());
  await tab.keyboard.press("Escape");
  assert.equal(await focused(), label(1, 0), "the focus is where it was");
});

for (const [scheme, width] of [["light", 360], ["dark", 360], ["dark", 1280]]) {
  await opened({ viewport: { width, height: 740 }, colorScheme: scheme }, async tab => {
    const fits = () => tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
    assert.ok(await fits(), `${width} px: the page scrolls sideways`);
    assert.ok(await leastContrast(tab) >= 4.5, `${scheme}: contrast ${await leastContrast(tab)}`);
    await picture(tab, `${scheme}-${width}`);
    await tab.getByLabel("Verdict").selectOption("departs");
    await tab.locator("td.departs button").first().click();
    assert.ok(await fits(), `${width} px: the page scrolls sideways`);
    const box = await tab.getByRole("dialog").boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= width, `${width} px: the dialog is ${box.width} wide`);
    assert.ok(await leastContrast(tab) >= 4.5, `${scheme}: contrast ${await leastContrast(tab)}`);
    await picture(tab, `${scheme}-${width}-departure`);
  });
}
await browser.close();
console.log(`the page holds in ${browserPath}; pictures are in ${pictures}`);
