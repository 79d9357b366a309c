/** Edits a job that waits: its arguments, its priority, and when it is due. */
import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { invalidate, useData } from "../../api/cache";
import { sendText } from "../../api/client";
import { Problem } from "../../api/problem";
import type { TaskDetails, WholeJob } from "../../api/types";
import { member } from "../../logic/json";
import { empty, fieldsOf, filledWith, type Schema, takesAny } from "../../logic/schema";
import { Dialog } from "../../parts/dialog";
import { tell, tellProblem } from "../../shell/toasts";
import { argumentsOf, type Draft, Form, Mode } from "../task/form";
import { optionsOf } from "../task/options";

interface EditProps {
	job: WholeJob;
	/** The text of the answer that the job was read from: its numbers are as they are stored. */
	text: string;
	/** The version that was read. */
	etag: string;
	close: () => void;
}

/** The dialog; the form is there as soon as the task has said what it takes. */
export function Edit({ job, text, etag, close }: EditProps) {
	const path = `tasks/${encodeURIComponent(job.task)}/$details`;
	const details = useData<TaskDetails>(path);
	const known = details.data.value ?? details.error.value;
	return (
		<Dialog title={`Edit ${job.task}`} kind="middle" close={close}>
			{known ? (
				<Fields
					{...{ job, text, etag, close }}
					schema={(details.data.value?.arguments ?? {}) as Schema}
				/>
			) : (
				<p class="pad quiet">Reading what the task takes</p>
			)}
		</Dialog>
	);
}

function Fields({ close, schema, ...read }: EditProps & { schema: Schema }) {
	// What is read meanwhile is somebody else's: the version is that of what is edited.
	const { job, text, etag } = useRef(read).current;
	const fields = useMemo(() => fieldsOf(schema), [schema]);
	const before = useMemo(() => member(text, "arguments") || "{}", [text]);
	const isOpen = takesAny(schema) || !fields.length;
	const draft = useSignal<Draft>({
		mode: isOpen ? "JSON" : "Form",
		filled: isOpen ? empty(fields) : filledWith(fields, before),
		text: before,
	});
	const priority = useSignal(String(job.priority));
	const due = useSignal("");
	const wrong = useSignal<Record<string, string>>({});
	const told = argumentsOf(fields, draft.value);
	const save = async () => {
		wrong.value = told.wrong;
		if (Object.keys(told.wrong).length) return;
		const others: Record<string, unknown> = { ...optionsOf({ ...NONE, due: due.value }) };
		if (priority.value !== String(job.priority)) others.priority = Number(priority.value);
		const rest = JSON.stringify(others).slice(1);
		const body = `{"arguments": ${told.text}${rest === "}" ? "}" : `, ${rest}`}`;
		try {
			const headers: Record<string, string> = etag ? { "If-Match": etag } : {};
			await sendText("PATCH", `jobs/${job.id}`, body, headers);
			invalidate(new Set(["jobs", `job:${job.id}`]));
			tell("The job is changed.");
			close();
		} catch (problem) {
			tellProblem(problem);
			if (problem instanceof Problem) wrong.value = problem.byField();
		}
	};
	return (
		<form
			class="edit-form"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				void save();
			}}
		>
			{!isOpen && (
				<Mode
					fields={fields}
					draft={draft.value}
					change={(next) => {
						draft.value = next;
					}}
				/>
			)}
			<Form
				fields={fields}
				draft={draft.value}
				change={(next) => {
					draft.value = next;
				}}
				wrong={wrong.value}
			/>
			<div class="fields">
				<label class="field">
					<span>
						<strong>priority</strong> <span class="quiet">higher is sooner</span>
					</span>
					<input
						inputMode="numeric"
						value={priority.value}
						onInput={(event) => {
							priority.value = event.currentTarget.value;
						}}
					/>
				</label>
				<label class="field">
					<span>
						<strong>due</strong> <span class="quiet">15min, or 2027-03-31 08:00</span>
					</span>
					<input
						value={due.value}
						placeholder="as it is"
						onInput={(event) => {
							due.value = event.currentTarget.value;
						}}
					/>
				</label>
			</div>
			<footer>
				<button type="button" onClick={close}>
					Leave it
				</button>
				<button type="submit" class="main">
					Change the job
				</button>
			</footer>
		</form>
	);
}

const NONE = { due: "", queue: "", priority: "", key: "" };
