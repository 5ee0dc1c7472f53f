#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Looks at a Grafana dashboard and at the rules that a Prometheus has loaded; prints each fault, a line each.

contrib.py layout FILE: what Grafana would show badly: panels on top of each other, without title, unit or description;
series of several servers as one, or without a link to the server.
contrib.py queries FILE URL: every expression of the dashboard, its variables replaced, is asked of the Prometheus at
URL, which scrapes a real synwarden: it must be understood, select series that exist, and show something. Of the rules
loaded there, expressions must select series that exist, and texts name labels that these have; and what pages must be
on the dashboard.
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
    """Those that are in collapsed rows, too."""
    every = dashboard["panels"] + [p for row in dashboard["panels"] for p in row.get("panels", [])]
    return [p for p in every if p["type"] != "row"]


def overlap(a, b):
    a, b = a["gridPos"], b["gridPos"]
    return all(a[at] < b[at] + b[size] and b[at] < a[at] + a[size] for at, size in (("x", "w"), ("y", "h")))


def check_overlaps(dashboard):
    """Rows that are collapsed take a line each; what is in one is laid out as if it alone were open."""
    for panels in [dashboard["panels"]] + [row["panels"] for row in dashboard["panels"] if row.get("panels")]:
        for a, b in itertools.combinations(panels, 2):
            if overlap(a, b):
                yield f"{a['title']} and {b['title']} overlap"


def check_servers(panel):
    """Two servers' port 443 are two lines, not all of a hundred are shown, and each leads to its server."""
    for target in panel["targets"]:
        if "port" in grouping_labels(target["expr"], "by") and "instance" not in grouping_labels(target["expr"], "by"):
            yield f"{panel['title']} adds up ports of several servers"
        if "{{port}}" in target["legendFormat"] and panel["type"] == "timeseries" and "topk($top," not in target["expr"]:
            yield f"{panel['title']} shows every port"
    if any("{{instance}}" in t["legendFormat"] for t in panel["targets"]) and panel["type"] == "timeseries":
        if "${__field.labels.instance}" not in json.dumps(panel["fieldConfig"]["defaults"].get("links")):
            yield f"{panel['title']} does not lead to its servers"


def check_layout(dashboard):
    every = dashboard["panels"] + [p for row in dashboard["panels"] for p in row.get("panels", [])]
    yield from check_overlaps(dashboard)
    for panel_id in {p["id"] for p in every}:
        if sum(p["id"] == panel_id for p in every) > 1:
            yield f"several panels have the id {panel_id}"
    for panel in every:
        name = panel.get("title") or f"panel {panel['id']}"
        if not panel.get("title"):
            yield f"{name} has no title"
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > COLUMNS:
            yield f"{name} is wider than the page"
    for panel in panels_of(dashboard):
        yield from check_servers(panel)
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
    yield from check_links(rule)


def check_links(rule):
    """An alert leads to its section of the documents, and to the dashboard."""
    if rule["type"] != "alerting":
        return
    annotations, name = rule["annotations"], rule["name"]
    if not annotations.get("runbook_url", "").endswith(f"/alerts.md#{name.lower()}"):
        yield f"{name} does not lead to its section of docs/alerts.md"
    if "/d/synwarden" not in annotations.get("dashboard_url", ""):
        yield f"{name} does not lead to the dashboard"


def metrics_of(expression):
    return set(re.findall(r"\bsynwarden_[a-z0-9_]+", expression))


def check_pages(dashboard, rules):
    """Whatever wakes an operator can be looked at."""
    shown = set().union(*(metrics_of(t["expr"]) for p in panels_of(dashboard) for t in p["targets"]))
    for rule in rules:
        if rule.get("labels", {}).get("severity") == "critical" and not metrics_of(rule["query"]) & shown:
            yield f"{rule['name']} pages, and no panel shows what it is about"


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
    rules = prometheus.rules()
    for rule in rules:
        yield from check_rule(prometheus, rule)
    yield from check_pages(dashboard, rules)


def main():
    command, path, *url = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        dashboard = json.load(file)
    problems = check_layout(dashboard) if command == "layout" else check_queries(dashboard, Prometheus(*url))
    for problem in problems:
        print(problem)


if __name__ == "__main__":
    main()
