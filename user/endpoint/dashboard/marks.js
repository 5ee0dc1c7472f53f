// SPDX-License-Identifier: GPL-2.0-only
// What the charts have beyond their lines: patterns that tell verdicts apart without colour, names at the areas' ends,
// when ports were armed and released, a budget, and the part that is being chosen for zooming.

const LABEL_ROOM = 13; /* px: an area that is thinner has no name */

export function colour(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/* Lines or dots on a ground: what is drawn over `ground` in `ink`. */
const STROKES = {
	solid: () => {},
	hatched: (paint) => [[-2, 2, 2, -2], [0, 8, 8, 0], [6, 10, 10, 6]].forEach(([x, y, toX, toY]) => {
		paint.beginPath();
		paint.moveTo(x, y);
		paint.lineTo(toX, toY);
		paint.stroke();
	}),
	dotted: (paint) => [[2, 2], [6, 6]].forEach(([x, y]) => {
		paint.beginPath();
		paint.arc(x, y, 1.1, 0, 7);
		paint.fill();
	}),
};

export function pattern(kind, ground, ink) {
	const tile = document.createElement("canvas"), paint = tile.getContext("2d");

	tile.width = tile.height = 8;
	paint.fillStyle = ground;
	paint.fillRect(0, 0, 8, 8);
	paint.strokeStyle = paint.fillStyle = ink;
	paint.lineWidth = 1.4;
	STROKES[kind](paint);
	return paint.createPattern(tile, "repeat");
}

function write(paint, text, x, y, align) {
	paint.textAlign = align;
	paint.textBaseline = "middle";
	paint.lineWidth = 3;
	paint.lineJoin = "round";
	paint.strokeStyle = colour("--card");
	paint.strokeText(text, x, y);
	paint.fillText(text, x, y);
}

function line(paint, [x, y, toX, toY], ink, dash) {
	paint.strokeStyle = ink;
	paint.lineWidth = 1.2;
	paint.setLineDash(dash);
	paint.beginPath();
	paint.moveTo(x, y);
	paint.lineTo(toX, toY);
	paint.stroke();
	paint.setLineDash([]);
}

/* Each area's name where it ends, if it is thick enough there. */
function drawNames(chart, paint) {
	const {right, bottom} = chart.chartArea;
	let below = bottom;

	if (!chart.options.scales.y.stacked)
		return;
	chart.data.datasets.forEach((set, i) => {
		const last = chart.getDatasetMeta(i).data.at(-1);

		if (!last || Number.isNaN(last.y))
			return;
		paint.fillStyle = colour("--ink");
		if (below - last.y >= LABEL_ROOM)
			write(paint, set.label, right - 4, (below + last.y) / 2, "right");
		below = last.y;
	});
}

/* {at: when, text}, as long as it is within the chart. */
function drawMoments(chart, paint, moments) {
	const {left, right, top, bottom} = chart.chartArea;
	let free = left;

	for (const {at, text} of moments) {
		const x = chart.scales.x.getPixelForValue(at), width = paint.measureText(text).width;

		if (x < left || x > right)
			continue;
		line(paint, [x, top, x, bottom], colour("--muted"), [2, 3]);
		if (x < free)
			continue;
		paint.fillStyle = colour("--muted");
		write(paint, text, x + (x + width + 6 > right ? -4 : 4), top + 7, x + width + 6 > right ? "right" : "left");
		free = x + width + 8;
	}
}

function drawBudget(chart, paint, budget) {
	const {left, right, top} = chart.chartArea, y = chart.scales.y.getPixelForValue(budget.value);

	if (!budget.value || y < top)
		return;
	line(paint, [left, y, right, y], colour("--ink"), [7, 4]);
	paint.fillStyle = colour("--ink");
	write(paint, budget.text, left + 4, y - 7 < top + 14 ? y + 8 : y - 7, "left");
}

function drawChoice(chart, paint, [from, to]) {
	const {top, bottom} = chart.chartArea;

	paint.fillStyle = colour("--choice");
	paint.fillRect(Math.min(from, to), top, Math.abs(to - from), bottom - top);
}

/* `extra`: what is to be drawn: moments, budget, choice (px, null: none); the panel changes it. */
export function marksPlugin(extra) {
	return {
		id: "marks",
		extra,
		afterDatasetsDraw(chart) {
			const paint = chart.ctx;

			if (!chart.chartArea)
				return;
			paint.save();
			paint.font = `11px ${getComputedStyle(document.body).fontFamily}`;
			drawBudget(chart, paint, extra.budget);
			drawMoments(chart, paint, extra.moments);
			drawNames(chart, paint);
			if (extra.choice)
				drawChoice(chart, paint, extra.choice);
			paint.restore();
		},
	};
}
