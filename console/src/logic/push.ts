/** The resources of pushes: how each stands at Google, once that was asked. */
import type { PushChange, PushPlan, PushProblem, PushResource } from "../api/types";

/** How a resource stands: as it is wanted, until Google was asked. */
export type Standing =
	| "wanted"
	| "there"
	| "missing"
	| "differs"
	| "replaced"
	| "needless"
	| "unknown";

export interface ResourceRow {
	kind: PushResource["kind"];
	name: string;
	route: string | null;
	task: string | null;
	stands: Standing;
	/** Each field: what it is to be, and what it is there if that differs. */
	fields: readonly FieldRow[];
	problem: string | null;
}

export interface FieldRow {
	field: string;
	wanted: unknown;
	/** What stands there in its place; undefined: nothing else. */
	there?: unknown;
}

const STANDINGS: Record<PushChange["action"], Standing> = {
	create: "missing",
	update: "differs",
	replace: "replaced",
	delete: "needless",
	unchanged: "there",
};

/** Returns a row for each resource that is wanted, and for each that nobody wants any more. */
export function rowsOf(wanted: readonly PushResource[], plan: PushPlan | undefined): ResourceRow[] {
	const keyOf = (one: { kind: string; name: string }) => `${one.kind} ${one.name}`;
	const changes = new Map(plan?.changes.map((one) => [keyOf(one), one]));
	const rows = wanted.map((one) => {
		const change = changes.get(keyOf(one));
		changes.delete(keyOf(one));
		const problem = plan && !change ? problemOf(one, plan.problems) : null;
		return {
			...one,
			stands: change ? STANDINGS[change.action] : plan ? "unknown" : "wanted",
			fields: fieldsOf(one.fields, change),
			problem,
		} satisfies ResourceRow;
	});
	const others = [...changes.values()].map(
		(one): ResourceRow => ({
			...one,
			task: null,
			stands: STANDINGS[one.action],
			fields: fieldsOf({}, one),
			problem: null,
		}),
	);
	return [...rows, ...others];
}

/** Why a resource was not looked at: its own problem, or that of its route. */
function problemOf(one: PushResource, problems: readonly PushProblem[]): string | null {
	const own = problems.find((problem) => problem.name === one.name);
	const shared = problems.find((problem) => problem.route !== null && problem.route === one.route);
	return (own ?? shared)?.text ?? null;
}

function fieldsOf(
	fields: Readonly<Record<string, unknown>>,
	change: PushChange | undefined,
): FieldRow[] {
	// Of a resource that is missing every field differs from nothing, which says nothing.
	const differences = change && change.action !== "create" ? change.differences : [];
	const there = new Map(differences.map((one) => [one.field, one.before]));
	return Object.entries(fields).map(([field, wanted]) =>
		there.has(field) ? { field, wanted, there: there.get(field) ?? null } : { field, wanted },
	);
}

export interface Tally {
	wanted: number;
	there: number;
	/** How many are there and differ from what is wanted. */
	differ: number;
	needless: number;
	unknown: number;
}

/** Returns how many resources of a kind are wanted, and how many of them are there. */
export function tally(rows: readonly ResourceRow[], kind: ResourceRow["kind"]): Tally {
	const of = rows.filter((one) => one.kind === kind);
	const number = (...standings: Standing[]) =>
		of.filter((one) => standings.includes(one.stands)).length;
	const needless = number("needless");
	return {
		wanted: of.length - needless,
		there: number("there", "differs", "replaced"),
		differ: number("differs", "replaced"),
		needless,
		unknown: number("unknown"),
	};
}

/** Returns whether `rotulus gcp apply` would do something about a resource. */
export function isWork(row: ResourceRow): boolean {
	return !["there", "wanted", "unknown"].includes(row.stands);
}

/** Returns the value of a field in a line: `60`, `none`, `{"task": "mail.send"}`. */
export function shown(value: unknown): string {
	if (value === null || value === undefined) return "none";
	return typeof value === "string" ? value : JSON.stringify(value);
}
