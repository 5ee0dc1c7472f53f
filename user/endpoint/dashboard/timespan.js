// SPDX-License-Identifier: GPL-2.0-only
// Which time the charts of a group show: one of the spans up to now, or a part that was chosen by mouse or keyboard.

const LEAST_MS = 10000; /* of a part */
const STEP = 0.25;	/* of the part, to the sides */

export class Timespan {
	/* `changed`: called after each choice; `bounds`: [first, last] moment that there is. */
	constructor(span, changed, bounds) {
		this.span = span;
		this.part = null;
		this.changed = changed;
		this.bounds = bounds;
	}

	choose(span) {
		this.span = span;
		this.live();
	}

	live() {
		this.part = null;
		this.changed();
	}

	show(from, to) {
		const [first, last] = this.bounds(), length = Math.min(Math.max(LEAST_MS, to - from), last - first);
		const begin = Math.max(first, Math.min(from, last - length));

		this.part = [begin, begin + length];
		this.changed();
	}

	get range() {
		return this.part ?? this.bounds();
	}

	/* By `factor` around the middle. */
	zoom(factor) {
		const [from, to] = this.range, middle = (from + to) / 2, half = (to - from) * factor / 2;

		this.show(middle - half, middle + half);
	}

	move(direction) {
		const [from, to] = this.range, by = (to - from) * STEP * direction;

		this.show(from + by, to + by);
	}

	/* Of the element that has the charts' focus. */
	key(event) {
		const actions = {
			"+": () => this.zoom(0.5), "-": () => this.zoom(2), ArrowLeft: () => this.move(-1),
			ArrowRight: () => this.move(1), 0: () => this.live(), Escape: () => this.live(),
		};

		if (actions[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
			event.preventDefault();
			actions[event.key]();
		}
	}
}

/* Dragging over a chart's canvas chooses a part. `chart` and `draw` are asked when it happens. */
export function chooseByDragging(canvas, timespan, extra, chart) {
	const place = (event) => event.clientX - canvas.getBoundingClientRect().left;

	canvas.addEventListener("pointerdown", (event) => {
		extra.choice = [place(event), place(event)];
		canvas.setPointerCapture(event.pointerId);
	});
	canvas.addEventListener("pointermove", (event) => {
		if (!extra.choice)
			return;
		extra.choice[1] = place(event);
		chart().update("none");
	});
	canvas.addEventListener("pointerup", () => {
		const [a, b] = extra.choice ?? [0, 0], x = chart().scales.x;

		extra.choice = null;
		if (Math.abs(b - a) > 5)
			timespan.show(x.getValueForPixel(Math.min(a, b)), x.getValueForPixel(Math.max(a, b)));
	});
	canvas.addEventListener("pointercancel", () => {
		extra.choice = null;
	});
}
