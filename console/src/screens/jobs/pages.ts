/** The pages of a list of jobs: each is kept by its cursor, and those in sight are kept up to date. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { type Entry, entry } from "../../api/cache";
import type { Job, JobPage } from "../../api/types";
import { isLive } from "../../live/switch";
import { toQuery } from "../../logic/query";

const AT_ONCE = 100;
const AROUND = 5; // pages beside those in sight whose rows are kept

/** No change tells of the progress of jobs that run. */
const KEEPING = {
	topics: ["jobs"],
	every: (page: JobPage) => (page.items.some((job) => job.state === "running") ? 3000 : 0),
};

function pathOf(query: string, after: string | null): string {
	const made = new URLSearchParams(toQuery(query));
	made.set("limit", String(AT_ONCE));
	if (after) made.set("after", after);
	return `jobs?${made}`;
}

/** A list as it is shown. */
export interface JobList {
	/** Undefined: a row of a page that is far out of sight, and read again when it is not. */
	rows: readonly (Job | undefined)[];
	first: Entry<JobPage>;
	/** Reads the next page, if there is one. */
	more: () => void;
	/** Is told which rows are in sight: their pages are kept up to date. */
	sight: (begin: number, end: number) => void;
	hasMore: boolean;
	isReading: boolean;
	/** How far back was looked where few jobs match; null: to the end of a page. */
	lookedTo: string | null;
	/** Jobs that have come since, and are not shown yet. */
	newer: number;
	showNewer: () => void;
	rest: (isAtRest: boolean) => void;
}

/** Returns the first page of a list. */
export function firstPage(query: string): Entry<JobPage> {
	return entry<JobPage>(pathOf(query, null), KEEPING);
}

/** Returns the jobs that match a query. */
export function useJobs(query: string): JobList {
	const first = useMemo(() => firstPage(query), [query]);
	const later = useSignal<readonly Later[]>([]);
	const inSight = useSignal("0 0");
	const head = useHeld(first, later);
	const pages = later.value;
	useLayoutEffect(() => {
		later.value = [];
		inSight.value = "0 0";
		return first.watch(KEEPING);
	}, [first, later, inSight]);
	useEffect(() => {
		// The first page is always watched: it tells of newer jobs.
		const [from = 0, to = 0] = inSight.value.split(" ").map(Number);
		const last = pages.length - 1;
		const isSeen = (at: number) => (at + 1 >= from && at < to) || at === last;
		const isFar = (at: number) => at + 1 < from - AROUND || at > to + AROUND;
		for (const [at, one] of pages.entries())
			if (isFar(at) && !isSeen(at) && one.page.data.peek()) forget(one);
		const left = pages.filter((_, at) => isSeen(at)).map(({ page }) => page.watch(KEEPING));
		return () => {
			for (const leave of left) leave();
		};
	}, [pages, inSight.value]);

	const shown = head.page.value;
	const all = shown ? [shown, ...pages.map((one) => one.page.data.value ?? one.size)] : [];
	const rows = useMemo(() => merged(all), all);
	const end = pages.length ? pages[pages.length - 1]?.page.data.value : shown;
	const waits = pages.length > 0 && !end;
	const next = end?.next ?? null;
	return {
		rows,
		first,
		more: () => {
			if (!next || waits) return;
			const page = entry<JobPage>(pathOf(query, next), KEEPING);
			if (!later.value.some((one) => one.page === page))
				later.value = [...later.value, { page, size: 0 }];
		},
		sight: (begin, end) => {
			inSight.value = `${Math.floor(begin / AT_ONCE)} ${Math.ceil(end / AT_ONCE)}`;
		},
		hasMore: next !== null,
		isReading: waits,
		lookedTo: next ? (end?.looked_to ?? null) : null,
		newer: head.newer,
		showNewer: head.show,
		rest: head.rest,
	};
}

/** A page after the first one. */
interface Later {
	page: Entry<JobPage>;
	/** How many rows it had when its data were let go. */
	size: number;
}

function forget(one: Later): void {
	one.size = one.page.data.peek()?.items.length ?? one.size;
	one.page.forget();
}

const NONE: readonly Job[] = [];

/**
 * Rows of all pages; a number stands for as many rows of a page that was let go. Each job is there
 * once: it may have moved from one page to the next.
 */
function merged(pages: readonly (JobPage | number)[]): (Job | undefined)[] {
	const rows: (Job | undefined)[] = [];
	let before = NONE;
	for (const page of pages) {
		if (typeof page === "number") {
			rows.length += page;
			before = NONE;
			continue;
		}
		const known = new Set(before.map((job) => job.id));
		for (const job of page.items) if (!known.has(job.id)) rows.push(job);
		before = page.items;
	}
	return rows;
}

interface Held {
	page: Signal<JobPage | undefined>;
	newer: number;
	show: () => void;
	rest: (isAtRest: boolean) => void;
}

/**
 * Holds new jobs of the first page back while somebody reads, so that no row jumps. Pages after it
 * begin where it ends: they are read anew once it ends elsewhere.
 */
function useHeld(first: Entry<JobPage>, later: Signal<readonly Later[]>): Held {
	const page = useSignal<JobPage | undefined>(first.data.peek());
	const atRest = useRef(true);
	const held = useRef(first);
	if (held.current !== first) {
		held.current = first;
		page.value = first.data.peek();
	}
	const fresh = first.data.value;
	const known = new Set(page.value?.items.map((job) => job.id));
	const added = fresh && page.value ? fresh.items.filter((job) => !known.has(job.id)) : [];
	const take = (whole: JobPage) => {
		if (whole.next !== page.peek()?.next) later.value = [];
		page.value = whole;
	};
	useEffect(() => {
		if (!fresh) return;
		const old = page.value;
		// Where few jobs match, the page ends elsewhere with each job that comes.
		const follows = old?.next !== fresh.next && later.peek().length > 0;
		const moves = follows && (!atRest.current || !!old?.looked_to);
		if (!old || (!moves && (atRest.current || !added.length))) take(fresh);
		else page.value = { ...old, items: updated(old.items, fresh.items) };
	}, [fresh]);
	const show = () => {
		const whole = first.data.peek();
		if (whole) take(whole);
	};
	return {
		page,
		newer: added.length,
		show,
		rest: (isAtRest) => {
			atRest.current = isAtRest;
			const isLookedFor = later.peek().length > 0 && !!page.peek()?.looked_to;
			if (isAtRest && isLive() && !isLookedFor) show();
		},
	};
}

/** The same rows, as they stand now, without those that are gone. */
function updated(rows: readonly Job[], fresh: readonly Job[]): Job[] {
	const now = new Map(fresh.map((job) => [job.id, job]));
	// What comes after the last that both have was pushed off the page.
	const end = rows.findLastIndex((row) => now.has(row.id));
	return rows.flatMap((row, at) => now.get(row.id) ?? (at > end ? row : []));
}
