#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Looks at a Grafana dashboard and at the rules that a Prometheus has loaded; prints each fault, a line each.

contrib.py layout FILE: what Grafana would show badly: panels on top of each other, without title, unit or description.
contrib.py queries FILE URL: every expression of the dashboard, its variables replaced, is asked of the Prometheus at
URL, which scrapes a real synwarden: it must be understood, select series that exist, and show something. Of the rules
loaded there, expressions must select series that exist, and texts name labels that these have.
"""
import itertools
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

COLUMNS = 24
INTERVALS = {"__rate_interval": "30s", "__range": "5m"}
SELECTOR = re.compile(r"((?:\w+:)?(?:synwarden_|up\b)[\w:]*(?:\{[^}]*\})?)")
GROUPING = re.compile(r"\b(by|on|without)\s*\(([^)]*)\)")


def panels_of(dashboard):
    return [p for p in dashboard["panels"] if p["type"] != "row"]


def overlap(a, b):
    a, b = a["gridPos"], b["gridPos"]
    return all(a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "w"), ("y", "h")))


def check_layout(dashboard):
    every = dashboard["panels"]
    for a, b in itertools.combinations(every, 2):
        if a["id"] == b["id"]:
            yield f"{a['title']} and {b['title']} have the same id"
        if overlap(a, b):
            yield f"{a['title']} and {b['title']} overlap"
    for panel in every:
        name = panel.get("title") or f"panel {panel['id']}"
        if not panel.get("title"):
            yield f"{name} has no title"
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > COLUMNS:
            yield f"{name} is wider than the page"
    for panel in panels_of(dashboard):
        if not panel["fieldConfig"]["defaults"].get("unit"):
            yield f"{panel['title']} has no unit"
        if not panel.get("description"):
            yield f"{panel['title']} has no description"
        if not panel["targets"] or len({t["refId"] for t in panel["targets"]}) < len(panel["targets"]):
            yield f"{panel['title']}: every query needs a refId of its own"
        for datasource in [panel["datasource"]] + [t.get("datasource") for t in panel["targets"]]:
            if datasource != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"{panel['title']} does not ask the data source chosen above"


class Prometheus:
    def __init__(self, url):
        self.url = url

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.load(error)["error"]) from None

    def labels(self, expression):
        """Those of each series that the expression gives."""
        return [series["metric"] for series in self.get("query", query=expression)["result"]]

    def rules(self):
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]


def grouping_labels(expression, *words):
    return {name.strip() for word, names in GROUPING.findall(expression) if word in words for name in names.split(",")}


def check_selectors(prometheus, what, expression):
    """That each selects something, and that what is grouped by are labels of it. Returns problems and labels."""
    problems, labels = [], set()
    for selector in sorted(set(SELECTOR.findall(GROUPING.sub("", expression)))):
        found = prometheus.labels(selector)
        labels.update(*found)
        if not found:
            problems.append(f"{what}: there is no {selector}")
    for label in grouping_labels(expression, "by", "on", "without") - labels:
        problems.append(f"{what}: there is no label {label} in {expression}")
    return problems, labels


def replace_variables(dashboard, text):
    values = {v["name"]: v.get("allValue") or v["current"].get("value", "") for v in dashboard["templating"]["list"]}
    return re.sub(r"\$\{?(\w+)\}?", lambda m: {**INTERVALS, **values}.get(m[1], m[0]), text)


def check_query(prometheus, what, expression, legend):
    try:
        problems, _ = check_selectors(prometheus, what, expression)
        found = prometheus.labels(expression)
    except ValueError as error:
        return [f"{what}: {error}: {expression}"]
    if not found:
        problems.append(f"{what} shows nothing: {expression}")
    for label in re.findall(r"\{\{(\w+)\}\}", legend):
        if not all(label in labels for labels in found):
            problems.append(f"{what}: there is no label {label} for its legend in {expression}")
    return problems


def check_variable(prometheus, dashboard, variable):
    query = re.fullmatch(r"label_values\((.*), (\w+)\)", replace_variables(dashboard, variable["definition"]))
    if not any(query[2] in labels for labels in prometheus.labels(query[1])):
        yield f"variable {variable['name']} has no values"


def check_rule(prometheus, rule):
    if rule["health"] != "ok":
        yield f"{rule['name']}: {rule['health']}: {rule.get('lastError')}"
    problems, labels = check_selectors(prometheus, rule["name"], rule["query"])
    yield from problems
    labels -= grouping_labels(rule["query"], "without")
    for label in re.findall(r"\$labels\.(\w+)", json.dumps(rule.get("annotations", {}))):
        if label not in labels:
            yield f"{rule['name']} speaks of a label {label} that it does not have"


def check_queries(dashboard, prometheus):
    for panel in panels_of(dashboard):
        for target in panel["targets"]:
            expression = replace_variables(dashboard, target["expr"])
            yield from check_query(prometheus, panel["title"], expression, target["legendFormat"])
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            # "== bool" shows the same series whether there is an attack or not.
            expression = replace_variables(dashboard, annotation["expr"]).replace("== 1", "== bool 1")
            yield from check_query(prometheus, annotation["name"], expression, annotation["titleFormat"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield from check_variable(prometheus, dashboard, variable)
    for rule in prometheus.rules():
        yield from check_rule(prometheus, rule)


def main():
    command, path, *url = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    problems = check_layout(dashboard) if command == "layout" else check_queries(dashboard, Prometheus(*url))
    for problem in problems:
        print(problem)


if __name__ == "__main__":
    main()
