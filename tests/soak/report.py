#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reads the samples of tests/soak/run.sh.

    soak.py least SAMPLES COLUMN      the least in the third and in the last quarter of the time
    soak.py most SAMPLES COLUMN       the most in all that time
    soak.py plot SAMPLES TO.svg       panels over one time: memory, objects, load, losses
"""
import csv
import math
import sys

WIDTH, PANEL, GAP, LEFT, RIGHT, TOP = 900, 130, 40, 80, 150, 40
COLOURS = ["#1f5fa8", "#c0561f", "#2f8a4c", "#8a4ca8"]

# Title, unit, and lines: label, how it comes from a sample and the one before
PANELS = [
    ("Memory of run", "MiB", [("resident", lambda now, before: now["rss_kib"] / 1024)]),
    ("Memory of the kernel for it", "MiB", [
        ("charged", lambda now, before: now["charged_kib"] / 1024),
        ("programs and maps", lambda now, before: now["bpf_kib"] / 1024)]),
    ("What run holds", "", [
        (name, lambda now, before, name=name: now[name])
        for name in ("descriptors", "maps", "programs", "threads")]),
    ("Packets", "1,000/s", [("packets", lambda now, before: rate(now, before, "packets") / 1000)]),
    ("Transitions", "1,000/s", [("transitions", lambda now, before: rate(now, before, "transitions") / 1000)]),
    ("Connections", "1,000", [("connections", lambda now, before: now["connections"] / 1000)]),
    ("Transitions that were lost, and counted so", "", [("lost", lambda now, before: now["lost"])]),
]


def rate(now, before, name):
    passed = now["second"] - before["second"]
    return max(0, now[name] - before[name]) / passed if passed else 0


def read(path):
    with open(path, newline="", encoding="ascii") as file:
        return [{name: int(value or 0) for name, value in row.items()} for row in csv.DictReader(file)]


def least(samples, column):
    end = samples[-1]["second"]
    quarters = [[s[column] for s in samples if low <= 4 * s["second"] / end < high] for low, high in ((2, 3), (3, 5))]
    print(*map(min, quarters))


def ticks(most):
    """From 0 up to `most`, in three to eight steps of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(most))
    step = next(f * power for f in (1, 0.5, 0.2) if most >= 3 * f * power)
    return [step * i for i in range(int(most / step) + 1)]


def text(x, y, content, anchor="start", **more):
    attributes = "".join(f' {name}="{value}"' for name, value in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{attributes}>{content}</text>'


def line(x1, y1, x2, y2, colour, dash=""):
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" stroke-dasharray="{dash}"/>'


def panel(samples, top, title, unit, lines):
    end = samples[-1]["second"] or 1
    pairs = list(zip(samples, samples[:1] + samples))
    values = [[get(now, before) for now, before in pairs] for _, get in lines]
    most = max(max(v) for v in values) or 1
    inner = WIDTH - LEFT - RIGHT

    def at(second, value):
        return LEFT + inner * second / end, top + PANEL * (1 - value / (1.05 * most))

    out = [text(LEFT, top - 8, title + (f", {unit}" if unit else ""), **{"font-weight": "bold"})]
    for tick in ticks(most):
        x, y = at(0, tick)
        out += [line(x, y, LEFT + inner, y, "#ddd"), text(x - 6, y + 4, f"{tick:,.10g}", "end")]
    for now, before in pairs:
        if now["pid"] != before["pid"]:
            x, _ = at(now["second"], 0)
            out.append(line(x, top, x, top + PANEL, "#999", "4 3"))
    for i, ((label, _), series) in enumerate(zip(lines, values)):
        points = " ".join("{:.1f},{:.1f}".format(*at(s["second"], v)) for s, v in zip(samples, series))
        out.append(f'<polyline points="{points}" stroke="{COLOURS[i]}" fill="none"/>')
        out.append(text(LEFT + inner + 8, top + 12 + 16 * i, label, fill=COLOURS[i]))
    return out


def plot(samples, path):
    height = TOP + len(PANELS) * (PANEL + GAP) + 10
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>']
    for i, (title, unit, lines) in enumerate(PANELS):
        out += panel(samples, TOP + i * (PANEL + GAP), title, unit, lines)
    end = samples[-1]["second"]
    for i in range(5):
        out.append(text(LEFT + (WIDTH - LEFT - RIGHT) * i / 4, height - 26, f"{end * i / 4:,.0f} s", "middle"))
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


def main():
    samples = read(sys.argv[2])
    if sys.argv[1] == "plot":
        plot(samples, sys.argv[3])
    elif sys.argv[1] == "least":
        least(samples, sys.argv[3])
    else:
        print(max(s[sys.argv[3]] for s in samples))


main()
