/** Labels as people type them: `customer=7, plan=gold`. */

/** Returns the text of labels. */
export function labelText(labels: Readonly<Record<string, string>>): string {
	return Object.entries(labels)
		.map(([name, value]) => `${name}=${value}`)
		.join(", ");
}

/** Returns the labels of a text; null if there is none. A word without `=` has an empty text. */
export function labelsOf(text: string): Record<string, string> | null {
	const words = text
		.split(",")
		.map((one) => one.trim())
		.filter(Boolean);
	if (!words.length) return null;
	return Object.fromEntries(
		words.map((one) => {
			const [name = "", ...rest] = one.split("=");
			return [name.trim(), rest.join("=").trim()];
		}),
	);
}
