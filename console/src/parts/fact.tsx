/** A fact of something: its name, and what it is. */
import type { ComponentChildren } from "preact";

/** A line of a list of facts, in a `dl` of the class `facts`. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
	return (
		<div class="fact">
			<dt>{name}</dt>
			<dd>{children}</dd>
		</div>
	);
}
