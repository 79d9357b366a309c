/** The one switch that stops the page from changing by itself. */
import { signal } from "@preact/signals";

/** Whether somebody has paused the page. */
export const paused = signal(false);

/** Whether the page follows what happens. */
export function isLive(): boolean {
	return !paused.peek();
}
