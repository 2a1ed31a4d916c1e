"""The rules of the JUnit schema that Jenkins publishes (jenkins-junit.xsd), as far as a report can break them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors", "disabled", "skipped"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package"},
    "properties": set[str](),
    "property": {"name", "value"},
    "testcase": {"name", "classname", "time", "assertions", "status"},
    "skipped": {"message", "type"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "system-out": set[str](),
}
REQUIRED = {"testsuite": {"name", "tests"}, "testcase": {"name", "classname"}, "property": {"name", "value"}}
CHILDREN = {
    "testsuites": ["testsuite"],
    "testsuite": ["properties", "testcase", "system-out", "system-err"],  # in this order
    "properties": ["property"],
    "testcase": ["skipped", "failure", "error", "system-out", "system-err"],
}
FORMS = {
    "time": r"\d+\.\d{3}",
    "tests": r"\d+",
    "failures": r"\d+",
    "errors": r"\d+",
    "skipped": r"\d+",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
}


def breaches(text: str) -> list[str]:
    """What a document does that the schema forbids; also figures that its cases do not bear out."""
    root = ET.fromstring(text)  # noqa: S314 (the test itself made it)
    found = [] if root.tag == "testsuites" else [f"the root is {root.tag}"]
    for element in root.iter():
        found += _of_element(element)
    for suite in [root, *root.iter("testsuite")]:
        cases = list(suite.iter("testcase"))
        figures = {"tests": len(cases)} | {
            f"{kind}{'' if kind == 'skipped' else 's'}": sum(case.find(kind) is not None for case in cases)
            for kind in ("failure", "error", "skipped")
        }
        wrong = (name for name, figure in figures.items() if suite.get(name) != str(figure))
        found += [f"{suite.tag}: {name} is {suite.get(name)}" for name in wrong]
    return found


def _of_element(element: ET.Element) -> Iterator[str]:
    if element.tag not in ATTRIBUTES:
        yield f"{element.tag} is no element of it"
        return
    yield from (f"{element.tag}: {name}" for name in set(element.keys()) - ATTRIBUTES[element.tag])
    yield from (f"{element.tag} lacks {name}" for name in REQUIRED.get(element.tag, set()) - set(element.keys()))
    for name, value in element.items():
        if not re.fullmatch(FORMS.get(name, ".*"), value, re.DOTALL):
            yield f"{element.tag}: {name}={value}"
    order = CHILDREN.get(element.tag, [])
    children = [child.tag for child in element]
    yield from (f"{element.tag} has {tag}" for tag in children if tag not in order)
    places = [order.index(tag) for tag in children if tag in order]
    if element.tag != "testcase" and places != sorted(places):
        yield f"{element.tag}: children are out of order"
    if element.tag == "testcase" and sum(tag in {"skipped", "failure", "error"} for tag in children) > 1:
        yield "a case has two verdicts"
