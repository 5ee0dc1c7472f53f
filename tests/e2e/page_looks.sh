#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How the dashboard looks: verdicts can be told apart by lightness and by pattern, in light and dark, and texts can be read.
# LONG=1: during an attack also at four widths, light, dark, and as who sees no red and green, or no colour, sees it; no text
# lies over another and nothing is cut off; axe-core, if npm has it, finds nothing serious. The pictures are left in
# build/pictures/looks/, to be looked at.
#
# test: slow long asan-slow no-kernels
set -u
ROOT=$(readlink -f "$(dirname "$0")/../..")
# shellcheck source=tests/lib/network.sh
. "$ROOT/tests/lib/network.sh"
# shellcheck source=tests/lib/counters.sh
. "$ROOT/tests/lib/counters.sh"
# shellcheck source=tests/lib/dashboard.sh
. "$ROOT/tests/lib/dashboard.sh"

AXE=axe-core@4.10.2
LOOKS=$PICTURES/looks

# Of two variables of the style sheet, by WCAG 2: 1 to 21
CONTRAST='((a, b) => {
	const paint = document.createElement("canvas").getContext("2d"), style = getComputedStyle(document.documentElement);
	const luminance = (name) => { paint.fillStyle = style.getPropertyValue(name).trim();
		const [r, g, b] = [1, 3, 5].map((at) => parseInt(paint.fillStyle.slice(at, at + 2), 16) / 255)
			.map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
	return (light + 0.05) / (dark + 0.05); })'

# check_contrast NAME LEAST A B
check_contrast() {
	check_equal "$1: contrast of $3 and $4 ($(shown "$CONTRAST('$3', '$4').toFixed(2)")) is at least $2" true \
		"$(shown "$CONTRAST('$3', '$4') >= $2")"
}

test_colours() {
	local scheme text
	for scheme in light dark; do
		browser scheme $scheme >/dev/null
		check_contrast $scheme 3 --pass-area --challenge-area
		check_contrast $scheme 3 --challenge-area --drop-area
		for text in ink muted pass challenge drop good accent; do
			check_contrast $scheme 4.5 --$text --card
		done
		check_contrast $scheme 4.5 --bad-ink --bad-ground
		check_contrast $scheme 4.5 --good --good-ground
		check_contrast $scheme 4.5 --challenge --warn-ground
	done
	check_equal "each verdict has its pattern, and its name beside it" "passed solid, challenged hatched, dropped dotted" \
		"$(shown "[...document.querySelectorAll('#syns-legend li')].map((one) => one.textContent.trim().split('/')[0] + ' ' +
			one.querySelector('.key').classList[2]).join(', ')")"
	check_equal "the charts are painted with them" "CanvasPattern CanvasPattern CanvasPattern" \
		"$(shown "Chart.getChart('syns').data.datasets.map((one) => one.backgroundColor.constructor.name).join(' ')")"
}

# picture_as WIDTH HEIGHT NAME SCHEME VISION
picture_as() {
	browser vision "$5" >/dev/null
	look "$1" "$2" "$4" "looks/$3-$1"
}

test_pictures() {
	local size
	mkdir -p "$LOOKS"
	for size in "390 844" "768 1024" "1200 1000" "1400 1000"; do
		# shellcheck disable=SC2086
		{
			picture_as $size light light none
			picture_as $size dark dark none
			picture_as $size deuteranopia light deuteranopia
			picture_as $size grey light achromatopsia
		}
	done
	browser vision none >/dev/null
}

# A port's page, on a phone and a desk
test_port() {
	shown "location.hash = 'port=80'" >/dev/null
	check "the port's page is there" becomes "document.querySelectorAll('#port-connections tbody tr').length > 1"
	look 390 844 light looks/port-390 hour
	check_equal "what its counters mean has room" true "$(shown "[...document.querySelectorAll('#port-counters tbody td:last-child')].every((one) => one.clientWidth > 250)")"
	look 1200 1000 dark looks/port-1200 hour
	shown "location.hash = ''" >/dev/null
}

# axe SCHEME WHERE: what it finds serious or critical
axe() {
	browser scheme "$1" >/dev/null
	check_equal "$1, $2: axe-core finds nothing serious" "" "$(shown "axe.run(document, {resultTypes: ['violations']}).then(({violations}) =>
		violations.filter(({impact}) => impact === 'serious' || impact === 'critical').map(({id, nodes}) =>
			id + ': ' + nodes.map(({target}) => target.join(' ')).join(', ')).join('; '))")"
}

test_axe() {
	local folder=$BUILD/npm
	if ! npm install --silent --no-audit --no-fund --no-package-lock --no-save --prefix "$folder" $AXE >/dev/null 2>&1; then
		echo "# not checked, as npm does not get $AXE: whether axe-core finds something serious"
		return
	fi
	browser size 1200 1000 >/dev/null
	browser load "$folder/node_modules/axe-core/axe.min.js" >/dev/null
	shown "document.querySelectorAll('details').forEach((one) => { one.open = true; })" >/dev/null
	axe light overview
	axe dark overview
	shown "location.hash = 'port=80'" >/dev/null
	check "the port's page is shown" becomes "!document.getElementById('port-known').hidden"
	axe light "a port"
	axe dark "a port"
	browser shot "$LOOKS/port-dark.png" page >/dev/null
	browser scheme light >/dev/null
	browser shot "$LOOKS/port-light.png" page >/dev/null
	shown "location.hash = ''" >/dev/null
}

test_attack() {
	start_clients
	start_flood 8000 -s 0
	start_flood 500 -s 1 -S 198.18.7.7
	check "the attack appears" becomes "document.getElementById('attack').dataset.answer === 'bad'"
	check "the chart shows it" becomes "$(charts_challenged syns)"
	check_equal "nothing jumps (layout shift $(shown jumped): $(shown 'moved.join()'))" true "$(shown "jumped <= 0.02")"
}

dashboard_up --source-limit 100 --http on
open_dashboard
check "the page asks and is answered" becomes "document.getElementById('link').textContent === 'live'"
test_colours
if [ -n "${LONG:-}" ]; then
	hold
	test_attack
	test_pictures
	test_port
	test_axe
fi
check_equal "no complaint on the console" "" "$(browser complaints)"
stop_synwarden
stop_browser
finish
