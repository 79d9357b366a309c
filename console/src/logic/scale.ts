/** The scales of charts. */

/** Returns the next number that people like at the top of a scale: 1, 2, 2.5, 5, 10. */
export function niceTop(most: number): number {
	const size = 10 ** Math.floor(Math.log10(most));
	const found = [1, 2, 2.5, 5, 10].find((one) => one * size >= most) ?? 10;
	return found * size;
}

/** Returns points summed in groups, so that at most so many are left. */
export function fewer(
	values: readonly (number | null)[],
	most: number,
	join: "sum" | "max",
): number[] {
	const size = Math.max(1, Math.ceil(values.length / most));
	const found: number[] = [];
	for (let at = 0; at < values.length; at += size) {
		const some = values.slice(at, at + size).map((one) => one ?? 0);
		found.push(join === "max" ? Math.max(...some) : some.reduce((sum, one) => sum + one, 0));
	}
	return found;
}
