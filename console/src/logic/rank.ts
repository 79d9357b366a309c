/** Finds things by some letters of their names, the best first. */

/** Returns how well a text fits a name; 0: not at all. */
export function score(name: string, text: string): number {
	const inside = name.toLowerCase();
	const sought = text.toLowerCase();
	if (!sought) return 1;
	if (inside === sought) return 100;
	if (inside.startsWith(sought)) return 80;
	const at = inside.indexOf(sought);
	if (at > 0) return /[\s._:/-]/.test(inside[at - 1] as string) ? 60 : 40;
	let from = 0;
	for (const letter of sought.replace(/\s/g, "")) {
		const found = inside.indexOf(letter, from);
		if (found < 0) return 0;
		from = found + 1;
	}
	return 10;
}

/** Returns the things that fit, the best first, else in their order. */
export function rank<T>(things: readonly T[], text: string, nameOf: (thing: T) => string): T[] {
	return things
		.map((thing) => ({ thing, fits: score(nameOf(thing), text) }))
		.filter(({ fits }) => fits > 0)
		.sort((one, other) => other.fits - one.fits)
		.map(({ thing }) => thing);
}
