/** The order of rows that somebody is about to press. */

/**
 * Returns the rows that are shown, as they stand now, at their places. What is gone keeps its place
 * as `gone` makes it; what is new comes after them.
 */
export function inPlace<T>(
	shown: readonly T[],
	fresh: readonly T[],
	idOf: (row: T) => unknown,
	gone: (row: T) => T,
): T[] {
	const now = new Map(fresh.map((row) => [idOf(row), row]));
	const kept = shown.map((row) => now.get(idOf(row)) ?? gone(row));
	const known = new Set(shown.map(idOf));
	return [...kept, ...fresh.filter((row) => !known.has(idOf(row)))];
}
