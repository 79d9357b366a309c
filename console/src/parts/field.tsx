/** A field of a form: its name, what it is for, its control, and what is wrong with it. */
import type { ComponentChildren } from "preact";

interface FieldProps {
	name: string;
	says: ComponentChildren;
	wrong?: string | undefined;
	/** Whether it takes the whole width. */
	isWide?: boolean;
	children: ComponentChildren;
}

/** The field. */
export function Field({ name, says, wrong, isWide = false, children }: FieldProps) {
	return (
		<label class={isWide ? "field wide-field" : "field"}>
			<span>
				<strong>{name}</strong> <span class="quiet">{says}</span>
			</span>
			{children}
			{wrong && (
				<span class="wrong" role="alert">
					{wrong}
				</span>
			)}
		</label>
	);
}
