#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""alerts.py RULES BEFORE AFTER SECONDS: the alerts of RULES that fire if what happened between two scrapes of an endpoint,
SECONDS apart, goes on for 40 minutes: one a line, with its severity. promtool evaluates the rules.

Counters rise as they did, other series stay as they are in AFTER; a series that BEFORE lacks has been zero there. Ports
whose counters are all zero are left out: a thousand of them would take minutes.
"""
import json
import re
import subprocess
import sys
import tempfile

MINUTES = 40
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{.*\})? ([-+.\deE]+)$")
PORT = re.compile(r'\bport="\w+"')
FIRING = re.compile(r'\{__name__="ALERTS", alertname="(\w+)".*?severity="(\w+)"')


def read(path):
    """(value by series, names of counters)"""
    values, counters = {}, set()
    with open(path, encoding="utf-8") as scrape:
        for line in scrape:
            words = line.split()
            if words[:2] == ["#", "TYPE"] and words[3] in ("counter", "histogram"):
                counters.add(words[2])
            sample = SAMPLE.match(line.rstrip("\n"))
            if sample:
                values[sample[1], sample[2] or ""] = float(sample[3])
    return values, counters


def is_counter(name, counters):
    return name in counters or re.sub("_(bucket|sum|count)$", "", name) in counters


def series_of(before, after, seconds):
    values, counters = after
    seen = {PORT.search(labels)[0] for (name, labels), value in values.items()
            if PORT.search(labels) and value and is_counter(name, counters)}
    for (name, labels), value in values.items():
        step = 0
        if is_counter(name, counters):
            step = (value - before[0].get((name, labels), 0)) * 60 / seconds
        if PORT.search(labels) and PORT.search(labels)[0] not in seen:
            continue
        inner = ",".join(filter(None, (labels.strip("{}"), 'job="synwarden",instance="host:9798"')))
        yield {"series": f"{name}{{{inner}}}", "values": f"{value:f}+{max(0, step):f}x{MINUTES}"}
    yield {"series": 'up{job="synwarden",instance="host:9798"}', "values": f"1+0x{MINUTES}"}


def firing(rules, series):
    test = {"rule_files": [rules], "evaluation_interval": "1m",
            "tests": [{"interval": "1m", "input_series": series,
                       "promql_expr_test": [{"expr": 'ALERTS{alertstate="firing"} or vector(-1)',
                                             "eval_time": f"{MINUTES}m", "exp_samples": []}]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as out:
        json.dump(test, out)
        out.flush()
        said = subprocess.run(["promtool", "test", "rules", out.name], capture_output=True, text=True, check=False)
    text = said.stdout + said.stderr
    if "got:" not in text: # vector(-1) is always there, and never expected
        raise RuntimeError(text)
    return sorted(set(FIRING.findall(text)))


def main():
    rules, before, after, seconds = sys.argv[1:5]
    for name, severity in firing(rules, list(series_of(read(before), read(after), float(seconds)))):
        print(name, severity)


if __name__ == "__main__":
    main()
