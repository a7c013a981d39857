// Reads a TAP report with tap-parser and compares it with the JSON report of the same run.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Parser } from "tap-parser";

const [tap, report] = process.argv.slice(2);
const { cases } = JSON.parse(readFileSync(report, "utf8"));
const parser = new Parser({ strict: true });
const points = [];
let result;
parser.on("assert", point => points.push(point));
parser.on("complete", complete => { result = complete; });
parser.end(readFileSync(tap, "utf8"));

assert.deepEqual(result.failures.filter(failure => failure.tapError), []);
assert.equal(result.count, cases.length);
for (const [place, { id, title, verdict }] of cases.entries()) {
  const point = points[place];
  assert.equal(point.name, `${id} ${title}`);
  assert.equal(Boolean(point.skip), verdict === "skipped", id);
  assert.equal(Boolean(point.todo), verdict === "known", id);
  assert.equal(point.ok, verdict !== "departs" && verdict !== "known", id);
  if (verdict === "departs") assert.ok(point.diag.picture.includes(`error[${id}]`), "the picture is YAML");
}
console.log(`tap-parser: ${result.count} cases, ${result.fail} failures, ${result.skip} skipped`);
