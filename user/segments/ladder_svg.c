// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ladder as a picture: SVG with its own style, for light and dark pages and for paper. Its height is known at the
 * end only, so that it is drawn into memory first.
 */
#include <stdlib.h>
#include <string.h>

#include "segments/words.h"
#include "text/address.h"
#include "text/log.h"
#include "text/names.h"
#include "text/print.h"

#define WIDTH	    900
#define LEFT_POLE   260
#define RIGHT_POLE  700
#define MIDDLE	    ((LEFT_POLE + RIGHT_POLE) / 2)
#define TIME_X	    100
#define GAP	    12 /* from a pole to its state */
#define RUNG	    36 /* height of a row */
#define LINE	    16 /* and of a line of text below it */
#define SLOPE	    8  /* how much lower a segment arrives than it leaves */
#define TITLE	    72
#define LABEL_BYTES 512

static const char style[] =
	"<style>"
	"svg{font:13px ui-monospace,\"DejaVu Sans Mono\",Menlo,Consolas,monospace;background:#fff;"
	"--ink:#1b1f24;--soft:#59636e;--line:#1f5fbf;--mark:#8a4600;--bad:#b3261e}"
	"text{fill:var(--ink)}.soft{fill:var(--soft)}.state{font-weight:bold}.mark{fill:var(--mark)}.bad{fill:var(--"
	"bad)}"
	".pole{stroke:var(--soft);stroke-width:1.5}.rung{stroke:var(--line);stroke-width:1.5;marker-end:url(#head)}"
	"#head path{fill:var(--line)}"
	"@media(prefers-color-scheme:dark){svg{background:#0d1117;--ink:#e6edf3;--soft:#9aa4af;--line:#7ab3ff;"
	"--mark:#f0b35f;--bad:#ff8b82}}"
	"@media print{svg{background:#fff;--ink:#000;--soft:#444;--line:#000;--mark:#000;--bad:#000}}"
	"</style>"
	"<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"10\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" "
	"orient=\"auto-start-reverse\"><path d=\"M0 0 10 5 0 10z\"/></marker></defs>\n";

static void text(struct ladder *ladder, unsigned x, unsigned y, const char *class, const char *anchor,
		 const char *content)
{
	fprintf(ladder->drawing, "<text x=\"%u\" y=\"%u\" class=\"%s\" text-anchor=\"%s\">", x, y, class, anchor);
	for (; *content; content++) {
		switch (*content) {
		case '<':
			fputs("&lt;", ladder->drawing);
			break;
		case '>':
			fputs("&gt;", ladder->drawing);
			break;
		case '&':
			fputs("&amp;", ladder->drawing);
			break;
		default:
			fputc(*content, ladder->drawing);
		}
	}
	fputs("</text>\n", ladder->drawing);
}

static void line(struct ladder *ladder, const char *class, unsigned x1, unsigned y1, unsigned x2, unsigned y2)
{
	fprintf(ladder->drawing, "<line class=\"%s\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\"/>\n", class, x1, y1, x2,
		y2);
}

static void begin(struct ladder *ladder, const struct view *view, const struct segment *first)
{
	char left[PRINT_ENDPOINT_LEN], right[PRINT_ENDPOINT_LEN];

	(void)first;
	if (!ladder->drawing)
		ladder->drawing = open_memstream(&ladder->picture, &ladder->picture_bytes);
	if (!ladder->drawing) {
		log_error("out of memory for the picture");
		exit(1);
	}
	text(ladder, LEFT_POLE, ladder->drawn + 30, "state", "middle",
	     print_endpoint(left, &view->ends[0].addr, view->ends[0].port));
	text(ladder, RIGHT_POLE, ladder->drawn + 30, "state", "middle",
	     print_endpoint(right, &view->ends[1].addr, view->ends[1].port));
	ladder->drawn += TITLE;
}

static void poles(struct ladder *ladder, unsigned height)
{
	line(ladder, "pole", LEFT_POLE, ladder->drawn - RUNG / 2, LEFT_POLE, ladder->drawn - RUNG / 2 + height);
	line(ladder, "pole", RIGHT_POLE, ladder->drawn - RUNG / 2, RIGHT_POLE, ladder->drawn - RUNG / 2 + height);
}

/* Those that an end went through, below each other. */
static void draw_states(struct ladder *ladder, const struct view_end *end, unsigned x, const char *anchor)
{
	char state[32];

	for (unsigned i = 0; i < end->passed_count; i++) {
		snprintf(state, sizeof(state), "%s%s", end->is_known ? "" : "~", print_state(end->passed[i]));
		text(ladder, x, ladder->drawn + 4 + i * LINE, "state", anchor, state);
	}
}

/* Words first to last, with spaces, as far as there is room. */
static const char *join(char out[LABEL_BYTES], const struct words *words, unsigned first, unsigned last)
{
	*out = '\0';
	for (; first < last; first++) {
		if (strlen(out) + strlen(words->text[first]) + 2 > LABEL_BYTES)
			break;
		if (*out)
			strcat(out, " ");
		strcat(out, words->text[first]);
	}
	return out;
}

static void draw_rung(struct ladder *ladder, int from, const char *label)
{
	unsigned y = ladder->drawn;

	text(ladder, MIDDLE, y - 6, "", "middle", label);
	if (from)
		line(ladder, "rung", RIGHT_POLE, y, LEFT_POLE, y + SLOPE);
	else
		line(ladder, "rung", LEFT_POLE, y, RIGHT_POLE, y + SLOPE);
}

static void row(struct ladder *ladder, const struct view *view, const struct segment *segment,
		const struct view_row *row)
{
	char label[LABEL_BYTES], time[PRINT_NUMBER_LEN] = "0";
	struct words words, marks;
	unsigned height, below;

	if (view->segments > 1)
		print_duration(time, row->delta_ns);
	words__segment(&words, view, segment, row, ladder->numbers, ladder->detailed);
	words__marks(&marks, view, segment, row, ladder->numbers);
	below = marks.count + (words.count > words.base);
	height = RUNG + LINE * below + (below ? SLOPE : 0);
	poles(ladder, height);
	text(ladder, TIME_X, ladder->drawn + 4, "soft", "end", time);
	draw_states(ladder, &view->ends[0], LEFT_POLE - GAP, "end");
	draw_states(ladder, &view->ends[1], RIGHT_POLE + GAP, "start");
	draw_rung(ladder, row->from, join(label, &words, 0, words.base));
	height += ladder->drawn;
	ladder->drawn += RUNG - LINE;
	if (words.count > words.base)
		text(ladder, MIDDLE, ladder->drawn += LINE, "soft", "middle",
		     join(label, &words, words.base, words.count));
	for (unsigned i = 0; i < marks.count; i++)
		text(ladder, MIDDLE, ladder->drawn += LINE, "mark", "middle", marks.text[i]);
	ladder->drawn = height;
}

static void states(struct ladder *ladder, const struct view *view, uint64_t time_ns)
{
	char time[PRINT_NUMBER_LEN];

	poles(ladder, RUNG);
	text(ladder, TIME_X, ladder->drawn + 4, "soft", "end", print_duration(time, time_ns - view->last_ns));
	draw_states(ladder, &view->ends[0], LEFT_POLE - GAP, "end");
	draw_states(ladder, &view->ends[1], RIGHT_POLE + GAP, "start");
	ladder->drawn += RUNG;
}

static void drop(struct ladder *ladder, const struct view *view, const struct segment *segment, const char *reason)
{
	char label[LABEL_BYTES];
	struct words words;

	words__dropped(&words, view, segment, reason, ladder->numbers);
	poles(ladder, RUNG);
	text(ladder, MIDDLE, ladder->drawn, "bad", "middle", join(label, &words, 0, words.count));
	ladder->drawn += RUNG;
}

static void end(struct ladder *ladder, const struct view *view)
{
	char closing[256];

	words__closing(closing, sizeof(closing), view, ladder->ending);
	text(ladder, MIDDLE, ladder->drawn + 6, "soft", "middle", closing);
	ladder->drawn += 2 * RUNG;
}

static void finish(struct ladder *ladder)
{
	if (!ladder->drawing)
		return;
	fclose(ladder->drawing);
	fprintf(ladder->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %u\" width=\"%d\" height=\"%u\" "
		"role=\"img\" aria-label=\"TCP segments between two hosts\">\n%s",
		WIDTH, ladder->drawn, WIDTH, ladder->drawn, style);
	fwrite(ladder->picture, 1, ladder->picture_bytes, ladder->out);
	fputs("</svg>\n", ladder->out);
	free(ladder->picture);
}

const struct ladder_format ladder_svg = {
	.begin = begin, .row = row, .states = states, .drop = drop, .end = end, .finish = finish};
