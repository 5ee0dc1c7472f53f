// SPDX-License-Identifier: GPL-2.0-only
// The last five minutes, drawn by Chart.js.

import {percent, rate, short} from "./numbers.js";
import {HISTORY_SECONDS, RATE_SECONDS, SHARE_SECONDS, curve, seconds, share} from "./model.js";

/* Rows: name, CSS variable of its colour, seconds that a point looks back on, what it makes of two samples. */
const perSecond = (field) => (before, now) => (now[field] - before[field]) / seconds(before, now);
const VERDICTS = [
	["passed", "--pass", RATE_SECONDS, perSecond("passed"), rate],
	["challenged", "--challenge", RATE_SECONDS, perSecond("challenged"), rate],
	["dropped", "--drop", RATE_SECONDS, perSecond("dropped"), rate],
];
const HANDSHAKES = [
	["completed/s", "--good", RATE_SECONDS, perSecond("completed"), rate],
	["of the SYNs passed", "--accent", SHARE_SECONDS, (before, now) => {
		const part = share(before, now);

		return part === null ? null : part * 100;
	}, (value) => percent(value === null ? null : value / 100)],
];

const charts = [];

function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function axis(position, more) {
	return {position, beginAtZero: true, border: {display: false}, grid: {color: colour("--line")}, ...more,
		ticks: {color: colour("--muted"), maxTicksLimit: 5, ...more.ticks}};
}

function ago(x) {
	return x === 0 ? "now" : x % 60 ? `${x} s` : `${x / 60} min`;
}

function scales(id) {
	const all = {
		x: axis("bottom", {type: "linear", min: -HISTORY_SECONDS, max: 0, grid: {display: false},
				   ticks: {maxTicksLimit: 6, maxRotation: 0, callback: ago}}),
		y: axis("left", {suggestedMax: 10, stacked: id === "syns", ticks: {callback: short, precision: 0}}),
	};

	if (id === "handshakes")
		all.share = axis("right", {max: 100, grid: {display: false},
					   ticks: {stepSize: 50, callback: (y) => `${y} %`}});
	for (const one of Object.values(all))
		one.afterFit = one.position === "bottom" ? undefined : (scale) => { scale.width = 50; };
	return all;
}

function dataset(id, [label, variable], i) {
	const ink = colour(variable), isShare = id === "handshakes" && i === 1;

	return {label, data: [], borderColor: ink, backgroundColor: `${ink}${isShare ? "00" : "40"}`, borderWidth: 1.75,
		borderDash: isShare ? [5, 4] : [], pointRadius: 0, fill: isShare ? false : i ? "-1" : "origin", yAxisID: isShare ? "share" : "y",
		stack: id, spanGaps: false};
}

function makeLegend(id, rows) {
	document.getElementById(`${id}-legend`).replaceChildren(...rows.map(([label, variable]) => {
		const item = document.createElement("li"), key = document.createElement("span");

		key.className = `key ${variable.slice(2)}`;
		item.append(key, ` ${label} `, document.createElement("b"));
		return item;
	}));
}

function makeChart(id, rows) {
	makeLegend(id, rows);
	return {id, rows, chart: new Chart(document.getElementById(id), {
		type: "line",
		data: {datasets: rows.map((row, i) => dataset(id, row, i))},
		options: {
			animation: false, maintainAspectRatio: false, parsing: false, normalized: true,
			interaction: {mode: "index", intersect: false}, scales: scales(id),
			plugins: {legend: {display: false}, tooltip: {callbacks: {
				title: ([at]) => `${Math.round(-at.parsed.x)} s ago`,
				label: (at) => `${at.dataset.label}: ${rows[at.datasetIndex][4](at.parsed.y)}`,
			}}},
		},
	})};
}

/* Again when light changes to dark: a canvas does not follow the style sheet. */
export function makeCharts() {
	charts.splice(0).forEach(({chart}) => chart.destroy());
	Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
	charts.push(makeChart("syns", VERDICTS), makeChart("handshakes", HANDSHAKES));
}

/* Whole minutes, as many as there are. */
function showSpan(x, samples) {
	const minutes = Math.ceil(seconds(samples[0], samples.at(-1)) / 60) || 1;

	x.min = -60 * minutes;
	x.ticks.stepSize = minutes > 1 ? 60 : 15;
}

export function drawCharts(model) {
	for (const {id, rows, chart} of charts) {
		const values = document.querySelectorAll(`#${id}-legend b`);

		rows.forEach(([, , span, of, write], i) => {
			const points = curve(model.samples, span, of);

			chart.data.datasets[i].data = points;
			values[i].textContent = write(points.at(-1)?.y ?? null);
		});
		showSpan(chart.options.scales.x, model.samples);
		chart.update("none");
	}
}
