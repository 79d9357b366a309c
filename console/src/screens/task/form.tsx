/** The arguments of a task: a control for each, or one JSON text. */
import { type Field, type Filled, filledWith, type Kind, written } from "../../logic/schema";
import { Choice } from "../../parts/menu";

/** The arguments as somebody has filled them in so far. */
export interface Draft {
	mode: "Form" | "JSON";
	filled: Filled;
	/** In JSON mode: the text. */
	text: string;
}

/** Returns the arguments of a draft as JSON text, and what is wrong by name; "" for all of it. */
export function argumentsOf(fields: readonly Field[], draft: Draft) {
	if (draft.mode === "Form") return written(fields, draft.filled);
	try {
		const value: unknown = JSON.parse(draft.text || "{}");
		const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
		const wrong: Record<string, string> = isObject
			? {}
			: { "": 'The arguments are an object: {"name": value}.' };
		return { text: draft.text || "{}", wrong };
	} catch (error) {
		return { text: "{}", wrong: { "": `This is no JSON: ${(error as Error).message}` } };
	}
}

interface FormProps {
	fields: readonly Field[];
	draft: Draft;
	change: (draft: Draft) => void;
	/** What is wrong, by the name of the argument. */
	wrong: Record<string, string>;
}

/** The switch between the form and its JSON. */
export function Mode({ fields, draft, change }: Omit<FormProps, "wrong">) {
	return (
		<Choice
			label="How the arguments are written"
			of={["Form", "JSON"]}
			value={draft.mode}
			choose={(mode) => {
				if (mode === draft.mode) return;
				if (mode === "JSON") {
					change({ ...draft, mode, text: indented(written(fields, draft.filled).text) });
				} else if (!Object.keys(argumentsOf(fields, draft).wrong).length) {
					change({ ...draft, mode, filled: filledWith(fields, draft.text || "{}") });
				}
			}}
		/>
	);
}

/** A member in each line, as it was written. */
function indented(text: string): string {
	return text === "{}"
		? "{\n}"
		: `{\n  ${text.slice(1, -1)}\n}`.replace(/, (?="[^"]+": )/g, ",\n  ");
}

/** The controls. */
export function Form({ fields, draft, change, wrong }: FormProps) {
	if (draft.mode === "JSON") {
		return (
			<div class="fields">
				<label class="field wide-field">
					<span>Arguments, as one JSON object</span>
					<textarea
						rows={Math.min(16, Math.max(5, draft.text.split("\n").length + 1))}
						spellcheck={false}
						aria-invalid={!!wrong[""]}
						value={draft.text}
						onInput={(event) => change({ ...draft, text: event.currentTarget.value })}
					/>
					<Wrong of={Object.values(wrong).join(" ")} />
				</label>
			</div>
		);
	}
	if (!fields.length) return <p class="quiet pad">It takes no arguments.</p>;
	return (
		<div class="fields">
			{fields.map((one) => (
				<label key={one.name} class={one.kind === "json" ? "field wide-field" : "field"}>
					<span>
						<strong>{one.name}</strong>
						{one.required && <span class="needed"> needed</span>}
						<span class="quiet"> {one.words}</span>
					</span>
					<Control
						field={one}
						value={draft.filled.values[one.name] ?? ""}
						invalid={!!wrong[one.name]}
						set={(value) => {
							const values = { ...draft.filled.values, [one.name]: value };
							const touched = new Set(draft.filled.touched).add(one.name);
							change({ ...draft, filled: { values, touched } });
						}}
					/>
					<Wrong of={wrong[one.name] ?? ""} />
					{one.description && <span class="quiet">{one.description}</span>}
				</label>
			))}
		</div>
	);
}

function Wrong({ of }: { of: string }) {
	return of ? (
		<span class="wrong" role="alert">
			{of}
		</span>
	) : null;
}

interface ControlProps {
	field: Field;
	value: string;
	invalid: boolean;
	set: (value: string) => void;
}

const INPUTS = {
	moment: "datetime-local",
	day: "date",
	time: "time",
	secret: "password",
} as const;

/** The type of an input, which Preact's types want to know while it is written. */
function typeOf(kind: Kind): { type: "text" } {
	const type = kind in INPUTS ? INPUTS[kind as keyof typeof INPUTS] : "text";
	return { type } as { type: "text" };
}

function Control({ field, value, invalid, set }: ControlProps) {
	const shared = { "aria-invalid": invalid, "aria-required": field.required };
	if (field.kind === "flag" || field.kind === "choice") {
		const found =
			field.kind === "choice"
				? field.choices
				: [
						{ value: "", label: field.required ? "Choose" : "The default" },
						{ value: "true", label: "yes" },
						{ value: "false", label: "no" },
						...(field.nullable ? [{ value: "null", label: "nothing" }] : []),
					];
		return (
			<select {...shared} value={value} onChange={(event) => set(event.currentTarget.value)}>
				{found.map((one) => (
					<option key={one.value} value={one.value}>
						{one.label}
					</option>
				))}
			</select>
		);
	}
	if (field.kind === "json" || value.includes("\n")) {
		return (
			<textarea
				{...shared}
				rows={Math.min(12, Math.max(2, value.split("\n").length))}
				spellcheck={false}
				value={value}
				onInput={(event) => set(event.currentTarget.value)}
			/>
		);
	}
	const isNumber = field.kind === "integer" || field.kind === "number";
	return (
		<input
			{...shared}
			{...typeOf(field.kind)}
			inputMode={isNumber ? "decimal" : "text"}
			step={field.kind === "moment" || field.kind === "time" ? 1 : undefined}
			autocomplete="off"
			spellcheck={false}
			placeholder={field.hidden ? "as the task has it" : undefined}
			value={value}
			onInput={(event) => set(event.currentTarget.value)}
		/>
	);
}
