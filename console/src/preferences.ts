/** What somebody has chosen for this browser: theme, times, density. */
import { effect, type Signal, signal } from "@preact/signals";

/** Whether this browser keeps what somebody chooses: one may refuse to, as in a private window. */
export const keeps = signal(true);

function kept<T extends string>(name: string, first: T): Signal<T> {
	let text: string | null = null;
	try {
		text = localStorage.getItem(`rotulus.${name}`);
	} catch {} // a browser that keeps nothing
	const made = signal((text as T) ?? first);
	effect(() => {
		try {
			localStorage.setItem(`rotulus.${name}`, made.value);
		} catch {
			keeps.value = false;
		}
	});
	return made;
}

export const theme = kept<"system" | "light" | "dark">("theme", "system");
export const times = kept<"relative" | "absolute">("times", "relative");
export const density = kept<"comfortable" | "compact">("density", "comfortable");
/** The columns of the table of jobs, by name. */
export const jobColumns = kept<string>("columns", "state,task,id,queue,labels,added,took");
/** The views of the list of jobs that somebody has named, as JSON. */
export const jobViews = kept<string>("views", "[]");

effect(() => {
	document.documentElement.dataset.theme = theme.value;
	document.documentElement.dataset.density = density.value;
});
