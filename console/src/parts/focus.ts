/** Gives focus back to where it was, and to what stands there when that goes. */

const WATCHED = 10_000; // milliseconds: what was done has come back from the server by then

/** Focuses an element. When the element goes while it has focus, its neighbour has focus instead. */
export function giveBack(element: HTMLElement | null): void {
	if (!element || element === document.body) return;
	const row = element.closest<HTMLElement>("li, tr");
	const rows = row?.parentElement;
	const place = rows ? [...rows.children].indexOf(row) : -1;
	element.focus();
	if (!element.isConnected) {
		neighbour(rows, place);
		return;
	}
	const watch = new MutationObserver(() => {
		if (element.isConnected) return;
		stop();
		if (document.activeElement === document.body) neighbour(rows, place);
	});
	const stop = () => {
		watch.disconnect();
		clearTimeout(timer);
		document.removeEventListener("focusin", stop);
	};
	const timer = setTimeout(stop, WATCHED);
	watch.observe(document.body, { childList: true, subtree: true });
	document.addEventListener("focusin", stop);
}

/** Focuses the row that has come to a place, or the last one; the heading of the page if none is left. */
function neighbour(rows: Element | null | undefined, place: number): void {
	const left = rows?.isConnected ? rows.children : [];
	const row = left[Math.min(place, left.length - 1)];
	const next = row?.querySelector<HTMLElement>("a[href], button:not([disabled])");
	const heading = document.querySelector<HTMLElement>("h1");
	if (!next) heading?.setAttribute("tabindex", "-1");
	(next ?? heading)?.focus();
}
