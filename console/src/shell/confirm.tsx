/** Asks before something is done that cannot be taken back, and says to how many. */
import { signal, useSignal } from "@preact/signals";
import { Dialog } from "../parts/dialog";

interface Question {
	title: string;
	says: string;
	/** The verb, as the button repeats it. */
	verb: string;
	/** It has to be typed, where very much is meant. */
	typed?: string | undefined;
	bad?: boolean | undefined;
	answer: (yes: boolean) => void;
}

/** A question, for who asks it. */
export type Asked = Omit<Question, "answer">;

const question = signal<Question | undefined>(undefined);

/** Asks, and returns whether to go on. */
export function confirm(asked: Asked): Promise<boolean> {
	return new Promise((answer) => {
		question.value = { ...asked, answer };
	});
}

/** The dialog of the question that is asked now. */
export function Confirm() {
	const asked = question.value;
	return asked ? <Asked key={asked.title} asked={asked} /> : null;
}

function Asked({ asked }: { asked: Question }) {
	const typed = useSignal("");
	const answer = (yes: boolean) => {
		question.value = undefined;
		asked.answer(yes);
	};
	return (
		<Dialog title={asked.title} close={() => answer(false)}>
			<form
				onSubmit={(event) => {
					event.preventDefault();
					answer(true);
				}}
			>
				<p>{asked.says}</p>
				{asked.typed && (
					<label class="field">
						Type {asked.typed} to go on
						<input
							value={typed.value}
							onInput={(event) => {
								typed.value = event.currentTarget.value;
							}}
							autocomplete="off"
							data-focus
						/>
					</label>
				)}
				<footer>
					<button type="button" onClick={() => answer(false)}>
						Leave it
					</button>
					<button
						type="submit"
						class={asked.bad ? "main bad" : "main"}
						disabled={
							!!asked.typed && typed.value.replace(/\D/g, "") !== asked.typed.replace(/\D/g, "")
						}
						data-focus={!asked.typed || undefined}
					>
						{asked.verb}
					</button>
				</footer>
			</form>
		</Dialog>
	);
}
