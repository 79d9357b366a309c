/** What somebody has chosen for this browser: theme, times, density. */
import { batch, effect, type Signal, signal } from "@preact/signals";
import { USUAL_COLUMNS } from "./logic/views";

/** Whether this browser keeps what somebody chooses: one may refuse to, as in a private window. */
export const keeps = signal(true);

const readers: (() => void)[] = [];

/** Text under a name; of some values, or else of any. Rubbish counts as the first one. */
function kept<T extends string>(name: string, first: T, others?: readonly T[]): Signal<T> {
	const key = `rotulus.${name}`;
	const made = signal(first);
	let stored: string | undefined;
	const read = () => {
		try {
			const text = (localStorage.getItem(key) ?? first) as T;
			stored = made.value = !others || others.includes(text) ? text : first;
		} catch {} // a browser that keeps nothing
	};
	read();
	stored = undefined; // whether it can be written is known from the beginning
	readers.push(read);
	effect(() => {
		// What another tab has written is not written again: it may have gone on meanwhile.
		if (made.value === stored) return;
		try {
			localStorage.setItem(key, made.value);
			stored = made.value;
		} catch {
			keeps.value = false;
		}
	});
	return made;
}

/** Reads again what other tabs of the browser may have written; before a part of it is changed. */
export function readKept(): void {
	if (keeps.value) batch(() => readers.forEach((read) => void read()));
}

addEventListener("storage", readKept);

export const theme = kept("theme", "system", ["system", "light", "dark"]);
export const times = kept("times", "relative", ["relative", "absolute"]);
export const density = kept("density", "comfortable", ["comfortable", "compact"]);
/** The columns of the table of jobs, by name. */
export const jobColumns = kept<string>("columns", USUAL_COLUMNS);
/** The views of the list of jobs that somebody has named, as JSON. */
export const jobViews = kept<string>("views", "[]");

effect(() => {
	document.documentElement.dataset.theme = theme.value;
	document.documentElement.dataset.density = density.value;
});
