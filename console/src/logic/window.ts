/** Which rows of a long table are in sight. */

const AROUND = 8; // rows beside those in sight, so that scrolling shows no gap

/** Returns the first row that is drawn, and the one after the last. */
export function inSight(top: number, height: number, row: number, rows: number) {
	const first = Math.floor(Math.max(0, top) / row);
	const count = Math.ceil(height / row) + 1;
	const begin = Math.max(0, Math.min(rows, first) - AROUND);
	return { begin, end: Math.min(rows, first + count + AROUND) };
}
