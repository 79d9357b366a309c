/** Views of the list of jobs: what is looked for, grouped by and shown, under a name. */

/** A view: its name, and what the address says of it. */
export interface View {
	name: string;
	says: Record<string, string>;
}

/** Views that are always there. */
export const BUILT_IN: readonly View[] = [
	{ name: "Failed, added within 1 h", says: { q: "state:failed,dead newer:1h" } },
	{ name: "Running now", says: { q: "state:running" } },
	{ name: "Waiting for over 15 min", says: { q: "state:queued older:15min" } },
	{ name: "Scheduled", says: { q: "state:delayed" } },
	{ name: "What fails, by error", says: { q: "state:failed,dead", by: "error" } },
];

const PARTS = ["q", "by", "columns"];

/** Returns what the address of the list says of the view that is shown. */
export function shownIn(params: URLSearchParams): Record<string, string> {
	return Object.fromEntries([...params].filter(([name]) => PARTS.includes(name)));
}

function isView(one: unknown): one is View {
	const { name, says } = (one ?? {}) as Partial<View>;
	return (
		typeof name === "string" &&
		!!says &&
		Object.values(says).every((value) => typeof value === "string")
	);
}

/** Returns the views that a browser has kept; what cannot be read counts as none. */
export function readViews(text: string): View[] {
	try {
		const found: unknown = JSON.parse(text);
		return Array.isArray(found) ? found.filter(isView) : [];
	} catch {
		return [];
	}
}

/** Returns the views with one under a name, in the place of the one that had it; null: without it. */
export function withView(views: readonly View[], name: string, view: View | null): View[] {
	const others = views.filter((one) => one.name !== name && one.name !== view?.name);
	const made = view ? [...others, view] : others;
	return made.sort((one, other) => one.name.localeCompare(other.name));
}
