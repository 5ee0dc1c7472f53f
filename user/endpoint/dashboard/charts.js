// SPDX-License-Identifier: GPL-2.0-only
// A chart over time, drawn by Chart.js, with its legend and the same numbers as a table.

import {clock, moment, rate, short} from "./numbers.js";
import {RATE_SECONDS, seconds} from "./model.js";
import {element, fill} from "./tables.js";
import {colour, marksPlugin, pattern} from "./marks.js";
import {chooseByDragging} from "./timespan.js";

/* Rows: field, name, CSS variable, pattern; a line has none. */
export const VERDICTS = [
	["passed", "passed", "pass", "solid"],
	["challenged", "challenged", "challenge", "hatched"],
	["dropped", "dropped", "drop", "dotted"],
];
export const HANDSHAKES = [
	["completed", "completed", "good", "solid"],
	["answered", "challenges answered", "accent", null],
];

const STEPS_S = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600];
const TICKS = 6;
const TICK_PX = 90; /* of the chart, for each of them */
const TABLE_ROWS = 20;
const LONG_MS = 180000; /* from here on, the axis has no seconds */

function axis(position, more) {
	return {position, border: {display: false}, grid: {color: colour("--line")}, ...more,
		ticks: {color: colour("--muted"), maxTicksLimit: TICKS, ...more.ticks}};
}

/* On full minutes and hours, as many as there is room for. */
function placeTicks(scale) {
	const most = Math.min(TICKS, scale.chart.width / TICK_PX);
	const step = 1000 * (STEPS_S.find((one) => (scale.max - scale.min) / 1000 / one <= most) ?? STEPS_S.at(-1));

	scale.ticks = [];
	for (let at = Math.ceil(scale.min / step) * step; at <= scale.max; at += step)
		scale.ticks.push({value: at});
}

/* Points: when, and the rate since the last sample that is at least RATE_SECONDS older, or the first one. */
export function curve(model, samples, field) {
	const points = [];
	let first = 0;

	samples.forEach((one) => {
		while (first + 1 < samples.length && seconds(samples[first + 1], one) >= RATE_SECONDS - 0.2)
			first++;
		if (seconds(samples[first], one) > 0)
			points.push({x: model.wall(one), y: Math.max(0, one[field] - samples[first][field]) / seconds(samples[first], one)});
	});
	return points;
}

export class ChartPanel {
	/* `id` of the canvas, beside ID-legend, ID-table; `rows` as above; `timespan` is the group's. */
	constructor(id, rows, timespan) {
		this.id = id;
		this.rows = rows;
		this.timespan = timespan;
		this.log = false;
		this.extra = {moments: [], budget: {value: 0, text: ""}, choice: null};
		this.makeLegend();
		this.make();
		chooseByDragging(element(id), timespan, this.extra, () => this.chart);
		element(`${id}-data`).addEventListener("toggle", () => this.fillTable());
	}

	makeLegend() {
		element(`${this.id}-legend`).replaceChildren(...this.rows.map(([, label, ink, kind]) => {
			const item = document.createElement("li"), key = document.createElement("span");

			key.className = `key ${ink} ${kind ?? "dashed"}`;
			item.append(key, ` ${label}/s `, document.createElement("b"));
			return item;
		}));
	}

	dataset([, label, ink, kind], i) {
		const line = colour(`--${ink}`), stacked = !this.log && kind;

		return {label, data: [], borderColor: line, borderWidth: 1.75, borderDash: kind ? [] : [6, 4], pointRadius: 0,
			backgroundColor: stacked ? pattern(kind, colour(`--${ink}-area`), colour(`--${ink}-mark`)) : "transparent",
			fill: stacked ? i ? "-1" : "origin" : false, stack: kind ? "areas" : label,
			order: kind ? 1 : 0 /* lines are above areas */};
	}

	scales() {
		return {
			x: axis("bottom", {type: "linear", grid: {display: false}, afterBuildTicks: placeTicks,
				ticks: {maxRotation: 0, autoSkip: false, callback: (at) => this.timeText(at)}}),
			y: axis("left", {type: this.log ? "logarithmic" : "linear", min: this.log ? 1 : 0, suggestedMax: 10,
				stacked: !this.log, afterFit: (scale) => { scale.width = 54; }, ticks: {callback: short, precision: 0}}),
		};
	}

	timeText(at) {
		const [from, to] = this.timespan.range;

		return clock(new Date(at)).slice(0, to - from > LONG_MS ? 5 : 8);
	}

	make() {
		this.chart = new Chart(element(this.id), {
			type: "line",
			data: {datasets: this.rows.map((row, i) => this.dataset(row, i))},
			plugins: [marksPlugin(this.extra)],
			options: {
				animation: false, maintainAspectRatio: false, parsing: false, normalized: true,
				interaction: {mode: "index", intersect: false}, scales: this.scales(),
				plugins: {legend: {display: false}, tooltip: {callbacks: {
					title: ([at]) => moment(new Date(at.parsed.x)),
					label: (at) => `${at.dataset.label}: ${rate(at.parsed.y)}/s`,
				}}},
			},
		});
	}

	/* Again when light changes to dark, as a canvas does not follow the style sheet; or the scale. */
	remake(log = this.log) {
		this.log = log;
		this.chart.destroy();
		this.make();
	}

	/* `samples` of the timespan's span. */
	draw(model, samples) {
		const values = document.querySelectorAll(`#${this.id}-legend b`), {x} = this.chart.options.scales;

		this.curves = this.rows.map(([field]) => curve(model, samples, field));
		this.curves.forEach((points, i) => {
			this.chart.data.datasets[i].data = this.log ? points.map(({x: at, y}) => ({x: at, y: y || null})) : points;
			values[i].textContent = rate(points.at(-1)?.y ?? null);
		});
		[x.min, x.max] = this.timespan.range;
		this.chart.update("none");
		this.fillTable();
	}

	/* What the chart shows, in at most so many steps, the last one first. */
	fillTable() {
		const [from, to] = this.timespan.range, points = (this.curves?.[0] ?? []).map(({x}, i) => ({x, i}))
			.filter(({x}) => x >= from && x <= to).reverse();
		const every = Math.ceil(points.length / TABLE_ROWS);

		if (!element(`${this.id}-data`).open)
			return;
		fill(`${this.id}-table`, [
			{name: "Time", text: true, of: ({x}) => moment(new Date(x))},
			...this.rows.map(([, label], row) => ({name: `${label}/s`, of: ({i}) => rate(this.curves[row][i]?.y ?? null)})),
		], points.filter((point, i) => i % every === 0));
	}
}
