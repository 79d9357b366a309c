/** What was read from the API, kept and read again when the server says that it has changed. */
import { batch, type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { isLive } from "../live/switch";
import { get } from "./client";
import type { Problem } from "./problem";

const SHORTEST = 1000; // milliseconds between two readings of the same
const AFTER_PROBLEM = 5000;
const KEPT = 120; // entries that nobody looks at

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
	watchers = 0;
	private stale = true;
	private began = 0;
	private timer = 0;
	private reading: AbortController | undefined;

	constructor(
		readonly path: string,
		readonly topics: readonly string[],
		readonly every: (data: T | undefined) => number,
	) {}

	/** Notes that the server has something newer, and reads it if somebody looks. */
	invalidate(): void {
		this.stale = true;
		if (this.watchers && isLive()) this.soon();
	}

	watch(): () => void {
		this.watchers += 1;
		if (this.path && entries.get(this.path) !== this) {
			// It was dropped, and has not been told of changes since.
			entries.set(this.path, this as Entry<unknown>);
			this.stale = true;
		}
		if (this.stale) void this.read();
		else this.tick();
		return () => {
			this.watchers -= 1;
			if (this.watchers) return;
			clearTimeout(this.timer);
			this.timer = 0;
			if (this.busy.value) this.reading?.abort();
		};
	}

	/** Reads now, whatever is known. */
	async read(): Promise<void> {
		clearTimeout(this.timer);
		this.timer = 0;
		this.reading?.abort();
		const reading = new AbortController();
		this.reading = reading;
		this.stale = false;
		this.began = Date.now();
		this.busy.value = true;
		try {
			const answer = await get<T>(this.path, reading.signal);
			this.set(answer.data, answer.text);
			this.etag = answer.etag;
		} catch (error) {
			if (this.reading !== reading || reading.signal.aborted) {
				this.stale = true;
				return;
			}
			this.stale = true;
			this.error.value = error as Problem;
		} finally {
			if (this.reading === reading) {
				this.busy.value = false;
				this.tick();
			}
		}
	}

	/** Takes data that came in another way, such as the answer of a verb. */
	set(data: T, text: string): void {
		batch(() => {
			// The same text is the same data: nothing is drawn again.
			if (text !== this.text || this.data.value === undefined) this.data.value = data;
			this.text = text;
			this.error.value = undefined;
			this.at.value = Date.now();
		});
	}

	private soon(): void {
		if (!this.timer && !this.busy.value) this.later(this.began + SHORTEST - Date.now());
	}

	private tick(): void {
		if (!this.watchers || this.timer) return;
		if (this.stale && isLive())
			this.later(this.error.value ? AFTER_PROBLEM : this.began + SHORTEST - Date.now());
		else if (this.round) this.later(this.round);
	}

	/** Milliseconds after which it is read again in any case; 0: it is not. */
	private get round(): number {
		return this.every(this.data.peek());
	}

	private later(milliseconds: number): void {
		this.timer = window.setTimeout(
			() => {
				this.timer = 0;
				// Somebody may have paused the page, or turned to another one.
				if (isLive() && (this.stale || !document.hidden)) void this.read();
				else if (this.round) this.later(this.round);
			},
			Math.max(60, milliseconds),
		);
	}
}

const entries = new Map<string, Entry<unknown>>();

function drop(): void {
	for (const [path, entry] of entries) {
		if (entries.size <= KEPT) return;
		if (!entry.watchers) entries.delete(path);
	}
}

/** How a resource is kept up to date. */
export interface Keeping {
	/** It is read again when one of these has changed: `jobs`, `job:019a`. */
	topics?: readonly string[];
	/** It is read again after so many milliseconds, since no change tells of it; 0: it is not. */
	every?: number | ((data: never) => number);
}

/** Returns the entry of a path of the API. */
export function entry<T>(path: string, keeping: Keeping = {}): Entry<T> {
	let found = entries.get(path);
	if (!found) {
		const { topics = [], every = 0 } = keeping;
		const round = (data: unknown) =>
			typeof every === "number" ? every : data === undefined ? 0 : every(data as never);
		found = new Entry<unknown>(path, topics, round);
		entries.set(path, found);
		drop();
	}
	return found as Entry<T>;
}

/** Returns what the API says at a path, and keeps it up to date while the component is there. */
export function useData<T>(path: string | null, keeping: Keeping = {}): Entry<T> {
	const found = useMemo(
		() => (path === null ? new Entry<T>("", [], () => 0) : entry<T>(path, keeping)),
		[path],
	);
	useEffect(() => (path === null ? undefined : found.watch()), [found, path]);
	return found;
}

/** Says that something has changed: what is looked at is read again. */
export function invalidate(topics: ReadonlySet<string> | "all"): void {
	for (const one of entries.values()) {
		if (topics === "all" || one.topics.some((topic) => topics.has(topic))) one.invalidate();
	}
}

/** Reads everything that is looked at again. */
export function readAll(): void {
	for (const one of entries.values()) {
		if (one.watchers) void one.read();
		else one.invalidate();
	}
}
