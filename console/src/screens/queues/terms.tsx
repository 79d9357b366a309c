/** The form that sets the terms of a limit, and says before what comes of them. */
import { useSignal } from "@preact/signals";
import { Problem } from "../../api/problem";
import type { Limit } from "../../api/types";
import { consequence, rateOf, rateText, wholeOf, wrongOf } from "../../logic/limits";
import { Dialog } from "../../parts/dialog";
import { Field } from "../../parts/field";
import { act } from "../../shell/act";
import { tellProblem } from "../../shell/toasts";

interface TermsProps {
	/** The key as it stands now. */
	limit: Limit;
	/** The queues that are paused. */
	paused: readonly string[];
	close: () => void;
}

/** Asks for the terms of a key. */
export function Terms({ limit: one, paused, close }: TermsProps) {
	const isSet = one.set_at !== null;
	const limit = useSignal(isSet && one.limit !== one.code_limit ? String(one.limit ?? "") : "");
	const rate = useSignal(isSet && one.rate !== one.code_rate ? rateText(one.rate, one.per) : "");
	const refused = useSignal<Refused>({ fields: {}, text: "" });
	const terms = {
		limit: wholeOf(limit.value),
		...(rate.value.trim() ? rateOf(rate.value) : { rate: null, per: null }),
	};
	const isBlank = terms.limit === null && terms.rate === null;
	const mistakes: Record<string, string> = wrongOf(terms);
	const isWrong = Object.keys(mistakes).length > 0;
	const wrong = isWrong ? mistakes : refused.value.fields;
	const typed = (field: { value: string }) => (event: { currentTarget: HTMLInputElement }) => {
		field.value = event.currentTarget.value;
		refused.value = { fields: {}, text: "" };
	};
	const set = async (body: Body | null) => {
		const done = await change(one, body, (problem) => {
			refused.value = refusal(problem);
		});
		if (done !== undefined) close();
	};
	return (
		<Dialog title={`Set the limit of ${one.key}`} close={close}>
			<form
				noValidate
				onSubmit={(event) => {
					event.preventDefault();
					if (!isBlank && !isWrong) void set(terms);
				}}
			>
				<Field name="limit" says="how many run at once; 0: none starts" wrong={wrong.limit}>
					<input
						value={limit.value}
						inputMode="numeric"
						autocomplete="off"
						placeholder={one.code_limit === null ? "any" : `${one.code_limit}, by the code`}
						aria-invalid={!!wrong.limit}
						onInput={typed(limit)}
						data-focus
					/>
				</Field>
				<Field
					name="rate"
					says="how many start in a time, such as 100/min"
					wrong={wrong.rate ?? wrong.per}
				>
					<input
						value={rate.value}
						autocomplete="off"
						placeholder={rateText(one.code_rate, one.code_per) || "any"}
						aria-invalid={!!(wrong.rate ?? wrong.per)}
						onInput={typed(rate)}
					/>
				</Field>
				<p class="said" role="status">
					{isBlank && "Give a limit, a rate, or both."}
					{!isBlank && !isWrong && consequence(one, terms, paused)}
				</p>
				{refused.value.text && (
					<p class="wrong" role="alert">
						{refused.value.text}
					</p>
				)}
				<footer>
					{isSet && (
						<button type="button" onClick={() => void set(null)}>
							As the code says
						</button>
					)}
					<button type="button" onClick={close}>
						Leave it
					</button>
					<button type="submit" class="main" disabled={isBlank || isWrong}>
						Set it
					</button>
				</footer>
			</form>
		</Dialog>
	);
}

interface Refused {
	/** By the name of the field. */
	fields: Record<string, string>;
	text: string;
}

function refusal(problem: unknown): Refused {
	if (!(problem instanceof Problem)) return { fields: {}, text: String(problem) };
	const fields = problem.byField();
	const isShown = ["limit", "rate", "per"].some((name) => name in fields);
	return { fields, text: isShown ? "" : [problem.message, problem.hint].filter(Boolean).join(" ") };
}

interface Body {
	limit: number | null;
	rate: number | null;
	per: number | null;
}

/** Sets terms, or has those of the code hold again; the toast takes it back. */
function change(
	before: Limit,
	body: Body | null,
	refused: (problem: unknown) => void = tellProblem,
): Promise<Limit | null | undefined> {
	const { key, set_at, limit, rate, per, code_limit, code_rate } = before;
	const was = {
		limit: limit === code_limit ? null : limit,
		...(rate === code_rate ? { rate: null, per: null } : { rate, per }),
	};
	const isTerms = set_at !== null && (was.limit !== null || was.rate !== null);
	return act<Limit>({
		path: `limits/${encodeURIComponent(key)}`,
		method: body ? "PUT" : "DELETE",
		body: body ?? undefined,
		says: body ? `The limit of ${key} is set.` : `${key} is limited as the code says.`,
		undo: (after) => void change(after, isTerms ? was : null),
		topics: ["limits", "queues"],
		refused,
	});
}
