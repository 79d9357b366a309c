/** Lengths of time, ages and numbers, as people read them. */

const UNITS: readonly [string, number][] = [
	["d", 86_400],
	["h", 3600],
	["min", 60],
	["s", 1],
];

/** Returns a length in seconds in one or two units: `1.2 s`, `3 min`, `2 h 5 min`. */
export function length(seconds: number | null | undefined): string {
	if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return "–";
	if (seconds < 0) return `-${length(-seconds)}`;
	if (seconds === 0) return "0 s";
	if (seconds < 0.001) return "<1 ms";
	if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
	if (seconds < 59.95) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
	const whole = Math.round(seconds);
	const at = UNITS.findIndex(([, size]) => whole >= size);
	const [unit, size] = UNITS[at] as [string, number];
	const count = Math.floor(whole / size);
	const next = UNITS[at + 1];
	const rest = next ? Math.floor((whole % size) / next[1]) : 0;
	// Two units while they are small: nobody reads 12 d 3 h.
	return rest && count < 10 ? `${count} ${unit} ${rest} ${next?.[0]}` : `${count} ${unit}`;
}

/** Returns how long ago a moment was, or in how long it comes. */
export function ago(at: number, now: number): string {
	const seconds = (now - at) / 1000;
	if (Math.abs(seconds) < 1) return "now";
	const whole = Math.abs(seconds);
	const at_ = UNITS.findIndex(([, size]) => whole >= size);
	const [unit, size] = UNITS[at_] as [string, number];
	const text = `${Math.floor(whole / size)} ${unit}`;
	return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/** Returns a whole number with commas. */
export function count(number: number, exact = true): string {
	return String(number).replace(/\B(?=(\d{3})+$)/g, ",") + (exact ? "" : "+");
}

/** Returns a number in at most four characters, for narrow places. */
export function brief(number: number): string {
	if (number < 10_000) return count(number);
	const [size, unit] = number < 1e6 ? [1e3, "k"] : number < 1e9 ? [1e6, "M"] : [1e9, "G"];
	const share = number / size;
	return `${share < 9.95 ? share.toFixed(1) : Math.round(share)}${unit}`;
}

const BYTES = ["bytes", "kB", "MB", "GB", "TB"];

/** Returns a number of bytes in its largest fitting unit: `1.2 GB`. */
export function bytes(size: number): string {
	const at = size < 1000 ? 0 : Math.min(BYTES.length - 1, Math.floor(Math.log10(size) / 3));
	const share = size / 1000 ** at;
	return `${at && share < 9.95 ? share.toFixed(1) : Math.round(share)} ${BYTES[at]}`;
}

/** Returns a share as per cent: `0.03 %`. */
export function percent(part: number, whole: number): string {
	if (!whole) return "–";
	const share = (part / whole) * 100;
	if (share === 0 || share >= 99.95) return `${Math.round(share)} %`;
	return `${share < 0.1 ? share.toFixed(2) : share.toFixed(1)} %`;
}

const LENGTH = /^(\d+(?:\.\d+)?)(ms|s|min|m|h|d|w)?$/;
const SIZES: Record<string, number> = {
	ms: 0.001,
	s: 1,
	m: 60,
	min: 60,
	h: 3600,
	d: 86_400,
	w: 604_800,
};

/** Returns the seconds of `90`, `15min`, `2h`, `7d`; null if it is none of them. */
export function seconds(text: string): number | null {
	const found = LENGTH.exec(text.trim());
	return found ? Number(found[1]) * (SIZES[found[2] ?? "s"] as number) : null;
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** Returns the format of moments in a zone, made once: that takes a browser longer than its use. */
function formatOf(zone: string | undefined, fine: boolean): Intl.DateTimeFormat {
	const key = `${zone} ${fine}`;
	const found = FORMATS.get(key);
	if (found) return found;
	const made = new Intl.DateTimeFormat("en-GB", {
		year: "numeric",
		month: "2-digit",
		day: "2-digit",
		hour: "2-digit",
		minute: "2-digit",
		second: "2-digit",
		hourCycle: "h23",
		...(zone && { timeZone: zone }),
		...(fine && { fractionalSecondDigits: 3 }),
	});
	FORMATS.set(key, made);
	return made;
}

/** Returns a moment in a zone, to the second, and to the millisecond if asked: `2026-11-29 14:02:11`. */
export function moment(at: number, zone?: string, fine = false): string {
	const parts = formatOf(zone, fine).formatToParts(at);
	const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
	const rest = fine ? `.${part("fractionalSecond")}` : "";
	return `${part("year")}-${part("month")}-${part("day")} ${part("hour")}:${part("minute")}:${part("second")}${rest}`;
}
