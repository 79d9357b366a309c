/** Moments: relative or absolute, with UTC, the local zone and another one on hover. */
import { effect, signal } from "@preact/signals";
import { skew } from "../api/client";
import { paused } from "../live/switch";
import { ago, length, moment } from "../logic/lengths";
import { times } from "../preferences";

/** The present moment by the server's clock, to the second; it stands still while paused. */
export const now = signal(Date.now());

effect(() => {
	if (paused.value) return;
	now.value = Date.now() + skew.peek();
	const timer = setInterval(() => {
		if (!document.hidden) now.value = Date.now() + skew.peek();
	}, 1000);
	return () => clearInterval(timer);
});

/** Returns a moment in every zone that matters, a line each. */
export function inZones(at: number, zone?: string): string {
	const local = Intl.DateTimeFormat().resolvedOptions().timeZone;
	const zones = [...new Set(["UTC", local, zone].filter(Boolean))] as string[];
	return zones.map((one) => `${moment(at, one, true)} ${one}`).join("\n");
}

interface WhenProps {
	at: string | null | undefined;
	zone?: string | undefined;
	/** Always with the date. */
	whole?: boolean;
}

/** A moment of the API. Zones are computed when the pointer comes: a table has very many moments. */
export function When({ at, zone, whole = false }: WhenProps) {
	if (!at) return <span class="quiet">–</span>;
	const told = Date.parse(at);
	const text = whole || times.value === "absolute" ? moment(told, zone) : ago(told, now.value);
	return (
		<time
			dateTime={at}
			onPointerEnter={(event) => {
				event.currentTarget.title = inZones(told, zone);
			}}
		>
			{text}
		</time>
	);
}

interface TookProps {
	from: string | null | undefined;
	to?: string | null | undefined;
}

/** How long something took, or has taken until now. */
export function Took({ from, to }: TookProps) {
	if (!from) return <span class="quiet">–</span>;
	const end = to ? Date.parse(to) : Math.max(now.value, Date.parse(from));
	const seconds = (end - Date.parse(from)) / 1000;
	// What still runs is told in whole seconds: it changes before anybody could read more.
	return <span class="number">{length(to ? seconds : Math.floor(seconds))}</span>;
}
