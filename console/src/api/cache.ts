/** What was read from the API, kept and read again when the server says that it has changed. */
import { batch, type Signal, signal } from "@preact/signals";
import { useLayoutEffect, useMemo } from "preact/hooks";
import { isLive } from "../live/switch";
import { get } from "./client";
import type { Problem } from "./problem";

const SHORTEST = 1000; // milliseconds between two readings of the same, unless somebody wants more
const AFTER_PROBLEM = 5000;
const NOT_FOUND = 404;
const KEPT = 120; // entries that nobody looks at
const OLDER = 19; // seconds by which an answer that others share may be older than is wanted

/** A resource as it was read last. Old data stays while it is read again, and when that fails. */
export class Entry<T> {
	readonly data: Signal<T | undefined> = signal(undefined);
	readonly error: Signal<Problem | undefined> = signal(undefined);
	/** When the data was read, in milliseconds since 1970; 0: never. */
	readonly at = signal(0);
	readonly busy = signal(false);
	text = "";
	/** The version of what was read last, for `If-Match`; "" where it has none. */
	etag = "";
	/** How those who look want it to be kept. */
	private readonly watchers = new Set<Keeping>();
	private readonly topics = new Set<string>();
	private stale = true;
	/** When it went out of date: an answer that was read before says nothing of that. */
	private outdated = 0;
	/** Whether somebody waits for what is there now; the page itself takes what others share. */
	private anew = false;
	private began = 0;
	private timer = 0;
	/** When the timer fires. */
	private due = 0;
	private reading: AbortController | undefined;

	constructor(readonly path: string) {}

	get isWatched(): boolean {
		return this.watchers.size > 0;
	}

	/** Takes note of what makes it out of date. Of a new topic nobody told it so far. */
	heed(topics: readonly string[]): void {
		for (const topic of topics) {
			if (this.topics.has(topic)) continue;
			this.topics.add(topic);
			this.outdate();
		}
	}

	private outdate(): void {
		this.stale = true;
		this.outdated = Date.now();
	}

	/** Whether it is out of date when these have changed. */
	heeds(topics: ReadonlySet<string>): boolean {
		for (const topic of this.topics) if (topics.has(topic)) return true;
		return false;
	}

	/** Notes that the server has something newer, and reads it if somebody looks. */
	invalidate(anew: boolean): void {
		this.outdate();
		this.anew ||= anew;
		if (this.isWatched && isLive()) this.soon();
	}

	watch(keeping: Keeping = {}): () => void {
		const watcher = { ...keeping };
		this.watchers.add(watcher);
		if (this.path && entries.get(this.path) !== this) {
			// It was dropped, and has not been told of changes since.
			entries.set(this.path, this as Entry<unknown>);
			this.outdate();
		}
		if (this.stale || this.isMissing) void this.read();
		else this.tick();
		return () => {
			this.watchers.delete(watcher);
			if (this.isWatched) return;
			clearTimeout(this.timer);
			this.timer = 0;
			if (this.busy.value) this.reading?.abort();
		};
	}

	/** Reads now, whatever is known: anew, or what others share. */
	async read(anew = true): Promise<void> {
		clearTimeout(this.timer);
		this.timer = 0;
		this.reading?.abort();
		const reading = new AbortController();
		this.reading = reading;
		const began = Date.now();
		const tolerance = anew ? "" : `max-age=${this.young}, max-stale=${OLDER}`;
		this.stale = false;
		this.anew = false;
		this.began = began;
		this.busy.value = true;
		try {
			const answer = await get<T>(this.path, reading.signal, tolerance);
			const read = began - answer.age * 1000;
			if (read < this.outdated) this.stale = true;
			if (answer.age && read < this.at.peek()) return; // what is shown is newer
			this.set(answer.data, answer.text, read);
			this.etag = answer.etag;
		} catch (error) {
			// What is not there is asked for again when it may have come, or somebody wants it.
			this.stale ||= (error as Problem).status !== NOT_FOUND;
			this.anew ||= anew;
			if (this.reading !== reading || reading.signal.aborted) return;
			this.error.value = error as Problem;
		} finally {
			if (this.reading === reading) {
				this.busy.value = false;
				this.tick();
			}
		}
	}

	/** Lets go of the data, if nobody looks: it is read again when somebody does. */
	forget(): void {
		if (this.isWatched) return;
		this.data.value = undefined;
		this.text = "";
		this.outdate();
	}

	/** Takes data that came in another way, such as the answer of a verb. */
	set(data: T, text: string, at = Date.now()): void {
		batch(() => {
			// The same text is the same data: nothing is drawn again.
			if (text !== this.text || this.data.value === undefined) this.data.value = data;
			this.text = text;
			this.error.value = undefined;
			this.at.value = at;
		});
	}

	/** The seconds up to which an answer is as good as a new one. */
	private get young(): number {
		return Math.floor((this.stale ? this.shortest : this.round) / 2000);
	}

	private soon(): void {
		if (this.busy.value) return;
		// What the server cannot answer is asked for less often, unless somebody waits.
		const pause = this.error.value && !this.anew ? AFTER_PROBLEM : this.shortest;
		this.later(this.began + pause - Date.now());
	}

	private tick(): void {
		if (!this.isWatched) return;
		if (this.stale && isLive())
			this.later(this.error.value ? AFTER_PROBLEM : this.began + this.shortest - Date.now());
		else if (this.round && !this.isMissing) this.later(this.round);
	}

	/** Whether the server has said that there is nothing at its path. */
	get isMissing(): boolean {
		return this.error.value?.status === NOT_FOUND;
	}

	/** Milliseconds after which it is read again in any case; 0: it is not. */
	private get round(): number {
		const data = this.data.peek();
		const rounds = [...this.watchers].map(({ every = 0 }) =>
			typeof every === "number" ? every : data === undefined ? 0 : every(data as never),
		);
		const soonest = Math.min(...rounds.filter(Boolean));
		return soonest === Infinity ? 0 : soonest;
	}

	/** Milliseconds that lie between two readings at least. */
	private get shortest(): number {
		return Math.min(...[...this.watchers].map((one) => one.shortest ?? SHORTEST));
	}

	/** Reads it after so many milliseconds, or earlier if that is what was wanted before. */
	private later(milliseconds: number): void {
		const due = Date.now() + Math.max(60, milliseconds);
		if (this.timer && this.due <= due) return;
		clearTimeout(this.timer);
		this.due = due;
		this.timer = window.setTimeout(() => {
			this.timer = 0;
			// Somebody may have paused the page, or turned to another one.
			if (isLive() && (this.stale || !document.hidden)) void this.read(this.anew);
			else if (this.round) this.later(this.round);
		}, due - Date.now());
	}
}

const entries = new Map<string, Entry<unknown>>();

function drop(): void {
	for (const [path, entry] of entries) {
		if (entries.size <= KEPT) return;
		if (!entry.isWatched) entries.delete(path);
	}
}

/** How a resource is kept up to date. */
export interface Keeping {
	/** It is read again when one of these has changed: `jobs`, `job:019a`. */
	topics?: readonly string[];
	/** It is read again after so many milliseconds, since no change tells of it; 0: it is not. */
	every?: number | ((data: never) => number);
	/** So many milliseconds lie between two readings at least, however often it changes. */
	shortest?: number;
}

/** How statistics are kept: each job changes them, and nobody sees the difference in a chart. */
export const STATISTICS: Keeping = { topics: ["stats"], every: 30_000, shortest: 10_000 };

/** Returns the entry of a path of the API. */
export function entry<T>(path: string, keeping: Keeping = {}): Entry<T> {
	let found = entries.get(path);
	if (!found) {
		found = new Entry<unknown>(path);
		entries.set(path, found);
		drop();
	}
	found.heed(keeping.topics ?? []);
	return found as Entry<T>;
}

/** Returns what the API says at a path, and keeps it up to date while the component is there. */
export function useData<T>(path: string | null, keeping: Keeping = {}): Entry<T> {
	const found = useMemo(() => (path === null ? new Entry<T>("") : entry<T>(path, keeping)), [path]);
	// It is asked for before the page is painted, not after.
	useLayoutEffect(() => (path === null ? undefined : found.watch(keeping)), [found, path]);
	return found;
}

/** Says that something has changed: what is looked at is read again, anew or as others share it. */
export function invalidate(topics: ReadonlySet<string> | "all", anew = true): void {
	for (const one of entries.values()) {
		if (topics === "all" || one.heeds(topics)) one.invalidate(anew);
	}
}

/** Reads everything that is looked at again. */
export function readAll(): void {
	for (const one of entries.values()) {
		if (one.isWatched) void one.read();
		else one.invalidate(true);
	}
}
