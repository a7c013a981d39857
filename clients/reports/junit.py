"""Reads a JUnit report with junitparser and compares it with the JSON report of the same run."""

import json
import sys

from junitparser import Failure, JUnitXml, Skipped

junit, report = sys.argv[1:]
with open(report, encoding="utf-8") as file:
    cases = {f"{case['id']} {case['title']}": case["verdict"] for case in json.load(file)["cases"]}


def verdict(case):
    kinds = {type(result) for result in case.result}
    if kinds == {Failure}:
        return {"departs"}
    if kinds == {Skipped}:
        return {"skipped", "known"}
    assert not kinds, f"{case.name}: {kinds}"
    return {"pass", "otherwise"}


suites = JUnitXml.fromfile(junit)
read = {case.name: verdict(case) for suite in suites for case in suite}
assert read.keys() == cases.keys(), read.keys() ^ cases.keys()
for name, word in cases.items():
    assert word in read[name], f"{name}: {word} is not one of {read[name]}"
assert suites.tests == len(cases)
assert suites.failures == sum(word == "departs" for word in cases.values())
print(f"junitparser: {suites.tests} cases, {suites.failures} failures, {suites.skipped} skipped")
