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

/** The longest name of a view. */
export const LONGEST = 60;

/** The columns of the table for those who have chosen none. */
export const USUAL_COLUMNS = "state,task,id,queue,labels,added,took";

/** Returns the columns of the first text that names one that is known; without unknown ones. */
export function columnsIn(texts: readonly (string | null)[], known: readonly string[]): string {
	for (const text of [...texts, USUAL_COLUMNS]) {
		const found = text?.split(",").filter((one) => known.includes(one));
		if (found?.length) return found.join(",");
	}
	return USUAL_COLUMNS;
}

/** Returns what the address of the list says of the view that is shown. */
export function shownIn(params: URLSearchParams): Record<string, string> {
	return Object.fromEntries([...params].filter(([name]) => PARTS.includes(name)));
}

/** Whether a view says what is shown; one that says nothing of columns is shown with any. */
export function isShown(view: View, shown: Record<string, string>): boolean {
	return PARTS.every(
		(part) =>
			(part === "columns" && !view.says[part]) || (view.says[part] ?? "") === (shown[part] ?? ""),
	);
}

/** A view as it was kept, with what is known of it; undefined: this is none. */
function viewIn(one: unknown): View | undefined {
	const { name, says } = (one ?? {}) as { name?: unknown; says?: unknown };
	const made = typeof name === "string" ? name.trim().slice(0, LONGEST) : "";
	if (!made || !says || typeof says !== "object" || Array.isArray(says)) return undefined;
	const parts = Object.entries(says).filter(([part]) => PARTS.includes(part));
	return parts.every(([, value]) => typeof value === "string")
		? { name: made, says: Object.fromEntries(parts) }
		: undefined;
}

/** Returns the views that a browser has kept; what cannot be read counts as none. */
export function readViews(text: string): View[] {
	try {
		const found: unknown = JSON.parse(text);
		const views = (Array.isArray(found) ? found : []).flatMap((one) => viewIn(one) ?? []);
		return [...new Map(views.map((one) => [one.name, one])).values()];
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
